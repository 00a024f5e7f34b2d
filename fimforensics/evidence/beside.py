"""The files that lie beside a sealed case, by their names: statement, signatures, time stamps, later custody."""

from __future__ import annotations

from pathlib import Path


def seal_file(case: Path) -> Path:
    """The statement over a sealed case; a case is sealed when it lies there."""
    return case.with_name(case.name + ".seal.json")


def signature_file(case: Path, number: int = 1) -> Path:
    """A signature over the statement; the first has no number in its name."""
    return case.with_name(case.name + (".sig" if number == 1 else f".{number}.sig"))


def signature_files(case: Path) -> list[Path]:
    """The signatures that are there, in order."""
    found, number = [], 1
    while (path := signature_file(case, number)).exists():
        found.append(path)
        number += 1
    return found


def custody_file(case: Path) -> Path:
    """The log of what was done to a sealed case."""
    return case.with_name(case.name + ".custody.jsonl")


def query_file(case: Path) -> Path:
    """The query for a time stamp over the statement."""
    return case.with_name(case.name + ".tsq")


def stamp_file(case: Path) -> Path:
    """The time stamp over the statement."""
    return case.with_name(case.name + ".tsr")


def new(path: Path) -> Path:
    """Where a file is made before it gets its name."""
    return path.with_name(path.name + ".new")
