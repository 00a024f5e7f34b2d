"""Custody after the seal: what happened to a case whose file is never written again, in a log of its own beside it.

`CASE.custody.jsonl` has one JSON object a line, with the cells of the custody log and their hash; the first line is chained to
the SHA-256 of `CASE.seal.json`, each other to the line before. An edit, a line taken out and a log of another seal are found and
named by line. That lines were cut off at the end, only who noted the last hash can tell: so it is always shown.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from fimforensics.errors import Problem
from fimforensics.evidence import beside, custody

MAX_LINE, MAX_LINES = 1 << 20, 100_000


def anchor(case: Path) -> str:
    """What the first line is chained to: the SHA-256 of the statement; Problem where the case is not sealed."""
    try:
        return sha256(beside.seal_file(case).read_bytes()).hexdigest()
    except OSError as error:
        raise Problem(f"its seal cannot be read ({error.strerror})", where=str(beside.seal_file(case))) from None


def entries(case: Path) -> list[dict[str, Any]]:
    """The entries in order, none where there is no log; Problem that names the line where the chain is not whole."""
    found, previous = [], anchor(case)
    for number, line in enumerate(_lines(beside.custody_file(case)), 1):
        told = _entry(line)
        where = f"{beside.custody_file(case)}, line {number}"
        if told is None:
            raise Problem("it is no entry of a custody log, or was cut short", where=where)
        cells = [told[name] for name in custody.CELLS]
        if told["previous"] != previous:
            raise Problem("it belongs to another seal" if number == 1 else "it does not follow from the line before: one was "
                          "changed, taken out or put in", where=where)
        if custody.entry_hash(cells) != told["hash"]:
            raise Problem("it was changed: its hash is another", where=where)
        previous = told["hash"]
        found.append(told)
    return found


def check(case: Path) -> list[str]:
    """What is wrong with the log, at most one line: the first place where its chain breaks."""
    try:
        entries(case)
    except Problem as problem:
        return [problem.line()]
    return []


def add(case: Path, action: str, arguments: dict[str, object], result: str, *, purpose: str | None = None,
        subject: str | None = None) -> dict[str, Any]:
    """Adds an entry to the log, which must be whole; the entry. The log is written anew and takes its name when it is on disk."""
    before = entries(case)
    cells = custody.cells(action, arguments, result, purpose, subject, before[-1]["hash"] if before else anchor(case))
    entry = dict(zip(custody.CELLS, cells, strict=True)) | {"hash": custody.entry_hash(cells)}
    path = beside.custody_file(case)
    made = beside.new(path)
    try:
        with made.open("wb") as stream:
            stream.write(path.read_bytes() if before else b"")
            stream.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(made, path)
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path),
                      hint="See that its folder can be written and has room") from None
    return entry


def _lines(path: Path) -> list[bytes]:
    """The lines of the log without their ends; a last one that was cut short is given, too."""
    try:
        with path.open("rb") as stream:
            lines = [line for _, line in zip(range(MAX_LINES), iter(lambda: stream.readline(MAX_LINE), b""), strict=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=str(path)) from None
    return [line[:-1] if line.endswith(b"\n") else b"" for line in lines]


def _entry(line: bytes) -> dict[str, Any] | None:
    """A line's entry, None where it is none: exactly the cells of a log and their hash, each text or null."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or list(told) != [*custody.CELLS, "hash"]:
        return None
    empty = ("purpose", "object")
    right = all(isinstance(value, str) or (value is None and name in empty) for name, value in told.items())
    again = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return told if right and again == line else None
