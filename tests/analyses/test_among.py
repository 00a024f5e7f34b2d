"""The relations between shown things are those of the table whose ends are both shown, whatever side they are looked for from."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest
from building import made

from fimforensics.queries import graph_among
from fimforensics.queries.graph_near import Around
from tests.analyses import stories


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A story with accounts, processes, files and contents."""
    return made(tmp_path_factory.mktemp("among"), stories.web_shell()[0])


@pytest.mark.parametrize("most", [0, 1, 2, 100])
@pytest.mark.parametrize("since", ["", "2026-10-05T10:04"])
def test_all_or_it_says_that_some_may_be_missing(case: Path, monkeypatch: pytest.MonkeyPatch, most: int, since: str) -> None:
    monkeypatch.setattr(graph_among, "BETWEEN", most)
    chance, complete = random.Random(most), 0
    with contextlib.closing(sqlite3.connect(case)) as db:
        around = Around(db, since=since)
        every = {(around.one((a, b)), relation, around.one((c, d)), basis or "") for a, b, relation, c, d, basis in db.execute(
            "SELECT subject_kind, subject_id, relation, object_kind, object_id, basis FROM relations WHERE last >= ?", (since,))}
        things = sorted({end for one, _, other, _ in every for end in (one, other)})
        assert len(things) > 5 and len(every) > 5
        for _ in range(40):
            shown = chance.sample(things, chance.randint(1, len(things)))
            found, degrees, missed = graph_among.among(around, shown)
            wanted = {mark for mark in every if mark[0] in shown and mark[2] in shown}
            marks = {one.mark for one in found}
            assert marks == wanted if not missed else marks <= wanted
            complete += not missed
            assert set(degrees) == set(shown)
            if most == 100:
                assert degrees == {key: sum((mark[0] == key) + (mark[2] == key) for mark in every) for key in shown}
    assert complete == 40 or (most < 2 and complete < 40)
