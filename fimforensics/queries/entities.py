"""Entities as people write them: `SRV-1:C:\\Windows\\x.dll`, `CONTOSO\\ann`, the beginning of a hash, the number of an event.

`resolve` finds the one thing that a text names, or says which things it may mean; `name` writes a thing so that it is found
again. First what is written in full counts, with a host by its name or key; then a host by its short name; then the end of a
path. Everything is looked up through indexes, so that it takes milliseconds however large the case is.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fimforensics import paths
from fimforensics.errors import Misuse, Problem
from fimforensics.queries.ambiguous import Ambiguous
from fimforensics.queries.events import find
from fimforensics.text import storable

KINDS = ("event", "file", "registry value", "process", "account", "host", "content", "address")
SHORTEST_HASH = 8
SHOWN = 10  # candidates that an ambiguous name lists
_SOUGHT = 5_000  # what full text may give before a name is too common to look through it all
_LONGEST = 2_000  # letters of a name; nothing that is a path or a key has more
_NUMBERED = re.compile(r"(event|file|value|registry value|process|account|host|content|address)#([0-9]{1,18})").fullmatch
_PROCESS = re.compile(r"(?P<image>.*?)(?:\[(?P<pid>[0-9]{1,18}|\?)\])?(?:@(?P<created>[0-9][0-9T:. -]*)Z?)?", re.DOTALL).fullmatch
_HASH = re.compile(r"[0-9a-f]{8,64}").fullmatch
_EVENT = re.compile(r"[0-9]{1,18}|[0-9a-f]{64}-[0-9]{1,18}").fullmatch
_ADDRESS = re.compile(r"[0-9a-f.:%]*[.:][0-9a-z.:%]*").fullmatch
_HEX = {"sha256": 64, "sha1": 40, "md5": 32}

_NAMES = {
    "event": "SELECT CAST(id AS TEXT) FROM events WHERE id = ? AND id < (SELECT events_end FROM case_info)",
    "file": "SELECT h.name || ':' || f.path FROM files f JOIN hosts h ON h.id = f.host_id WHERE f.id = ?",
    "registry value": "SELECT h.name || ':' || v.path FROM registry_values v JOIN hosts h ON h.id = v.host_id WHERE v.id = ?",
    "process": "SELECT h.name || ':' || p.name || '[' || coalesce(p.pid, '?') || ']' || "
               "coalesce('@' || rtrim(replace(p.created, '.000', ''), 'Z'), '') "
               "FROM processes p JOIN hosts h ON h.id = p.host_id WHERE p.id = ?",
    "account": "SELECT name FROM accounts WHERE id = ?",
    "host": "SELECT name FROM hosts WHERE id = ?",
    "content": "SELECT coalesce(sha256, sha1, md5) FROM contents WHERE id = ?",
    "address": "SELECT ip FROM requests WHERE id = ? AND ip IS NOT NULL",
}


@dataclass(frozen=True)
class Entity:
    """One thing of a case. The id is that of its table; of an address it is the smallest of the requests that came from it."""

    kind: str
    id: int
    name: str


def name(connection: sqlite3.Connection, kind: str, number: int) -> str:
    """The thing as people write it; `(gone)` where the case has none of this number."""
    row = connection.execute(_NAMES[kind], (number,)).fetchone()
    return row[0] if row else "(gone)"


def resolve(connection: sqlite3.Connection, text: str, kinds: Sequence[str] | None = None) -> Entity:
    """The one entity that the text names, of one of these kinds (see KINDS; all when None).

    Problem, in one line, where it names none or several; of several it lists the first with their exact spelling. A thing can
    always be named by its kind and number, too: `process#17`, `value#4`.
    """
    wanted, said = KINDS if kinds is None else tuple(kinds), storable(text)[0].strip()
    if not 0 < len(said) <= _LONGEST:
        raise Misuse(f"a name of {len(said):,} letters is none")
    if told := _NUMBERED(said):
        return _numbered(connection, said, told[1].replace("registry value", "value"), int(told[2]), wanted)
    named, short = _readings(connection, said)
    anywhere: list[Reading] = [(None, said)]
    for readings, finders in ((named, _EXACT), (anywhere, _EXACT), (short, _EXACT), (named + short + anywhere, _LOOSE)):
        found = {(kind, number): None for kind in wanted if kind in finders for reading in readings
                 for number in finders[kind](connection, *reading)}
        if len(found) == 1:
            (kind, number), = found
            return Entity(kind, number, name(connection, kind, number))
        if found:
            raise _ambiguous(connection, said, list(found))
    raise Problem(f"'{said}' names no {_either(wanted)} of this case", hint=_HINTS.get(wanted[0], "") if kinds else _HINT)


_HINT = "Write it like SRV-1:C:\\Windows\\x.dll, SRV-1:svc.exe[1234], CONTOSO\\ann, the beginning of a hash, or an event's number"
_HINTS = {"file": "Write it like SRV-1:C:\\Windows\\x.dll", "process": "Write it like SRV-1:svc.exe[1234]",
          "account": "Write it like CONTOSO\\ann, or its SID", "content": f"At least {SHORTEST_HASH} figures of its hash"}


def same_content(connection: sqlite3.Connection, content: int) -> list[int]:
    """The ids of all rows of `contents` that are this content: a hash that both have agrees, and none differs."""
    row = connection.execute("SELECT sha256, sha1, md5 FROM contents WHERE id = ?", (content,)).fetchone()
    return sorted({number for kind, value in zip(_HEX, row or (), strict=False) if value is not None
                   for number, *other in connection.execute(
                       f"SELECT id, sha256, sha1, md5 FROM contents WHERE {kind} = ?", (value,))
                   if not any(one and two and one != two for one, two in zip(row, other, strict=True))})


def _numbered(connection: sqlite3.Connection, said: str, word: str, number: int, wanted: Sequence[str]) -> Entity:
    kind = "registry value" if word == "value" else word
    if kind not in wanted:
        raise Misuse(f"'{said}' is a {kind}", hint=f"Here goes: {_either(wanted)}")
    if (row := connection.execute(_NAMES[kind], (number,)).fetchone()) is None:
        raise Problem(f"there is no {said} in this case")
    return Entity(kind, number, row[0])


def _either(kinds: Sequence[str]) -> str:
    return kinds[0] if len(kinds) == 1 else ", ".join(kinds[:-1]) + f" or {kinds[-1]}"


def _ambiguous(connection: sqlite3.Connection, said: str, found: list[tuple[str, int]]) -> Problem:
    listed = sorted((kind, name(connection, kind, number), number) for kind, number in found[:_SOUGHT])
    often = {told for (_, told, _), (_, before, _) in zip(listed[1:], listed, strict=False) if told == before}
    often |= {told for _, told, _ in listed if told.lower() == said.lower()}  # the same name again would lead nowhere
    shown = [f"{kind} {told}" if told not in often else f"{kind.removeprefix('registry ')}#{number} ({told})"
             for kind, told, number in listed[:SHOWN]]
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return Ambiguous(f"'{said}' may be one of {len(found):,}: {', '.join(shown)}{more}", listed, hint="Name one of them")


# ---- which host a text begins with

Reading = tuple[int | None, str]  # a host, or None for any, and what the rest of the text is

_BY_NAME = """SELECT id, length(name) FROM hosts WHERE lower(substr(?1, 1, length(name) + 1)) = lower(name) || ':'
    UNION SELECT id, length(key) FROM hosts WHERE lower(substr(?1, 1, length(key) + 1)) = lower(key) || ':' ORDER BY 1, 2"""
_BY_SHORT_NAME = """SELECT id, instr(name, '.') - 1 FROM hosts WHERE instr(name, '.') > 1
    AND lower(substr(?1, 1, instr(name, '.'))) = lower(substr(name, 1, instr(name, '.') - 1)) || ':' ORDER BY 1"""


def _readings(connection: sqlite3.Connection, said: str) -> tuple[list[Reading], list[Reading]]:
    """What the text may be on a host of the name or key with which it begins, and on a host of that short name."""
    named, short = (connection.execute(sql, (said,)).fetchall() for sql in (_BY_NAME, _BY_SHORT_NAME))
    return [(host, said[at + 1:]) for host, at in named], [(host, said[at + 1:]) for host, at in short]


def _hosts(connection: sqlite3.Connection, host: int | None) -> Iterator[int]:
    """This host, or all."""
    if host is not None:
        return iter((host,))
    return (number for (number,) in connection.execute("SELECT id FROM hosts ORDER BY key"))


# ---- what is written in full

def _event(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    if host is None and _EVENT(said.lower()):
        try:
            yield find(connection, said)
        except Problem:  # no event of this number; it may still be the beginning of a hash
            return


def _file(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    key = paths.file_key(said)
    for number in _hosts(connection, host):
        yield from _first_cells(connection, "SELECT id FROM files WHERE host_id = ? AND key = ?", number, key)


def _registry_value(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    cuts = [at for at, char in enumerate(said) if char == "\\" and at][-8:]  # a value's name may hold backslashes, too
    for number in _hosts(connection, host):
        yield from _first_cells(connection, "SELECT id FROM registry_values WHERE host_id = ? AND key = ? AND name IS NULL",
                                number, paths.registry_key(said, None))
        for at in cuts:
            yield from _first_cells(connection, "SELECT id FROM registry_values WHERE host_id = ? AND key = ? AND name = ?",
                                    number, paths.registry_key(said[:at], None), said[at + 1:].lower())


def _process(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    told = _PROCESS(said)
    if not told or not told["pid"]:
        return
    pid = None if told["pid"] == "?" else int(told["pid"])
    for number in _hosts(connection, host):
        rows = connection.execute("SELECT id, name, image_key, created FROM processes WHERE host_id = ? AND pid IS ? "
                                  "ORDER BY created, image_key", (number, pid))
        yield from (process for process, *known in rows if _fits(told, *known))


def _fits(told: re.Match[str], label: str, image_key: str | None, created: str | None) -> bool:
    """Is this the process that is told, by its label or its image's path, and created when it says?"""
    image, when = paths.lower(told["image"]), (told["created"] or "").strip().replace(" ", "T")
    known = (image_key or "").partition("|")[0]
    return image in (paths.lower(label), known, paths.last_segment(known)) and (created or "").startswith(when)


