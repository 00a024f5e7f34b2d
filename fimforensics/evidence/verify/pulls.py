"""A live pull's side of a verification: each answer must lie in the original where its slice says, and hold what it says.

Queries and counts are the word of who collected; nothing can derive them again. The custody log has their hash.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import sql
from fimforensics.evidence import pulls
from fimforensics.evidence.pulls import Pulled


def again(db: apsw.Connection, snapshot: int, path: Path) -> Pulled | None:
    """The pull of a snapshot in `given`, its slices placed and hashed again from the original at `path`."""
    found = pulls.read(db, snapshot, "given")
    if found is None:
        return None
    slices, at, left = [], 0, path.stat().st_size
    with path.open("rb") as stream:
        for one in found.slices:
            stream.seek(at)
            length = min(max(one.length if type(one.length) is int else 0, 0), left - at)
            hashed = sha256()
            for begin in range(0, length, 1 << 20):
                hashed.update(stream.read(min(1 << 20, length - begin)))
            slices.append(replace(one, offset=at, length=length, sha256=hashed.hexdigest()))
            at = min(at + length + 1, left)
    return replace(found, slices=tuple(slices))


def count(db: apsw.Connection, snapshot: int) -> None:
    """Counts in the scratch how many records lie in each slice of a snapshot."""
    begins = [offset for (offset,) in sql.rows(
        db, "SELECT offset FROM main.slices WHERE snapshot_id = ? ORDER BY number", (snapshot,))]
    if not begins:
        return
    records = db.execute("SELECT offset FROM main.occurrences WHERE snapshot_id = ?1 UNION ALL "
                         "SELECT offset FROM main.rejects WHERE snapshot_id = ?1", (snapshot,))
    rows = Counter(bisect_right(begins, offset) for (offset,) in records)
    db.cursor().executemany("UPDATE main.slices SET rows = ? WHERE snapshot_id = ? AND number = ?",
                            ((rows[number], snapshot, number) for number in range(1, len(begins) + 1)))
