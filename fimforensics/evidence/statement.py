"""The statement over a sealed case: what it holds, down to a digest of every table, in one page of canonical JSON (RFC 8785).

Who holds the statement and trusts its signature needs no other word of ours: file hash, tree, digests, and a short hash of each
cell that nothing could derive again (`TOLD`: who took what when, the custody log), so that a change is found and named. All
digests are salted by the case, so a statement gives away nothing of what is in it. docs/case-format.md, Statement.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import file_digest
from itertools import accumulate
from pathlib import Path
from platform import node as machine
from typing import Any

import apsw
import rfc8785

from fimforensics.errors import Problem
from fimforensics.evidence import custody, digests, tree

KIND, VERSION = "fimforensics seal", 1
# Tables that nothing can derive: a statement tells each of their cells.
TOLD = ("case_info", "snapshots", "custody_log", "analyses", "digest_salt", "redactions", "part", "pulls", "slices")
TOLD_IN_PARTS = ("members", "preambles", "rejects", "leaves", "occurrences", "part_proof", "part_records", "part_snapshots",
                 "events", "hosts", "machine_reports", "changes", "accounts", "paths", "files", "contents", "images", "processes",
                 "process_reports", "requests", "registry_values", "registry_reports", "originals", "member_cache")
_MANY = 10_000  # rows of a table of a part beyond which its cells are not told
_LARGEST = 256 << 20
_LEAVES = "SELECT hashes FROM leaves ORDER BY first_seq"
_OWNERS = ("SELECT seq, snapshot_id FROM occurrences UNION ALL SELECT seq, snapshot_id FROM rejects ORDER BY 1")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Sealed:
    """Who sealed, when and why; `signer` is the fingerprint of the key, None where the seal is not signed."""

    time: str
    local_offset: str
    actor: str
    machine: str
    tool: str
    note: str | None
    signer: str | None


def now(note: str | None, signer: str | None) -> Sealed:
    """A seal made here and now."""
    return Sealed(custody.now(), datetime.now().astimezone().strftime("%z"), custody.actor(), machine(), custody.tool(), note,
                  signer)


def file_facts(case: Path) -> dict[str, object]:
    """Name, size and SHA-256 of a file."""
    with case.open("rb") as stream:
        found = file_digest(stream, "sha256").hexdigest()
        return {"name": case.name, "size": stream.tell(), "sha256": found}


def make(connection: sqlite3.Connection, quick: apsw.Connection, file: dict[str, object], sealed: Sealed,
         parent: dict | None = None, progress: Progress = lambda _: None) -> dict[str, Any]:
    """The statement over the case behind both connections; `file` has the name, size and sha256 of its file."""
    names = ("case_id", "case_number", "examiner", "format", "tool")
    about = connection.execute(f"SELECT {', '.join(names)} FROM case_info").fetchone()
    entries, head = connection.execute("SELECT count(*), (SELECT hash FROM custody_log ORDER BY id DESC LIMIT 1) "
                                       "FROM custody_log").fetchone()
    leaves = all_leaves(connection)
    tables = digests.table_digests(connection, progress, quick)
    return {
        "statement": KIND, "version": VERSION,
        "case": dict(zip(names, about, strict=True)),
        "file": file, "sealed": asdict(sealed),
        "tree": {"leaves": len(leaves), "root": tree.root(leaves).hex()},
        "snapshots": snapshot_trees(connection, leaves),
        "digests": {"schema": digests.schema_digest(connection),
                    "tables": {name: {"rows": one.rows, "sha256": one.sha256} for name, one in tables.items()}},
        "cells": {table: digests.cell_digests(connection, table) for table in _told(connection)},
        "custody": {"entries": entries, "head": head}, "parent": parent}


def _told(connection: sqlite3.Connection) -> list[str]:
    """The tables of which each cell is told; in a part, whose altered records only the whole proves, those of records too."""
    found = list(TOLD)
    if connection.execute("SELECT 1 FROM part").fetchone():
        found += [table for table in TOLD_IN_PARTS
                  if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] <= _MANY]
    return found


def all_leaves(connection: sqlite3.Connection) -> tree.Joined:
    """The leaves of the case, in order; Problem where a block of them is cut."""
    blocks = [data for (data,) in connection.execute(_LEAVES)]
    if cut := next((number for number, data in enumerate(blocks, 1) if len(data) % 32), None):
        raise Problem(f"block {cut} of the leaves is cut: a leaf has 32 bytes", hint="Use another copy of the case")
    return tree.Joined(b"".join(blocks))


def snapshot_trees(connection: sqlite3.Connection, leaves: tree.Joined) -> list[dict[str, Any]]:
    """For each finished snapshot its source and the root over the leaves of its own records, in order of seq."""
    grown: dict[int, tree.Growing] = {}
    blocks = connection.execute("SELECT first_seq, length(hashes) / 32 FROM leaves ORDER BY first_seq").fetchall()
    firsts, begins = [first for first, _ in blocks], list(accumulate((size for _, size in blocks), initial=0))
    for seq, number in connection.execute(_OWNERS):
        block = bisect_right(firsts, seq) - 1  # in a part there are gaps between blocks
        if block >= 0 and seq - firsts[block] < blocks[block][1]:
            grown.setdefault(number, tree.Growing()).add(leaves[begins[block] + seq - firsts[block]])
    found = []
    for number, source, size, sha256 in connection.execute(
            "SELECT id, source, size, sha256 FROM snapshots WHERE state = 'finished' ORDER BY id"):
        own = grown.get(number, tree.Growing())
        found.append({"id": number, "source": source, "size": size, "sha256": sha256, "leaves": own.size,
                      "root": own.root().hex()})
    return found


def canonical(statement: dict[str, Any]) -> bytes:
    """The bytes that are signed, hashed and written."""
    return rfc8785.dumps(statement)


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    """A statement from its file, and its bytes; Problem for what is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise Problem(f"the statement cannot be read ({error.strerror})", where=str(path)) from None
    found = _parsed(data)
    if found is None:
        raise Problem("it is no statement of a seal, or was changed", where=str(path))
    if found.get("statement") != KIND:
        raise Problem("it is no statement of a seal", where=str(path))
    if found.get("version") != VERSION:
        raise Problem(f"it is a statement of version {str(found.get('version'))[:20]}, this program reads {VERSION}",
                      where=str(path), hint="Use a later fimforensics")
    _check_shape(found, path)
    return found, data


