"""Every write that fails, and power that goes: whatever happens, the same commands again give the case that nobody disturbed.

A case of 150 records is made in three commands: a first ingest, a second into it, and a seal. First every single operation on the
disk (write, sync, truncation, deletion, renaming) fails once; then the power goes at random ones, with what was not synced
dropped or torn (`disks.py`). After each, the case must be absent, resumable or whole, a failed command must say so in one
line, and the same commands must end in the same root. With `synchronous = OFF` the power cuts must be found out: else this would
prove nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import apsw

from benchmarks.disks import Disk, Failing, Power, on
from benchmarks.generate import write
from fimforensics import case as cases
from fimforensics import ingest as ingesting
from fimforensics import seal as sealing
from fimforensics.errors import Problem
from fimforensics.evidence import beside, statement
from fimforensics.queries.digest import digests

KEY = bytes(range(32))
SOURCES = ("first.jsonl", "second.jsonl")


class Careless(apsw.Connection):
    """A connection that never waits for the disk."""

    def execute(self, statements: str, *more: object, **named: object) -> apsw.Cursor:  # type: ignore[override]
        return super().execute(statements.replace("synchronous = FULL", "synchronous = OFF"), *more, **named)  # type: ignore[arg-type]


def commands(folder: Path, seal: bool = True) -> None:
    """What makes the case, from wherever it stands; Problem where one of them fails."""
    case = folder / "c.db"
    if not beside.seal_file(case).exists():
        for name in SOURCES:
            for taken in ingesting.ingest(case, [folder / name], ingesting.Options(case_key=KEY)):
                if taken.refused:
                    raise Problem(taken.refused)
        if seal:
            sealing.seal(case, None)


def state(folder: Path) -> tuple[dict[str, str], str]:
    """The case's digests, and the root that its seal states."""
    with cases.reading(folder / "c.db") as connection:
        found = digests(connection)
    return found, str(statement.read(beside.seal_file(folder / "c.db"))[0]["tree"]["root"])


def prepared(folder: Path, records: int) -> None:
    """The two sources."""
    for seed, name in enumerate(SOURCES, 1):
        write(folder / name, records, seed)


def fresh(sources: Path, folder: Path) -> None:
    """An empty folder with the sources."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in SOURCES:
        shutil.copyfile(sources / name, folder / name)


def again(folder: Path, expected: tuple[dict[str, str], str]) -> str | None:
    """The commands once more, undisturbed; what is wrong then, None where all is as it should be."""
    try:
        commands(folder)
        found = state(folder)
        sealed = sorted(path.name for path in folder.iterdir() if path.name.startswith("c.db"))
    except Problem as problem:
        return problem.line()
    except Exception as error:  # a case that is broken may break anything
        return f"{type(error).__name__}: {error}"
    if found != expected:
        return f"{found} instead of {expected}"
    return None if sealed == ["c.db", "c.db.key", "c.db.seal.json"] else f"what lies there: {sealed}"


def one_failure(sources: Path, folder: Path, at: int, expected: tuple[dict[str, str], str]) -> str | None:
    """The `at`-th operation fails: what is wrong after it, or None."""
    fresh(sources, folder)
    try:
        with on(Failing(at), folder):
            commands(folder)
    except (Problem, OSError) as problem:  # what the command line tells in one line
        if isinstance(problem, Problem) and "\n" in problem.line():
            return "told in several lines"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return again(folder, expected)


def one_cut(sources: Path, folder: Path, at: int, seed: int, expected: tuple[dict[str, str], str], careless: bool) -> str | None:
    """The power goes at the `at`-th operation of a child of this process: what is wrong after it, or None."""
    fresh(sources, folder)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(Problem, OSError, apsw.Error):
            if careless:
                apsw.Connection = Careless  # type: ignore[misc]
            with on(Power(at, random.Random(seed), folder), folder):
                commands(folder)
        os._exit(0)
    os.waitpid(child, 0)
    return again(folder, expected)


def undisturbed(sources: Path, folder: Path) -> tuple[tuple[dict[str, str], str], int]:
    """What a case must be, and how many operations that takes."""
    fresh(sources, folder)
    disk = Disk()
    with on(disk, folder):
        commands(folder)
    return state(folder), disk.operations


def careless_span(sources: Path, folder: Path) -> tuple[int, int]:
    """Between which operations of a careless run only SQLite's syncs would protect the second ingest: its later half."""
    fresh(sources, folder)
    disk, real = Disk(), apsw.Connection
    apsw.Connection = Careless  # type: ignore[misc]
    try:
        with on(disk, folder):
            ingesting.ingest(folder / "c.db", [folder / SOURCES[0]], ingesting.Options(case_key=KEY))
            first = disk.operations
            ingesting.ingest(folder / "c.db", [folder / SOURCES[1]], ingesting.Options(case_key=KEY))
    finally:
        apsw.Connection = real  # type: ignore[misc]
    return (first + disk.operations) // 2, disk.operations


def run(records: int, failures: Sequence[int] | None, cuts: int, seed: int, every: int = 1) -> tuple[Counter, list[str]]:
    """Every n-th failure (or these), and so many cuts, careful and careless; counts and what went wrong."""
    counts, wrong, chance = Counter[str](), [], random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="fimforensics-crash-") as name:
        sources, folder = Path(name) / "sources", Path(name) / "case"
        sources.mkdir()
        prepared(sources, records)
        between = careless_span(sources, folder)
        expected, operations = undisturbed(sources, folder)
        counts["operations"] = operations
        for at in range(1, operations + 1, every) if failures is None else [1 + part % operations for part in failures]:
            told = one_failure(sources, folder, at, expected)
            counts["failures"] += 1
            wrong += [f"operation {at} fails: {told}"] if told else []
        for number in range(cuts):
            at = chance.randint(1, operations)
            told = one_cut(sources, folder, at, seed + number, expected, careless=False)
            counts["cuts"] += 1
            wrong += [f"power goes at {at} (seed {seed + number}): {told}"] if told else []
            told = one_cut(sources, folder, chance.randint(*between), seed + number, expected, careless=True)
            counts["careless cuts"] += 1
            counts["careless cuts found out"] += told is not None
    return counts, wrong


def main() -> None:
    """Prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=75, help="of each of the two sources")
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--every", type=int, default=1, help="fail only every n-th operation")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    began = time.monotonic()
    counts, wrong = run(arguments.records, None, arguments.cuts, arguments.seed, arguments.every)
    for what, times in counts.items():
        print(f"{what:28}{times:6}")
    print(f"{len(wrong)} wrong, in {time.monotonic() - began:,.0f} s")
    for line in wrong[:50]:
        print(line)
    found = counts["careless cuts found out"] / max(counts["careless cuts"], 1)
    sys.exit(1 if wrong or (arguments.cuts and found < 0.9) else 0)


if __name__ == "__main__":
    main()
