"""Laws of traces and paths over drawn cases: time, evidence, and what a search through everything finds."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path as Folder
from typing import Any

from building import change, made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fimforensics import case as cases
from fimforensics.queries.entities import Entity
from fimforensics.queries.trace import Trace, trace
from fimforensics.queries.trace_path import path

FILES, HOSTS = ("/bin/one", "/bin/two", "/etc/three"), ("srv-1", "srv-2")
KINDS = ("file", "process", "account", "content")
Key = tuple[str, int]
Hop = tuple[Key, str, Key, str]  # subject, relation, object, time


@st.composite
def rows(draw: st.DrawFn, unique: bool) -> list[dict[str, Any]]:
    """A few changes by processes whose images are among the files, so that writings run."""
    found = []
    for minute in sorted(draw(st.lists(st.integers(0, 30), min_size=2, max_size=9, unique=unique))):
        file, image = draw(st.sampled_from(FILES)), draw(st.sampled_from(FILES[:2]))
        what = draw(st.sampled_from(["Created", "Modified", "Modified", "Renamed", "Deleted"]))
        word = None if what == "Deleted" else draw(st.sampled_from([None, "a", "b"]))
        was = draw(st.sampled_from([one for one in FILES if one != file])) if what == "Renamed" else None
        pid = draw(st.integers(1, 3))
        found.append(change(draw(st.sampled_from(HOSTS)), f"08:{minute:02}", file, what, word, by=image, pid=pid, was=was,
                            started=draw(st.sampled_from([None, f"08:{min(minute, pid * 6):02}"])),
                            account=draw(st.sampled_from([None, "root"]))))
    return found


LAW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def entities(db: sqlite3.Connection) -> Iterator[Entity]:
    """Everything in the relations."""
    keys = db.execute("SELECT subject_kind, subject_id FROM relations UNION SELECT object_kind, object_id FROM relations")
    return (Entity(kind, number, f"{kind} {number}") for kind, number in keys.fetchall())


@LAW
@given(rows(unique=False))
def test_a_trace_never_goes_against_time_and_stands_on_events(given_rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = made(Folder(folder), given_rows, analyses=("versions", "relations"))
        with cases.reading(case) as db:
            for entity in entities(db):
                _lawful(db, trace(db, entity, limit=200))
            for event, time in db.execute("SELECT id, time FROM events").fetchall():
                found = trace(db, Entity("event", event, str(event)), limit=200)
                assert all(step.move.time <= time if step.back else step.move.time >= time for step in found.steps)
                _lawful(db, found)


@LAW
@given(rows(unique=False), st.integers(1, 12))
def test_fewer_steps_are_the_first_of_more(given_rows: list[dict[str, Any]], few: int) -> None:
    with (tempfile.TemporaryDirectory() as folder,
          cases.reading(made(Folder(folder), given_rows, analyses=("versions", "relations"))) as db):
        for entity in entities(db):
            assert trace(db, entity, limit=few).steps == trace(db, entity, limit=40).steps[:few]


def _lawful(db: sqlite3.Connection, found: Trace) -> None:
    for step in found.steps:
        before = found.steps[step.before - 1] if step.before else None
        assert before is None or (before.back == step.back and before.depth + 1 == step.depth)
        assert before is None or (step.move.time <= before.move.time if step.back else step.move.time >= before.move.time)
        assert step.move.event is not None, step
        time, = db.execute("SELECT time FROM events WHERE id = ?", (step.move.event,)).fetchone()
        assert time >= step.move.time
        if before is not None:
            assert time <= before.move.to.time if step.back else time >= before.move.time


@LAW
@given(rows(unique=True))  # of changes at one time, the last of the case's order is what a file then is
def test_a_path_is_the_shortest_that_a_search_through_everything_finds(given_rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = made(Folder(folder), given_rows, analyses=("versions", "relations"))
        with cases.reading(case) as db:
            everything = Everything(db)
            things = list(entities(db))
            for one in things:
                far = everything.reached((one.kind, one.id))
                for other in things:
                    if other == one:
                        continue
                    found = path(db, one, other, 12)
                    expected = far.get((other.kind, other.id))
                    assert (None if found.swapped or not found.steps else len(found.steps)) == expected, (one, other)
                    assert not found.bounded
                    ends = found.first, found.last
                    _chained(found.steps, *((end.kind, end.id) for end in ends), everything.hops)


def _chained(steps: list, first: Key, last: Key, hops: set[Hop]) -> None:
    """Steps hang together, go with time, and are all among the hops (whose time for `ran` is not the process's begin)."""
    if not steps:
        return
    at = first
    for one, other in zip(steps, [*steps[1:], None], strict=True):
        assert other is None or one.time <= other.time
        assert at in (one.subject, one.object)
        at = one.object if at == one.subject else one.subject
        if one.relation != "ran":
            assert (one.subject, one.relation, one.object, one.time) in hops
    assert at == last


class Everything:
    """All hops of a small case, and every moment at which one can come by them, without any index or bound."""

    def __init__(self, db: sqlite3.Connection) -> None:
        words = {"Created": "created", "Modified": "modified", "Renamed": "renamed", "Deleted": "deleted"}
        self.versions = db.execute("SELECT id, file_id, since, until, previous_id, differs, content_id, state FROM file_versions "
                                   "ORDER BY id").fetchall()
        self.by_id = {row[0]: row for row in self.versions}
        self.changes = [((("process", process) if process else ("account", account)), words[word], ("file", file), time)
                        for process, account, word, file, time in db.execute(
                            "SELECT process_id, account_id, c.change, file_id, time FROM events e JOIN changes c ON "
                            "c.id = e.change_id WHERE coalesce(process_id, account_id) IS NOT NULL")]
        self.related = [((a, b), word, (c, d), first) for a, b, word, c, d, first in db.execute(
            "SELECT subject_kind, subject_id, relation, object_kind, object_id, first FROM relations")]
        had = {(one, other) for one, word, other, _ in self.related if word == "had"}
        self.had = [(("file", row[1]), "had", ("content", row[6]), row[2]) for row in self.versions
                    if row[7] == "present" and (("file", row[1]), ("content", row[6])) in had]
        self.renamed = [(("file", self.by_id[row[4]][1]), "renamed to", ("file", row[1]), row[2], row[4]) for row in self.versions
                        if row[4] and self.by_id[row[4]][1] != row[1] and self.by_id[row[4]][3] == row[2]]
        self.hops: set[Hop] = {*self.changes, *self.related, *self.had, *(row[:4] for row in self.renamed)}

    def since(self, version: int) -> str:
        """From when on a writing counts for a version."""
        row = self.by_id[version]
        while row[5] in ("no", "unknown") and row[4] and self.by_id[row[4]][1] == row[1] and self.by_id[row[4]][3] == row[2]:
            row = self.by_id[row[4]]
        return row[2]

    def current(self, file: int, time: str) -> int | None:
        """The version of a file at a moment."""
        rows = [(row[2], row[0]) for row in self.versions if row[1] == file and row[2] <= time]
        return max(rows)[1] if rows else None

    def onward(self, key: Key, time: str) -> Iterator[tuple[Key, str]]:
        """What can be reached in one step by who came here at this time ('' is the start)."""
        for one, word, other, at in self.related:
            if one == key and at >= time and (word == "ran" or (word == "became" and self._holds(key[1], time, at))):
                yield other, at
        for one, _, other, at in self.changes:
            if one == key and at >= time:
                yield other, at
        for one, _, other, at, version in self.renamed:
            if one == key and at >= time and (not time or self.since(version) <= time):
                yield other, at
        for one, _, other, at in self.had:
            if one == key and at >= time and self._holds(key[1], time, at):
                yield other, at
            if other == key and at >= time:
                yield one, at

    def _holds(self, file: int, written: str, read: str) -> bool:
        version = self.current(file, read)
        return not written or version is None or self.since(version) <= written

    def reached(self, start: Key) -> dict[Key, int]:
        """The fewest steps to everything that can be reached."""
        seen, border, found, far = {(start, "")}, {(start, "")}, {start: 0}, 0
        while border:
            far += 1
            border = {there for key, time in border for there in self.onward(key, time)} - seen
            seen |= border
            for key, _ in border:
                found.setdefault(key, far)
        return found