@lru_cache(maxsize=2)
def _parsed(data: bytes) -> dict[str, Any] | None:
    """The object in canonical JSON, None for anything else."""
    try:
        found = json.loads(data) if len(data) <= _LARGEST else None
        return found if isinstance(found, dict) and canonical(found) == data else None
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        return None


def _check_shape(found: dict[str, Any], path: Path) -> None:
    """Problem unless all is there that a reader of statements counts on, each of its kind."""
    try:
        right = (all(isinstance(found[name], dict) for name in ("case", "file", "sealed", "tree", "digests", "custody", "cells"))
                 and isinstance(found["snapshots"], list) and isinstance(found["parent"], dict | None)
                 and isinstance(found["tree"]["leaves"], int) and len(bytes.fromhex(found["tree"]["root"])) == 32
                 and isinstance(found["file"]["sha256"], str) and isinstance(found["file"]["size"], int)
                 and isinstance(found["digests"]["schema"], str)
                 and all(isinstance(one["rows"], int) and isinstance(one["sha256"], str)
                         for one in found["digests"]["tables"].values())
                 and all(isinstance(one["columns"], list) and all(isinstance(row[0], int) for row in one["rows"])
                         for one in found["cells"].values())
                 and all(isinstance(one["id"], int) and isinstance(one["root"], str) for one in found["snapshots"])
                 and all(isinstance(found["sealed"][name], str) for name in ("time", "actor", "machine", "tool"))
                 and isinstance(found["sealed"]["signer"], str | None))
    except (KeyError, TypeError, ValueError, AttributeError):
        right = False
    if not right:
        raise Problem("the statement lacks what every seal states", where=str(path))