def _account(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    if host is not None:
        return
    yield from _first_cells(connection, "SELECT id FROM accounts WHERE sid = ? COLLATE BINARY ORDER BY domain, account, id",
                            said.upper() if said[:2].lower() == "s-" else said)
    rows = connection.execute("SELECT a.id, a.name, a.account FROM (SELECT rowid FROM accounts_fts WHERE accounts_fts MATCH ? "
                              f"LIMIT {_SOUGHT}) x JOIN accounts a ON a.id = x.rowid ORDER BY a.name, a.sid", (_phrase(said),))
    low = paths.lower(said)
    yield from (number for number, label, alone in rows if low in (paths.lower(label), paths.lower(alone or "")))


def _host(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    if host is None:
        yield from _first_cells(connection, "SELECT id FROM hosts WHERE lower(name) = lower(?1) OR key = lower(?1) ORDER BY key",
                                said)


def _content(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    begin = said.lower()
    if host is not None or not _HASH(begin):
        return
    rows: list[tuple] = []
    for kind, length in _HEX.items():
        if len(begin) <= length:
            rows += connection.execute(f"SELECT sha256, sha1, md5, size, id FROM contents WHERE {kind} >= ? AND {kind} < ? "
                                       f"LIMIT {_SOUGHT}", (begin, begin + "g"))
    # Rows with one hash in common are one content, however much else each of them tells: the one that tells most stands for it.
    taken: set[str] = set()
    fullest = lambda row: ([cell is None for cell in row[:4]], [str(cell) for cell in row[:4]])  # noqa: E731
    for *hashes, _, number in sorted(set(rows), key=fullest):
        if not taken & {one for one in hashes if one}:
            yield number
        taken |= {one for one in hashes if one}


def _address(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    if host is None and _ADDRESS(said.lower()):  # by account, since the index begins with it
        row = connection.execute(
            "SELECT min(id) FROM (SELECT r.id FROM accounts a CROSS JOIN requests r ON r.account_id = a.id AND r.ip = ?1 "
            "UNION ALL SELECT id FROM requests WHERE account_id IS NULL AND ip = ?1)", (said,)).fetchone()
        if row[0] is not None:
            yield row[0]


# ---- what is written in part

def _phrase(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _common(said: str, rows: list[tuple]) -> list[tuple]:
    if len(rows) == _SOUGHT:
        raise Problem(f"'{said}' is in too many names to look through them all", hint="Write more of it, or the whole")
    return rows


def _file_end(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    key = paths.file_key(said).lstrip("\\/")
    ends = ("\\" + paths.lower(key).replace("/", "\\"), "/" + key)
    rows = _common(said, connection.execute(
        "SELECT p.path FROM (SELECT rowid FROM paths_fts WHERE paths_fts MATCH ? "
        f"LIMIT {_SOUGHT}) x JOIN paths p ON p.id = x.rowid", ("path : " + _phrase(said),)).fetchall())
    keys = sorted({found for (path,) in rows if (found := paths.file_key(path)).endswith(ends)})
    for number in _hosts(connection, host):
        for found in keys:
            yield from _first_cells(connection, "SELECT id FROM files WHERE host_id = ? AND key = ?", number, found)


def _registry_end(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    inside = [number for one in _hosts(connection, host) for number in _first_cells(
        connection, f"SELECT id FROM registry_values WHERE host_id = ? AND key = ? LIMIT {_SOUGHT}", one,
        paths.registry_key(said, None))] if "\\" in said else []
    if inside:  # a key of which only the values were seen
        yield from inside
        return
    rows = _common(said, connection.execute(
        "SELECT v.id, v.host_id, v.key, v.name FROM (SELECT rowid FROM registry_values_fts WHERE registry_values_fts MATCH ? "
        f"LIMIT {_SOUGHT}) x JOIN registry_values v ON v.id = x.rowid ORDER BY v.key, v.name", ("path : " + _phrase(said),)
    ).fetchall())
    end = "\\" + paths.lower(said).strip("\\")
    yield from (number for number, on, key, value in rows
                if host in (None, on) and f"\\{key}{'' if value is None else chr(92) + value}".endswith(end))


def _process_name(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    told = _PROCESS(said)
    if not told or told["pid"]:
        return
    rows = connection.execute(
        "SELECT DISTINCT p.id, p.host_id, p.name, p.image_key, p.created FROM (SELECT rowid FROM images_fts "
        f"WHERE images_fts MATCH ? LIMIT {_SOUGHT}) x CROSS JOIN process_reports r ON r.image_id = x.rowid "
        f"CROSS JOIN processes p ON p.id = r.process_id LIMIT {_SOUGHT}", (_phrase(told["image"]),)).fetchall()
    yield from (number for number, on, *known in _common(said, rows) if host in (None, on) and _fits(told, *known))


def _host_part(connection: sqlite3.Connection, host: int | None, said: str) -> Iterator[int]:
    if host is None:
        yield from _first_cells(connection, "SELECT id FROM hosts WHERE substr(lower(name), 1, length(?1) + 1) "
                                            "= lower(?1) || '.' ORDER BY key", said)


def _first_cells(connection: sqlite3.Connection, sql: str, *values: object) -> Iterator[int]:
    return (number for (number,) in connection.execute(sql, values))


_Finder = Callable[[sqlite3.Connection, int | None, str], Iterator[int]]
_EXACT: dict[str, _Finder] = {
    "event": _event, "file": _file, "registry value": _registry_value, "process": _process, "account": _account, "host": _host,
    "content": _content, "address": _address}
_LOOSE: dict[str, _Finder] = {
    "file": _file_end, "registry value": _registry_end, "process": _process_name, "host": _host_part}
