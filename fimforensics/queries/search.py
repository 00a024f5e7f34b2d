"""One text looked for in everything that has a name: prefixes of words by full text, parts of words where that finds little.

Each kind of thing is a group of hits, those first whose name is or begins with the text, then the shorter names. Every group
looks at a bounded number of matches and rows and says where there may be more; no text can be an error of the query's syntax.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from fimforensics import paths
from fimforensics.errors import Misuse, Problem
from fimforensics.queries import entities
from fimforensics.queries.ambiguous import Ambiguous
from fimforensics.text import storable

MOST = 20  # hits of a group on one page
LONGEST = 400  # letters
MATCHES = 1_000  # looked at in each group
SCANNED = 200_000  # rows in which parts of words are looked for
PLACES = 3  # named with each hit
COUNTED = 50  # places
TABLES = {"event": "events", "file": "files", "registry value": "registry_values", "process": "processes", "account": "accounts",
          "host": "hosts", "content": "contents", "address": "requests"}
_SEVERITIES = ("high", "medium", "low", "info")
_HASH = re.compile(r"[0-9a-f]{8,64}").fullmatch
_ADDRESS = re.compile(r"[0-9a-f.:%]+").fullmatch


@dataclass(frozen=True)
class Place:
    """A row that a hit names: its table, number and what it is called."""

    table: str
    id: int
    name: str


@dataclass(frozen=True)
class Hit:
    """One thing: its page, its name, what is to be said of it, some places where it is, and how many (at most COUNTED + 1)."""

    table: str
    id: int
    name: str
    note: str = ""
    places: tuple[Place, ...] = ()
    in_all: int = 0


@dataclass(frozen=True)
class Group:
    """Hits of one kind; `found` counts them all, `or_more` where no more were looked at, `partly` where not all was searched."""

    name: str
    title: str
    hits: tuple[Hit, ...]
    found: int
    or_more: bool = False
    partly: str | None = None


Row = tuple  # the number, the name, and what else a group wants
Matches = tuple[list[Row], bool, str | None]


def search(connection: sqlite3.Connection, text: str, only: str | None = None, skip: int = 0, most: int = MOST) -> list[Group]:
    """The groups that have hits (or `only` this one), each from its hit number `skip` on."""
    said = storable(text)[0].strip()
    if len(said) > LONGEST:
        raise Misuse(f"a text to look for has at most {LONGEST} letters; this one has {len(said):,}", hint="Part of it is enough")
    found = [group(connection, said, skip, most) for name, group in GROUPS.items() if said and only in (None, name)]
    return [one for one in found if one.found or one.partly]


# ---- how a text is matched

def _words(said: str) -> str:
    """The text for full text: all words wanted, each as a prefix if it ends in a letter; '' where there are no letters."""
    words = [word for word in said.split() if any(char.isalnum() for char in word)]
    return " ".join('"' + word.replace('"', '""') + '"' + "*" * word[-1].isalnum() for word in words)


def _part(said: str) -> str:
    """The text for LIKE, anywhere."""
    return "%" + re.sub("([!%_])", r"!\1", said) + "%"


def _matches(connection: sqlite3.Connection, said: str, table: str, columns: str, like: str, fts: bool = True) -> Matches:
    """Rows of a table that match, whether there are more, and what was not looked through. `like` are columns joined as text."""
    rows: dict[int, Row] = {}
    words = _words(said)
    if fts and words:
        rows = {row[0]: row for row in connection.execute(
            f"SELECT {columns} FROM (SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH ? ORDER BY rowid LIMIT {MATCHES + 1}) "
            f"x JOIN {table} t ON t.id = x.rowid", (words,))}
    partly = None
    if len(rows) < MOST:
        end = connection.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET {SCANNED}").fetchone()
        if end is not None:
            partly = f"Parts of words were looked for in the first {SCANNED:,} only: write a word from its beginning."
        below, bound = ("AND t.id < ?", (end[0],)) if end else ("", ())
        for row in connection.execute(f"SELECT {columns} FROM {table} t WHERE {like} LIKE ? ESCAPE '!' {below} "
                                      f"ORDER BY t.id LIMIT {MATCHES + 1}", (_part(said), *bound)):
            rows.setdefault(row[0], row)
    return list(rows.values())[:MATCHES], len(rows) > MATCHES, partly


def _ranked(rows: list[Row], said: str) -> list[Row]:
    """The nearest first: the name is the text, begins with it, its last part is or begins with it; then the shorter."""
    low = said.lower()

    def order(row: Row) -> tuple:
        name = row[1].lower()
        last = paths.last_segment(name)
        near = 0 if name == low else 1 if last == low else 2 if last.startswith(low) else 3 if name.startswith(low) else 4
        return near, len(name), name, row[0]
    return sorted(rows, key=order)


def _group(name: str, title: str, matches: Matches, said: str, skip: int, most: int, hit: Callable[[list[Row]], Hit],
           key: Callable[[Row], object] = lambda row: row[0]) -> Group:
    """Matches as a group: rows of one key are one hit, and only those that are shown are looked up further."""
    together: dict[object, list[Row]] = {}
    for row in _ranked(matches[0], said):
        together.setdefault(key(row), []).append(row)
    shown = list(together.values())[skip:skip + most]
    return Group(name, title, tuple(hit(rows) for rows in shown), len(together), matches[1], matches[2])


def _places(table: str, rows: list[tuple[int, str]]) -> tuple[tuple[Place, ...], int]:
    return tuple(Place(table, number, name) for number, name in rows[:PLACES]), min(len(rows), COUNTED + 1)


# ---- the groups

def _named(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """What the text names in full, as commands understand it."""
    found: list[tuple[str, int]] = []
    try:
        one = entities.resolve(connection, said)
        found = [(one.kind, one.id)]
    except Ambiguous as several:
        found = list(several.found)
    except Problem:  # it names nothing, or is in too many names: the other groups tell
        found = []
    hits = tuple(Hit(TABLES[kind], number, entities.name(connection, kind, number), kind)
                 for kind, number in found[skip:skip + most])
    return Group("named", "Named so", hits, len(found))


def _hosts(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    found = _matches(connection, said, "hosts", "t.id, t.name, t.key", "(t.name || ' ' || t.key)")
    return _group("hosts", "Hosts", found, said, skip, most, lambda rows: Hit("hosts", rows[0][0], rows[0][1], rows[0][2]))


def _files(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """Paths, and the files that they are on each host."""
    def hit(rows: list[Row]) -> Hit:
        number, path, key = rows[0]
        on = connection.execute("SELECT f.id, h.name FROM hosts h CROSS JOIN files f ON f.host_id = h.id AND f.key = ? "
                                f"ORDER BY h.key LIMIT {COUNTED + 1}", (key,)).fetchall()
        where = _places("files", on)
        return Hit("files", on[0][0], path, "", *where) if len(on) == 1 else Hit("paths", number, path, "", *where)
    rows, more, partly = _matches(connection, said, "paths", "t.id, t.path", "t.path")
    keyed = [(number, path, paths.file_key(path)) for number, path in rows]
    return _group("files", "File paths", (keyed, more, partly), said, skip, most, hit, lambda row: row[2])


def _registry(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """Registry keys and values by path, each with its hosts."""
    def hit(rows: list[Row]) -> Hit:
        on = [(row[0], _cell(connection, "SELECT name FROM hosts WHERE id = ?", row[4])) for row in rows[:COUNTED + 1]]
        return Hit("registry_values", rows[0][0], rows[0][1], "", *_places("registry_values", on))
    found = _matches(connection, said, "registry_values", "t.id, t.path, t.key, t.name, t.host_id", "t.path")
    return _group("registry", "Registry keys and values", found, said, skip, most, hit, lambda row: (row[2], row[3]))


def _accounts(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    found = _matches(connection, said, "accounts", "t.id, t.name, t.sid", "(t.name || ' ' || coalesce(t.sid, ''))")
    return _group("accounts", "Accounts", found, said, skip, most,
                  lambda rows: Hit("accounts", rows[0][0], rows[0][1], rows[0][2] or ""))


def _programs(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """Images by path, each with processes that ran it; by the beginning of a hash, too."""
    def hit(rows: list[Row]) -> Hit:
        images = ", ".join(str(row[0]) for row in rows)
        on = connection.execute(f"SELECT DISTINCT r.process_id FROM process_reports r WHERE r.image_id IN ({images}) "
                                f"AND r.process_id IS NOT NULL ORDER BY 1 LIMIT {COUNTED + 1}").fetchall()
        named = [(number, entities.name(connection, "process", number) if at < PLACES else "") for at, (number,) in enumerate(on)]
        return Hit("images", rows[0][0], rows[0][1], rows[0][2] or "", *_places("processes", named))
    name = "coalesce(t.path, t.file_name, '')"
    hashes = "coalesce(t.sha256, '') || ' ' || coalesce(t.sha1, '') || ' ' || coalesce(t.md5, '')"
    like = f"({name} || ' ' || {hashes})" if _HASH(said.lower()) else name
    found = _matches(connection, said, "images", f"t.id, {name}, t.company", like)
    return _group("programs", "Programs that ran", found, said, skip, most, hit, lambda row: row[1].lower())


def _contents(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """Contents by the beginning of a hash."""
    begin, rows = said.lower(), dict[int, Row]()
    for kind in ("sha256", "sha1", "md5") if _HASH(begin) else ():
        rows |= {row[0]: row for row in connection.execute(
            f"SELECT id, {kind}, size FROM contents WHERE {kind} >= ? AND {kind} < ? ORDER BY {kind}, id LIMIT {MATCHES + 1}",
            (begin, begin + "g"))}
    found = list(rows.values())[:MATCHES], len(rows) > MATCHES, None

    def hit(rows: list[Row]) -> Hit:
        on = connection.execute("SELECT DISTINCT f.id, h.name || ':' || f.path FROM (SELECT DISTINCT file_id FROM file_versions "
                                f"WHERE content_id = ? LIMIT {COUNTED + 1}) v JOIN files f ON f.id = v.file_id "
                                "JOIN hosts h ON h.id = f.host_id ORDER BY 2, 1", (rows[0][0],)).fetchall()
        size = rows[0][2]
        return Hit("contents", rows[0][0], rows[0][1], "" if size is None else f"{size:,} bytes", *_places("files", on))
    return _group("contents", "Contents by hash", found, said, skip, most, hit)


def _addresses(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """Addresses that requests came from, by their beginning, with the accounts they acted for."""
    begin = said.lower()
    rows: list[Row] = connection.execute(
        "SELECT min(id), ip FROM (SELECT r.id, r.ip FROM accounts a CROSS JOIN requests r ON r.account_id = a.id AND r.ip >= ?1 "
        "AND r.ip < ?2 UNION ALL SELECT id, ip FROM requests WHERE account_id IS NULL AND ip >= ?1 AND ip < ?2) "
        f"GROUP BY ip ORDER BY ip LIMIT {MATCHES + 1}", (begin, begin + "\U0010ffff")).fetchall() if _ADDRESS(begin) else []

    def hit(rows: list[Row]) -> Hit:
        on = connection.execute("SELECT a.id, a.name FROM accounts a WHERE EXISTS (SELECT 1 FROM requests r WHERE r.account_id "
                                f"= a.id AND r.ip = ?) ORDER BY a.name, a.id LIMIT {COUNTED + 1}", (rows[0][1],)).fetchall()
        return Hit("requests", rows[0][0], rows[0][1], "", *_places("accounts", on))
    return _group("addresses", "Addresses", (rows[:MATCHES], len(rows) > MATCHES, None), said, skip, most, hit)


def _findings(connection: sqlite3.Connection, said: str, skip: int, most: int) -> Group:
    """Findings whose sentence holds every word, the most severe first."""
    words = said.split()[:8]
    fits = " AND ".join(["sentence LIKE ? ESCAPE '!'"] * len(words))
    rank = " ".join(f"WHEN '{name}' THEN {at}" for at, name in enumerate(_SEVERITIES))
    end = connection.execute(f"SELECT id FROM findings ORDER BY id LIMIT 1 OFFSET {SCANNED}").fetchone()
    rows = connection.execute(f"SELECT id, sentence, severity FROM findings WHERE {fits} {'AND id < ?' if end else ''} "
                              f"ORDER BY CASE severity {rank} END, id LIMIT {MATCHES + 1}",
                              (*map(_part, words), *(end or ()))).fetchall()
    hits = tuple(Hit("findings", number, sentence, severity) for number, sentence, severity in rows[skip:skip + most])
    return Group("findings", "Findings", hits, min(len(rows), MATCHES), len(rows) > MATCHES,
                 f"Only the first {SCANNED:,} findings were looked through." if end else None)


def _cell(connection: sqlite3.Connection, sql: str, value: object) -> str:
    return str(connection.execute(sql, (value,)).fetchone()[0])


GROUPS: dict[str, Callable[[sqlite3.Connection, str, int, int], Group]] = {
    "named": _named, "findings": _findings, "hosts": _hosts, "files": _files, "registry": _registry, "accounts": _accounts,
    "programs": _programs, "contents": _contents, "addresses": _addresses}


