"""What `verify` finds of drawn changes to a sealed case.

A change is judged with the layers of file hash and signature left out, as if a forger had made them anew: once with the rest of
the seal (digests, tree, head of the custody log), once without all of it, by re-derivation and the custody log alone. What is
derived is kept from one verification to the next and used again where sources and history are the same; all else is the very
code that `fimforensics verify` runs.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import apsw

from benchmarks import mutations
from fimforensics.errors import Problem
from fimforensics.evidence import beside
from fimforensics.evidence.verify import Difference, Options, Report, expected, history, originals, records, verify
from fimforensics.evidence.verify.report import OF_THE_FILE, OF_THE_SEAL

Do = Callable[[sqlite3.Connection], mutations.Change | None]


class Known:
    """What was derived before, by all that it was derived from."""

    def __init__(self) -> None:
        self._stack, self._known = contextlib.ExitStack(), dict[Any, expected.Expected]()

    def derive(self, case: Path, key: bytes | None, report: Report, *, recompute: bool, progress: expected.Progress) -> None:
        """As `records.check`, but for what is known."""
        with (expected.scratch(case, key) if not self._known else self._attached(case) as one,
              tempfile.TemporaryDirectory(prefix="fimforensics-") as folder):
            told = history.of(one.db)
            found, hashes = list(history.misnumbered(told)), []
            for taken in told if not found else ():
                if isinstance(taken, history.Taken):
                    stored, source = originals.Found(), Path(folder) / "source"
                    with source.open("wb") as sink:
                        found += originals.extract(one.db, taken.number, sink, stored)
                    hashes.append(originals.hashes_of(source))
                    found += originals.hashed(taken.number, taken.hashes, hashes[-1], stored)
        inputs = tuple(told), tuple(hashes), key
        if expected.hopeless(found):
            with self._attached(case) if self._known else expected.scratch(case, key) as one:
                records.against(one, told, found, report, recompute)
            return
        if inputs not in self._known:
            if len(self._known) > 20:  # all but the untouched one, the first
                for other in list(self._known)[1:]:
                    self._known.pop(other).db.close()
            one = self._stack.enter_context(expected.scratch(case, key))
            wrong = expected.fill(one, told, progress)
            if expected.hopeless(wrong):
                records.against(one, told, wrong, report, recompute)
                return
            one.db.execute("DETACH given")
            self._known[inputs] = one
        with self._attached(case, self._known[inputs]) as one:
            records.against(one, told, found, report, recompute)

    @contextlib.contextmanager
    def _attached(self, case: Path, one: expected.Expected | None = None) -> Iterator[expected.Expected]:
        one = one or next(iter(self._known.values()))
        expected.attach(one.db, case)
        try:
            yield one
        finally:
            try:
                one.db.execute("DETACH given")
            except apsw.Error:  # what failed still holds it: derive anew from here on
                self.close()

    def close(self) -> None:
        """Forgets it all."""
        self._stack.close()
        self._stack, self._known = contextlib.ExitStack(), {}


@dataclass
class Tally:
    """What was found of what was changed."""

    applied: Counter = field(default_factory=Counter)  # by kind
    missed: list[str] = field(default_factory=list)
    by_layer: Counter = field(default_factory=Counter)  # changes that this layer finds
    not_named: list[str] = field(default_factory=list)
    only_sealed: Counter = field(default_factory=Counter)  # found by the seal alone, by table and column
    columns: set = field(default_factory=set)

    def add(self, other: Tally) -> None:
        """Takes another's counts in."""
        for name in ("applied", "by_layer", "only_sealed"):
            getattr(self, name).update(getattr(other, name))
        self.missed += other.missed
        self.not_named += other.not_named
        self.columns |= other.columns

    def judge(self, change: mutations.Change, found: list[Difference], told: str) -> None:
        """One change, and what verify said."""
        self.applied[change.kind.split(":")[0]] += 1
        self.columns.add((change.table, change.column))
        layers = {one.layer for one in found} - OF_THE_FILE
        self.by_layer.update(layers)
        if not layers:
            self.missed.append(told)
        elif not layers - OF_THE_SEAL:
            self.only_sealed[f"{change.table}.{change.column}"] += 1
        if layers and change.table and not any(_right(change, one) for one in found):
            self.not_named.append(f"{told}: {[(one.layer, one.line()) for one in found][:4]}")


