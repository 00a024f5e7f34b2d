"""Cases of recordings, made once for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.acceptance.recorded import Shelf


@pytest.fixture(scope="session")
def shelf(recordings, tmp_path_factory) -> Shelf:
    return Shelf(recordings, tmp_path_factory.mktemp("cases"))
