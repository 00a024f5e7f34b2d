"""Two thousand mixed requests, sixteen at once: case and folder as before, no 500, memory flat (as `make bench-pages`)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from noting import EVENTS  # type: ignore[import-not-found]

from tests.analyses.building import made

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("load", BENCHMARKS / "load.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["load"] = module  # where its dataclasses are looked for
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_two_thousand_requests_leave_nothing_behind(tmp_path: Path) -> None:
    load = _load()
    (tmp_path / "case").mkdir()
    case = made(tmp_path / "case", EVENTS, analyses=())
    came = load.hammer(case, 2_000, 16, tmp_path / "notes.db")
    assert came.wrong == []
    assert sum(came.statuses.values()) == 2_000 and came.statuses[200] > 800
    assert len(came.memory) == 10 and load.grown(came.memory) < 1.25
    refused = sum(number for status, number in came.statuses.items() if 400 <= status < 500)
    assert refused > 400, "the half that tries something is there"


def test_the_same_seed_sends_the_same_requests(tmp_path: Path) -> None:
    load = _load()
    numbers = dict.fromkeys(load.TABLES, 9)
    one, again = (list(load.asks(7, 500, numbers, tmp_path / "x.db")) for _ in range(2))
    assert one == again and 60 < sum(ask.writes for ask in one) < 150  # 94 of 500 are expected
    assert {ask.method for ask in one} == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