def _right(change: mutations.Change, one: Difference) -> bool:
    """Does a difference name what was changed?"""
    return one.table == change.table and one.row in change.rows and change.column in (None, one.column)


def change(case: Path, do: Do) -> mutations.Change | None:
    """Applies a change to a case file; None where it could not be, or changed nothing."""
    db = sqlite3.connect(case, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = OFF")
        return do(db)
    except (sqlite3.Error, OverflowError):
        return None
    finally:
        db.close()


def look(case: Path, known: Known) -> list[Difference]:
    """What verify says of a case; where it falls over it says nothing, which is a miss."""
    try:
        return verify(case, Options(), derive=known.derive).differences
    except Problem as problem:
        return [Difference("schema", problem.line())]
    except Exception:
        traceback.print_exc()
        known.close()
        return []


def later_custody(case: Path, draw: random.Random, log: bytes, known: Known) -> tuple[mutations.Change, list[Difference], str]:
    """One change of the custody file beside a case, judged: a byte, a line changed, taken out, doubled, or in another place."""
    lines, at = log.splitlines(keepends=True), draw.randrange(len(log))
    kind = draw.choice(("a bit", "a byte gone", "cut within a line", "a line gone", "a line doubled", "lines swapped"))
    number = draw.randrange(len(lines) - 1)
    changed = {
        "a bit": log[:at] + bytes([log[at] ^ 1 << draw.randrange(8)]) + log[at + 1:], "a byte gone": log[:at] + log[at + 1:],
        "cut within a line": log[:len(log) - draw.randrange(1, len(lines[-1]))],
        "a line gone": b"".join(lines[:number] + lines[number + 1:]),
        "a line doubled": b"".join([*lines[:number], lines[number], *lines[number:]]),
        "lines swapped": b"".join([*lines[:number], lines[number + 1], lines[number], *lines[number + 2:]])}[kind]
    beside.custody_file(case).write_bytes(changed)
    found = look(case, known)
    beside.custody_file(case).write_bytes(log)
    told = f"later custody, {kind}"
    return mutations.Change(told), [one for one in found if one.layer == "later custody"], told


def mutate(original: Path, folder: Path, number: int, seed: int) -> Tally:
    """`number` changes of copies of a sealed case, each judged."""
    draw, tally, known = random.Random(seed), Tally(), Known()
    log = beside.custody_file(original)
    later = log.read_bytes() if log.exists() else None
    copy = folder / original.name
    shutil.copytree(original.parent, folder, dirs_exist_ok=True)
    assert look(copy, known) == [], "the untouched case is not whole"
    with contextlib.closing(sqlite3.connect(f"{original.as_uri()}?immutable=1", uri=True)) as db:
        cells, others = mutations.cells(db, draw), mutations.others(db, draw)
        while sum(tally.applied.values()) < number:
            copy.unlink()
            for left in ("-journal", "-wal", "-shm"):
                copy.with_name(copy.name + left).unlink(missing_ok=True)
            shutil.copyfile(original, copy)
            if later is not None and draw.random() < 0.1:
                tally.judge(*later_custody(copy, draw, later, known))
                continue
            do = next(others) if draw.random() < 0.2 else next(cells)
            done = change(copy, do)
            if done is not None:
                told = f"{done.kind}, {done.table}.{done.column}, rows {sorted(map(str, done.rows))}"
                tally.judge(done, look(copy, known), told)
    known.close()
    return tally
