"""Are two contents the same? Yes, if any algorithm that both have agrees and none differs; unknown, if none is in common."""

from __future__ import annotations

import apsw

from fimforensics import sql

KEPT = 1 << 16  # contents whose hashes are remembered; with few repetitions more would not help


class Contents:
    """Compares contents by their ids; their hashes are read where ids differ."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._hashes: dict[int, tuple] = {}

    def same(self, one: int, other: int) -> bool | None:
        """None: no algorithm in common."""
        if one == other:
            return True
        found = None
        for left, right in zip(self._of(one), self._of(other), strict=True):
            if left is not None and right is not None:
                if left != right:
                    return False
                found = True
        return found

    def _of(self, content: int) -> tuple:
        hashes = self._hashes.get(content)
        if hashes is None:
            if len(self._hashes) >= KEPT:
                self._hashes.clear()
            found = sql.rows(self._db, "SELECT sha256, sha1, md5 FROM contents WHERE id = ?", (content,))
            hashes = self._hashes[content] = found[0]
        return hashes
