"""Failing writes and power cuts, a few of each (`make bench-crash` has all), and a disk that fills up during a seal."""

from __future__ import annotations

import os
import random
from pathlib import Path

import apsw
import pytest

from benchmarks import crash
from benchmarks.disks import Disk, on
from fimforensics import ingest as ingesting
from fimforensics import seal as sealing
from fimforensics.errors import Problem

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of open files are looked up in /proc")


def test_a_write_that_fails_and_power_that_goes_lose_nothing() -> None:
    chance = random.Random()
    failures = [chance.randrange(1_000_000) for _ in range(5)]
    counts, wrong = crash.run(40, failures, 4, seed := chance.randrange(1_000_000))
    assert wrong == [], (failures, seed)
    assert counts["operations"] > 500 and counts["failures"] == 5
    assert counts["careless cuts found out"] >= 3  # else the cuts prove nothing


def test_a_full_disk_stops_a_seal_in_one_line_and_room_lets_it_go_on(tmp_path: Path) -> None:
    class Full(Disk):
        """No room for as long as it is said."""

        full = True

        def step(self, what: str, path: str) -> None:
            if self.full and what == "write":
                raise apsw.FullError("no room")
            if self.full and what in ("fsync", "replace"):
                raise OSError(28, os.strerror(28), path)

    crash.prepared(tmp_path, 20)
    crash.commands(tmp_path, seal=False)
    before = (tmp_path / "c.db").read_bytes()
    with on(Full(), tmp_path), pytest.raises(Problem, match=r"writing failed|cannot be written") as told:
        sealing.seal(tmp_path / "c.db", None)
    assert "\n" not in told.value.line() and sorted(path.name for path in tmp_path.glob("c.db*")) == ["c.db", "c.db.key"]
    assert (tmp_path / "c.db").read_bytes() == before
    assert sealing.seal(tmp_path / "c.db", None).statement["tree"]["leaves"] == 40


def test_a_secret_that_could_not_get_its_name_is_there_for_the_next_try(tmp_path: Path) -> None:
    class Nameless(Disk):
        """The secret's file cannot be renamed."""

        def step(self, what: str, path: str) -> None:
            if what == "replace" and path.endswith(".key.new"):
                raise OSError(5, os.strerror(5), path)

    crash.prepared(tmp_path, 20)
    with on(Nameless(), tmp_path), pytest.raises(Problem, match="cannot be written"):
        ingesting.ingest(tmp_path / "c.db", [tmp_path / "first.jsonl"], ingesting.Options())
    assert ingesting.ingest(tmp_path / "c.db", [tmp_path / "first.jsonl"], ingesting.Options())[0].refused is None
    assert sorted(path.name for path in tmp_path.glob("c.db*")) == ["c.db", "c.db.key"]
