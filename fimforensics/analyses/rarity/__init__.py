"""How many hosts know that this program writes in this folder, this account uses this program, such files lie in this folder.

One round over the events counts pairs and hosts in a bounded dict that is emptied into a temporary table when it is full; SQLite
sorts what was emptied, and it is added up. Texts are numbered in a temporary table, too, behind a bounded dict. A second round
gathers the events of rare actors in folders of the system. Names of folders that are chance are folded (`places.folded`).
"""

from __future__ import annotations

import gc
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import apsw

from fimforensics import arrivals, places, sql
from fimforensics.analyses.contract import EVENTS_END, Analysis, Finding, Progress
from fimforensics.analyses.rarity import actors
from fimforensics.queries.rarity import KINDS, Fleet, counted_fleet

HELD = 150_000  # pairs on hosts that are held in memory
CACHED = 1 << 16  # texts whose numbers are
FLEET = 5  # fewer hosts make nothing rare
BEGINNING = 0.2  # of the case's span: what is first seen there was there before
EVERY = 100_000

_ROUND = f"""FROM events e NOT INDEXED WHERE e.id < {EVENTS_END} AND e.time >= '1980' AND e.time < '2101'
    AND (e.process_id IS NOT NULL OR e.file_id IS NOT NULL)"""
_WHO = "e.host_id, e.process_id, e.account_id, e.file_id, e.registry_value_id"
_TEMPORARY = """
    CREATE TEMP TABLE rarity_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TEMP TABLE rarity_parts (pair INTEGER, host INTEGER, events INTEGER, time TEXT, event INTEGER, last TEXT);
"""
_DROP = "".join(f"DROP TABLE IF EXISTS temp.rarity_{name};" for name in ("names", "parts", "hits"))


class _Names:
    """Texts as numbers from 1 on, kept in a temporary table."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db, self._known = db, dict[str, int]()

    def number(self, text: str) -> int:
        """The text's number."""
        found = self._known.get(text)
        if found is None:
            self._db.execute("INSERT OR IGNORE INTO rarity_names (name) VALUES (?)", (text,))
            found = sql.cell(self._db, "SELECT id FROM rarity_names WHERE name = ?", (text,))
            if len(self._known) >= CACHED:
                self._known.clear()
            self._known[text] = found
        return found

    def text(self, number: int) -> str:
        """The text of a number."""
        return str(sql.cell(self._db, "SELECT name FROM rarity_names WHERE id = ?", (number,)))


@dataclass
class _Entities:
    """By number of a process, account, file or registry value: the numbers of what is counted of it (0: nothing)."""

    image: array
    account: array
    folder: array
    extension: array
    system: bytearray  # is the file's folder one of the system?
    key: array
    system_key: bytearray


@dataclass
class _Rare:
    """The pairs that one host knows and that were not there in the beginning, as numbers of pairs."""

    folders: set[int] = field(default_factory=set)
    accounts: set[int] = field(default_factory=set)


