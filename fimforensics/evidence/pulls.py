"""What a live pull proved of the snapshot that it became: figures of the window, and each answer with its query and count.

Written in the transaction that finishes the snapshot, read by commands and by whoever checks: the answer `number` of a snapshot
is the bytes `offset` … `offset + length` of its original.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any

MADE_GOOD = "made good by snapshot "  # in `truncated`, after the reason


@dataclass(frozen=True)
class PulledSlice:
    """One answer of the service."""

    offset: int
    length: int
    sha256: str
    query: str
    rows: int
    expected: int
    requests: int
    cuts: int
    faults: str
    reason: str | None


@dataclass(frozen=True)
class Pulled:
    """A pull of one window, or of the part of it that is one snapshot; JSON texts where a cell holds several things."""

    ledger: str
    window: int
    scope: str
    cloud: str
    endpoint: str
    ingested_from: str | None
    ingested_before: str
    since: str | None
    until: str | None
    filters: str
    expected: int
    rows: int
    complete: bool
    reason: str | None
    recounted: str | None
    requests: int
    faults: str
    started: str
    finished: str
    slices: tuple[PulledSlice, ...] = ()


_PULL = tuple(field.name for field in fields(Pulled) if field.name != "slices")
_SLICE = tuple(field.name for field in fields(PulledSlice))


def write(db: Any, snapshot: int, pulled: Pulled) -> None:
    """The pull's rows into the case."""
    db.execute(f"INSERT INTO pulls (snapshot_id, {', '.join(_PULL)}) VALUES ({', '.join('?' * (len(_PULL) + 1))})",
               (snapshot, *(int(cell) if isinstance(cell := getattr(pulled, name), bool) else cell for name in _PULL)))
    db.cursor().executemany(
        f"INSERT INTO slices (snapshot_id, number, {', '.join(_SLICE)}) VALUES ({', '.join('?' * (len(_SLICE) + 2))})",
        ((snapshot, number, *(getattr(one, name) for name in _SLICE)) for number, one in enumerate(pulled.slices, 1)))


def read(connection: Any, snapshot: int, database: str = "main") -> Pulled | None:
    """The pull that a snapshot came from; None for one that came from a file, and in cases of formats without pulls."""
    if not connection.execute(f"SELECT 1 FROM {database}.sqlite_schema WHERE name = 'pulls'").fetchone():
        return None
    row = connection.execute(f"SELECT {', '.join(_PULL)} FROM {database}.pulls WHERE snapshot_id = ?", (snapshot,)).fetchone()
    if row is None:
        return None
    slices = connection.execute(f"SELECT {', '.join(_SLICE)} FROM {database}.slices WHERE snapshot_id = ? ORDER BY number",
                                (snapshot,))
    found = dict(zip(_PULL, row, strict=True))
    return Pulled(**found | {"complete": bool(found["complete"])}, slices=tuple(PulledSlice(*one) for one in slices))


def of_ledger(db: Any, pulled: Pulled) -> tuple[int | None, list[tuple[int, str]]]:
    """The set of a ledger's snapshots in the case (None: it has none), and the snapshots of this window with their SHA-256."""
    held = db.execute("SELECT s.set_id, s.id, s.sha256, p.window FROM pulls p JOIN snapshots s ON s.id = p.snapshot_id "
                      "WHERE p.ledger = ? AND s.state = 'finished' ORDER BY s.id", (pulled.ledger,)).fetchall()
    return (held[0][0] if held else None), [(row[1], row[2]) for row in held if row[3] == pulled.window]


def any_of(connection: Any, scope: str, filters: str) -> bool:
    """Whether the case holds a pull of this scope with these filters."""
    return bool(connection.execute("SELECT 1 FROM pulls WHERE scope = ? AND filters = ? LIMIT 1", (scope, filters)).fetchone())


def judge(db: Any) -> None:
    """Says of pulls that were incomplete for want of rows which complete one counted them again and took what there was."""
    later = db.execute("SELECT p.snapshot_id, p.ledger, p.recounted FROM pulls p JOIN snapshots s ON s.id = p.snapshot_id WHERE "
                       "s.state = 'finished' AND p.complete AND p.recounted LIKE '%\"incomplete\"%' ORDER BY 1").fetchall()
    for snapshot, ledger, recounted in later:
        for window in _incomplete(recounted):
            db.execute("UPDATE snapshots SET truncated = truncated || ? WHERE id IN (SELECT snapshot_id FROM pulls WHERE "
                       "ledger = ? AND window = ? AND NOT complete) AND truncated NOT LIKE ?",
                       (f"; {MADE_GOOD}{snapshot}", ledger, window, f"%{MADE_GOOD}%"))


def _incomplete(recounted: object) -> list[int]:
    """The windows that a recount counted slice by slice because they had been incomplete; of a hostile case, none."""
    try:
        found = json.loads(str(recounted))["incomplete"]
        return [window for window in found if type(window) is int and abs(window) < 1 << 63]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def told(pulled: Pulled) -> dict[str, object]:
    """What the custody log says of a pull; `proof` is the SHA-256 over all cells of it and of its slices, as JSON."""
    cells = json.dumps(asdict(pulled), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return {"scope": pulled.scope, "window": pulled.window, "ingested_before": pulled.ingested_before,
            "expected": pulled.expected, "rows": pulled.rows, "complete": pulled.complete, "filters": pulled.filters,
            "proof": sha256(cells).hexdigest()}
