"""A small workspace, and servers that put it behind HTTPS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.server import LogServer
from tests.live.store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    """A workspace's tables: the main one, empty."""
    made = Store()
    made.create()
    yield made
    made.connection.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., LogServer]]:
    """Starts servers, which end with the test."""
    with ExitStack() as stack:
        yield lambda workspace, **more: stack.enter_context(LogServer(workspace, folder=tmp_path, **more))
