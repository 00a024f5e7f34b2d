"""One round over all changes of files: what each host does in each minute, and what it lays into many folders at once.

Whether a path, a content or an extension is new is kept in arrays by id (who had it last), not in sets: they cost a few bytes a
path or content, whatever the number of events. A host's minutes are kept until the next host begins.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from statistics import median

import apsw

from fimforensics import sql
from fimforensics.analyses.bursts.group import Group
from fimforensics.analyses.bursts.spread import Spread
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Progress
from fimforensics.paths import extension, file_key, folder, last_segment

STEP = 20_000  # events between two reports of progress
ACTIVE = 10  # active minutes that make a history
MOST_ENDINGS = 200_000  # different extensions of one host that are told apart
LONGEST_ENDING = 16  # letters; what is longer is no extension
DAY = 1_440
_EVENTS = f"""
    SELECT e.host_id, e.time, e.change_id, e.path_id, e.content_id, e.id FROM events e NOT INDEXED
    WHERE e.id < {EVENTS_END} AND e.file_id IS NOT NULL AND e.time >= '1980' AND e.time < '2101'
    ORDER BY e.host_id, {IN_TIME}"""


@dataclass
class Minutes:
    """A host's active minutes, in order: parallel columns; and its groups."""

    id: int
    at: array = field(default_factory=lambda: array("q"))
    events: array = field(default_factory=lambda: array("q"))
    paths: array = field(default_factory=lambda: array("q"))
    folders: array = field(default_factory=lambda: array("q"))
    renames: array = field(default_factory=lambda: array("q"))
    endings: array = field(default_factory=lambda: array("q"))
    contents: array = field(default_factory=lambda: array("q"))
    new_endings: dict[int, set[int]] = field(default_factory=dict)  # minute → hashes of extensions that the host never had
    groups: list[Group] = field(default_factory=list)

    def short(self) -> bool:
        """Has the host no history of its own: few minutes, or hardly a day?"""
        return len(self.at) < ACTIVE or self.at[-1] - self.at[0] < DAY

    def usual(self) -> float:
        """Different paths of its median minute."""
        return float(median(self.paths))


class Places:
    """What the events need of each path, by its id: hashes of its folder, its extension (0 = none) and its name."""

    def __init__(self, db: apsw.Connection) -> None:
        size = (sql.cell(db, "SELECT max(id) FROM paths") or 0) + 1
        self.size = size
        self.folder, self.ending, self.name = (array("q", bytes(8 * size)) for _ in range(3))
        for number, path in db.execute("SELECT id, path FROM paths"):
            key = file_key(path)
            self.folder[number], self.ending[number] = hash(folder(key)), ending_hash(key)
            self.name[number] = hash(last_segment(key))


def ending_hash(key: str) -> int:
    """A number for the extension of a path, 0 where it has none."""
    ending = extension(key)
    return hash(ending) if 0 < len(ending) <= LONGEST_ENDING else 0


@lru_cache(maxsize=1 << 12)
def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() * DAY


def minute(time: str) -> int:
    """The number of a time's minute."""
    return _day(time[:10]) + int(time[11:13]) * 60 + int(time[14:16])


def minute_text(number: int) -> str:
    """The first instant of a minute, as events have it."""
    return f"{date.fromordinal(number // DAY)}T{number % DAY // 60:02}:{number % 60:02}:00.0000000Z"


def hosts(db: apsw.Connection, progress: Progress) -> Iterator[Minutes]:
    """The minutes of one host after the other."""
    changes = dict(sql.rows(db, "SELECT id, change FROM changes"))
    renamed = {number for number, change in changes.items() if change == "Renamed"}
    deleted = {number for number, change in changes.items() if change == "Deleted"}
    total = max(sql.cell(db, "SELECT events_end FROM case_info"), 1)
    counter = _Counter(Places(db), (sql.cell(db, "SELECT max(id) FROM contents") or 0) + 1, _empty(db))
    host, clock, number = None, "", 0
    for done, event in enumerate(db.cursor().execute(_EVENTS), 1):
        if event[0] != host:
            if host is not None:
                yield counter.end()
            host, clock = event[0], ""
            counter.begin(host)
        if event[1][:16] != clock:
            clock = event[1][:16]
            number = minute(event[1])
            counter.turn(number)
        counter.count(event[3], event[4], event[5], event[2] in renamed, event[2] in deleted)
        if not done % STEP:
            progress("bursts", min(done, total), total)
    if host is not None:
        yield counter.end()


def _empty(db: apsw.Connection) -> frozenset[int]:
    """The contents that are nothing: an empty file is like any other, and links nothing."""
    return frozenset(number for (number,) in sql.rows(
        db, "SELECT id FROM contents WHERE size = 0 OR sha256 = ? OR sha1 = ? OR md5 = ?",
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
         "d41d8cd98f00b204e9800998ecf8427e")))


class _Counter:
    """Counts the events of one host after the other: `begin`, then `turn` (a new minute) and `count`, then `end`."""

    def __init__(self, places: Places, contents: int, empty: frozenset[int]) -> None:
        self._places, self._empty = places, empty
        self._path_minute, self._path_host = array("q", bytes(8 * places.size)), array("q", bytes(8 * places.size))
        self._content_host, self._spread = array("q", bytes(8 * contents)), Spread(contents)
        self._serial = self._turns = 0

    def begin(self, host: int) -> None:
        """The next host."""
        self._host = Minutes(host)
        self._endings: set[int] = set()
        self._serial += 1
        self._now, self._events = 0, 0
        self._spread.begin()

    def turn(self, number: int) -> None:
        """The next minute in which the host does anything."""
        self._flush()
        self._now = number
        self._turns += 1
        self._events = self._paths = self._renames = self._contents = 0
        self._folders: set[int] = set()
        self._new: set[int] = set()

    def count(self, path: int, content: int | None, event: int, renamed: bool, deleted: bool) -> None:
        """One event of the minute."""
        self._events += 1
        places = self._places
        if self._path_minute[path] != self._turns:
            self._path_minute[path] = self._turns
            self._paths += 1
            self._folders.add(places.folder[path])
            ending = places.ending[path]
            if ending and ending not in self._endings and len(self._endings) < MOST_ENDINGS:
                self._endings.add(ending)
                self._new.add(ending)
        new_path = self._path_host[path] != self._serial
        if new_path:
            self._path_host[path] = self._serial
        if renamed:
            self._renames += 1
        if deleted:
            return
        if content is None:
            if new_path and not renamed:
                self._spread.name(places.name[path], path, places.folder[path], self._now, event)
            return
        if self._content_host[content] != self._serial:
            self._content_host[content] = self._serial
            self._contents += 1
        if content not in self._empty:
            self._spread.content(content, path, places.folder[path], self._now, event)

    def _flush(self) -> None:
        if not self._events:
            return
        host = self._host
        for column, value in ((host.at, self._now), (host.events, self._events), (host.paths, self._paths),
                              (host.folders, len(self._folders)), (host.renames, self._renames),
                              (host.endings, len(self._new)), (host.contents, self._contents)):
            column.append(value)
        if self._new:
            host.new_endings[self._now] = self._new

    def end(self) -> Minutes:
        """The host, whole."""
        self._flush()
        self._events = 0
        self._host.groups = self._spread.end()
        return self._host