def run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
    """Fills `rarity`; the findings come from a second round over the events."""
    db.execute(_DROP + _TEMPORARY + actors.HITS)
    names, total = _Names(db), sql.cell(db, f"SELECT {EVENTS_END}")
    entities = _entities(db, names)
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes a ring, and the collector would go through all that is held again and again
    try:
        _count(db, entities, lambda at: progress("rarity", at, 2 * total))
    finally:
        if collecting:
            gc.enable()
    rare, whole = _Rare(), counted_fleet(db)
    db.cursor().executemany("INSERT INTO rarity (kind, subject, object, hosts, events, first_event_id, first, last) "
                            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _rows(db, names, whole, rare))
    if rare.folders or rare.accounts:
        db.cursor().executemany("INSERT INTO rarity_hits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                _hits(db, entities, rare, lambda at: progress("rarity", total + at, 2 * total)))
    db.execute("DROP TABLE temp.rarity_parts")
    return _findings(db, names, whole)


def _findings(db: apsw.Connection, names: _Names, whole: Fleet) -> Iterator[Finding]:
    yield from actors.findings(db, names.text, whole)
    db.execute(_DROP)


def _entities(db: apsw.Connection, names: _Names) -> _Entities:
    def blank(table: str, kind: str = "i") -> array:
        return array(kind, bytes(array(kind).itemsize * (sql.cell(db, f"SELECT coalesce(max(id), 0) FROM {table}") + 1)))

    image, account, folder, key = blank("processes"), blank("accounts"), blank("files"), blank("registry_values")
    found = _Entities(image, account, folder, blank("files"), bytearray(len(folder)), key, bytearray(len(key)))
    hosts = {places.short(name) for (name,) in db.execute("SELECT name FROM hosts")}
    for number, image_key, name in db.execute("SELECT id, image_key, name FROM processes"):
        image[number] = names.number(places.image(image_key or "") or name.lower())
    for number, label, domain, alone in db.execute("SELECT id, name, domain, account FROM accounts"):
        account[number] = names.number(places.person(label, domain, alone, hosts))
    for number, path in db.execute("SELECT id, key FROM files"):
        place, extension = places.split(path)
        folder[number] = names.number(places.folded(place))
        found.extension[number] = names.number(places.ending(path, extension))
        found.system[number] = places.is_system(place)
    for number, path, value in db.execute("SELECT id, key, name FROM registry_values"):
        place = path if value is not None else places.parent(path)
        key[number], found.system_key[number] = names.number(places.folded(place)), places.is_system(place)
    return found


# A pair as one number: its kind, its subject and its object.
_ACCOUNT, _EXTENSION = 1 << 60, 2 << 60


def _parts(pair: int) -> tuple[int, int, int]:
    return pair >> 60, (pair >> 30) & (1 << 30) - 1, pair & (1 << 30) - 1


def _count(db: apsw.Connection, entities: _Entities, done: Callable[[int], None]) -> None:
    """Fills `rarity_parts`: every pair on every host, in one row or several."""
    image_of, account_of, folder_of, extension_of, key_of = (
        entities.image, entities.account, entities.folder, entities.extension, entities.key)
    held: dict[int, dict[int, list]] = defaultdict(dict)  # by host, then by pair: events, last time, first event's row
    count = 0
    for row in db.execute(f"SELECT e.time, e.match_key, e.ordinal, e.id, {_WHO} {_ROUND}"):
        time, _, _, _, host, process, account, file, value = row
        image = image_of[process] if process else 0
        folder = folder_of[file] if file else key_of[value] if value else 0
        there = held[host]
        for pair in (image and folder and (image << 30) | folder,
                     image and account and _ACCOUNT | (account_of[account] << 30) | image,
                     file and _EXTENSION | (extension_of[file] << 30) | folder):
            if not pair:
                continue
            known = there.get(pair)
            if known is None:
                there[pair] = [1, time, row]
                count += 1
                continue
            known[0] += 1
            if time > known[1]:
                known[1] = time
            elif time <= known[2][0] and row < known[2]:
                known[2] = row
        if count >= HELD:
            _empty(db, held)
            count = 0
            done(row[3])
    _empty(db, held)


def _empty(db: apsw.Connection, held: dict[int, dict[int, list]]) -> None:
    db.cursor().executemany("INSERT INTO rarity_parts VALUES (?, ?, ?, ?, ?, ?)", (
        (pair, host, events, row[0], row[3], last)
        for host, there in held.items() for pair, (events, last, row) in there.items()))
    held.clear()


def _rows(db: apsw.Connection, names: _Names, whole: Fleet, rare: _Rare) -> Iterator[tuple]:
    """The rows of `rarity`; what may become a finding is put into `rare`."""
    text = lru_cache(maxsize=CACHED)(names.text)
    begun = _beginning(db)
    for pair, hosts, events, first, event, last in _added(db):
        kind, subject, object_ = _parts(pair)
        said, place = text(subject), text(object_)
        if hosts == 1 and kind < 2 and first > begun and whole.of(place)[0] >= FLEET:
            (rare.accounts if kind else rare.folders).add(pair)
        yield KINDS[kind], said, place, hosts, events, event, first, last


def _added(db: apsw.Connection) -> Iterator[tuple[int, int, int, str, int, str]]:
    """Pairs with hosts, events, first time and event, and last time."""
    pair, on, hosts, total, begin, event, end = None, None, 0, 0, "", 0, ""
    for one, host, events, time, first, last in db.execute("SELECT * FROM rarity_parts ORDER BY pair, host"):
        if one != pair:
            if pair is not None:
                yield pair, hosts, total, begin, event, end
            pair, on, hosts, total, begin, event, end = one, host, 1, events, time, first, last
            continue
        if host != on:
            on, hosts = host, hosts + 1
        if time < begin or (time == begin and _order(db, first) < _order(db, event)):
            begin, event = time, first
        total, end = total + events, max(end, last)
    if pair is not None:
        yield pair, hosts, total, begin, event, end


def _order(db: apsw.Connection, event: int) -> tuple:
    """What orders events of one time."""
    return sql.rows(db, "SELECT match_key, ordinal FROM events WHERE id = ?", (event,))[0]


def _beginning(db: apsw.Connection) -> str:
    """The end of the case's beginning, as a time that sorts among the events'; everything before is no news."""
    first, last = sql.rows(db, f"""
        SELECT (SELECT time FROM events WHERE time >= '1980' AND id < {EVENTS_END} ORDER BY time LIMIT 1),
        (SELECT time FROM events WHERE time < '2101' AND id < {EVENTS_END} ORDER BY time DESC LIMIT 1)""")[0]
    if first is None or last is None or last < first:
        return "9"  # no time of the case says anything
    span = arrivals.seconds(last) - arrivals.seconds(first)
    return arrivals.written(arrivals.seconds(first) + BEGINNING * span)


def _hits(db: apsw.Connection, entities: _Entities, rare: _Rare, done: Callable[[int], None]) -> Iterator[tuple]:
    """Every event of a rare pair in a folder of the system."""
    image_of, account_of, folder_of, key_of = entities.image, entities.account, entities.folder, entities.key
    system, system_key, folders, accounts = entities.system, entities.system_key, rare.folders, rare.accounts
    for at, (time, match_key, ordinal, event, host, process, account, file, value) in enumerate(db.execute(
            f"SELECT e.time, e.match_key, e.ordinal, e.id, {_WHO} {_ROUND} AND e.process_id IS NOT NULL")):
        if not at % EVERY:
            done(at)
        if not (system[file] if file else value and system_key[value]):
            continue
        image, who = image_of[process], account_of[account] if account else 0
        folder = folder_of[file] if file else key_of[value]
        by_place, by_account = (image << 30) | folder in folders, _ACCOUNT | (who << 30) | image in accounts
        if by_place or by_account:
            yield host, image, folder, time, match_key, ordinal, event, who if by_account else 0, by_place


ANALYSIS = Analysis("rarity", "Rarity and first seen", ("rarity",), (), run, (actors.ACTOR,))
