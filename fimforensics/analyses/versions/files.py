"""The chains of the files of one host.

A chain follows a file, not a place: a rename carries it on under the new path, and what was there before is over for good. At
the old path a new chain begins with the file's absence. Delete and create are one chain with a gap, for nobody can tell whether
the new file means to be the old one.
"""

from __future__ import annotations

import apsw

from fimforensics import sql
from fimforensics.analyses.versions.contents import Contents
from fimforensics.analyses.versions.places import Places
from fimforensics.analyses.versions.row import ABSENT, PRESENT, Row, What, Writer
from fimforensics.paths import file_key


class Files:
    """What each path of the host holds at the moment; `tell` it events in order, then `end`."""

    def __init__(self, db: apsw.Connection, host: int, writer: Writer, contents: Contents) -> None:
        self._db, self._host, self._writer, self._contents = db, host, writer, contents
        self._open = Places(db)
        self._renamed: bytes | None = None  # match key of the event before, where that was a rename

    def tell(self, what: What, event: tuple) -> None:
        """event = (host, id, time, change, file, process, account, content, size, match key, original path)."""
        if what == What.RENAMED:
            self._rename(event)
            return
        self._renamed = None
        if what == What.DELETED:
            self._delete(event)
        else:
            self._be(what, event)

    def end(self) -> None:
        """What is still so at the end."""
        for row in self._open.rows():
            self._close(row, None, None)

    def _be(self, what: What, event: tuple) -> None:
        """The file is there, with a content that may be another."""
        place, content, size = event[4], event[7], event[8]
        row = self._open.get(place)
        if row is None:
            self._begin(event, self._writer.chain(), content, size, None, None, "absent" if what == What.CREATED else "unknown")
        elif row.state == ABSENT:
            self._close(row, event[2], event[1])
            self._begin(event, row.chain, content, size, row.previous, self._differs(row, content, size), None)
        elif self._stays(row, what, content, size):
            row.touched(event)
        else:
            number = self._close(row, event[2], event[1])
            self._begin(event, row.chain, content, size, number, self._differs(row, content, size), None)

    def _stays(self, row: Row, what: What, content: int | None, size: int | None) -> bool:
        """Does the event tell of the content that the row has?"""
        if content is not None:
            return row.what is not None and self._contents.same(row.what, content) is True
        if what == What.OTHER:  # no change is told: what was there is still there, unless its size says otherwise
            return row.detail is None or size is None or row.detail == size
        return row.what is None and row.detail == size  # of a run of unknown contents only sizes tell apart

    def _delete(self, event: tuple) -> None:
        place = event[4]
        row = self._open.get(place)
        if row is None:
            self._absent(event, place, self._writer.chain(), "deleted", None, "unknown")
        elif row.state == ABSENT:
            row.touched(event)
        else:
            self._absent(event, place, row.chain, "deleted", (self._close(row, event[2], event[1]), row), None)

    def _rename(self, event: tuple) -> None:
        place, content, size, repeats = event[4], event[7], event[8], event[9] == self._renamed
        self._renamed = event[9]
        old = self._place(event[10])
        if old == place:  # only the letters' case changed
            self._be(What.OTHER, event)
            return
        if repeats:
            for repeated in (place, old):
                row = self._open.get(repeated)
                if row is not None:
                    row.touched(event)
            return
        if (over := self._open.get(place)) is not None:
            self._close(over, event[2], event[1])
        moved = self._open.get(old)
        if moved is None:
            self._begin(event, self._writer.chain(), content, size, None, None, "unknown")
        else:
            self._carry(moved, event, content, size)
        if old is not None:
            self._absent(event, old, self._writer.chain(), "moved away", None, "unknown" if moved is None else None)

    def _carry(self, moved: Row, event: tuple, content: int | None, size: int | None) -> None:
        """The chain of `moved` goes on at the event's file, with the content it had unless the event tells another."""
        number = self._close(moved, event[2], event[1])
        if moved.state == ABSENT:  # it had come back unseen
            self._begin(event, moved.chain, content, size, moved.previous, self._differs(moved, content, size), None)
            return
        differs = "no" if self._stays(moved, What.OTHER, content, size) else self._differs(moved, content, size)
        if content is None and differs == "no":
            content, size = moved.what, moved.detail if size is None else size
        self._begin(event, moved.chain, content, size, number, differs, None)

    def _place(self, path: str | None) -> int | None:
        if path is None:
            return None
        found = sql.first(self._db, "SELECT id FROM files WHERE host_id = ? AND key = ?", (self._host, file_key(path)))
        return None if found is None else found[0]

    def _differs(self, row: Row, content: int | None, size: int | None) -> str | None:
        """Is this another content than the row's (an absent row's: than the one before it)? None where there was none."""
        if row.state == ABSENT and row.previous is None:
            return None
        if content is not None and row.what is not None:
            same = self._contents.same(row.what, content)
            if same is not None:
                return "no" if same else "yes"
        return "yes" if size is not None and row.detail is not None and size != row.detail else "unknown"

    def _begin(self, event: tuple, chain: int, content: int | None, size: int | None, previous: int | None, differs: str | None,
               before: str | None) -> None:
        basis = "hash" if content is not None else "size" if size is not None else "event only"
        self._open.put(Row(chain, event[4], PRESENT, basis, content, size, event, previous, differs, before))

    def _absent(self, event: tuple, place: int, chain: int, basis: str, was: tuple[int, Row] | None, before: str | None) -> None:
        number, row = was or (None, None)
        what, size = (row.what, row.detail) if row else (None, None)
        self._open.put(Row(chain, place, ABSENT, basis, what, size, event, number, None, before))

    def _close(self, row: Row, until: str | None, by: int | None) -> int:
        there = row.state == PRESENT
        return self._writer.write(row.chain, row.place, row.state, row.basis, row.what if there else None,
                                  row.detail if there else None, row.since, until, row.begun, row.last, by, row.process,
                                  row.account, row.previous, row.differs, row.before, row.events)
