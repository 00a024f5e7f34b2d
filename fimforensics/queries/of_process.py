"""What one process was and did: how it was reported, where its image's content came from, what it changed, who acted through it.

Everything is found through indexes by the process's id, and every list has a bound that its reader is told of.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fimforensics import places
from fimforensics.queries import entities
from fimforensics.queries.rarity import KINDS, fleet, sentence

CHANGES = ("created", "modified", "renamed", "deleted", "set")
MOST_THINGS = 500  # changed in one way that are looked at, the newest first
MOST_REPORTS = 20
_FINISHED = "id < (SELECT events_end FROM case_info)"
_IMAGE = ("path", "file_name", "file_type", "size", "created", "pe_timestamp", "last_write", "md5", "sha1", "sha256", "ls_hash",
          "company", "product", "product_version", "internal_name", "original_name", "description")


@dataclass(frozen=True)
class Changed:
    """A file or registry value that processes changed: how (`created`, …), by how many events, and when."""

    kind: str
    id: int
    host_id: int
    host: str
    name: str
    key: str
    how: tuple[str, ...]
    events: int
    first: str
    last: str


@dataclass(frozen=True)
class Origin:
    """A file of which the process ran, and the version that it ran of: who wrote that, by which event, since when."""

    file_id: int
    file: str
    basis: str
    started: str
    written: str | None
    event: int | None
    how: str | None
    process_id: int | None
    process: str | None
    pid: int | None
    account_id: int | None
    account: str | None


@dataclass(frozen=True)
class Became:
    """A process that ran of a file this process had written."""

    file_id: int
    file: str
    basis: str
    process_id: int
    process: str
    pid: int | None
    started: str


@dataclass(frozen=True)
class Acted:
    """An account or address that acted through the process over the network."""

    kind: str
    id: int
    name: str
    events: int
    first: str
    last: str


def rows(connection: sqlite3.Connection, sql: str, values: Sequence[object] = ()) -> list[dict]:
    """The rows of a query as dicts."""
    cursor = connection.execute(sql, values)
    names = [told[0] for told in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def process(connection: sqlite3.Connection, number: int) -> dict | None:
    """The process itself with its host; `file_id` is the file at its image's path, where the case knows one."""
    found = rows(connection, "SELECT p.id, p.host_id, h.name AS host, p.name, p.pid, p.created, p.image_key, p.weak "
                             "FROM processes p JOIN hosts h ON h.id = p.host_id WHERE p.id = ?", (number,))
    if not found:
        return None
    key = (found[0]["image_key"] or "").partition("|")[0]
    file = connection.execute("SELECT id FROM files WHERE host_id = ? AND key = ?", (found[0]["host_id"], key)).fetchone()
    created = found[0]["created"]  # kept to the millisecond, without zone
    return found[0] | {"created": f"{created.removesuffix('Z')}Z" if created else None, "weak": bool(found[0]["weak"]),
                       "file_id": file[0] if file else None}


def reports(connection: sqlite3.Connection, number: int) -> tuple[list[dict], int]:
    """How the process was reported, at most MOST_REPORTS ways, and how many there are (at most 1,001 are counted)."""
    in_all = len(connection.execute("SELECT 1 FROM process_reports WHERE process_id = ? LIMIT 1001", (number,)).fetchall())
    found = rows(connection, "SELECT r.name, r.pid, r.created, r.session_id, r.first_seen, r.source, r.account_id, "
                             "a.name AS account, r.image_id FROM process_reports r LEFT JOIN accounts a ON a.id = r.account_id "
                             f"WHERE r.process_id = ? ORDER BY r.id LIMIT {MOST_REPORTS}", (number,))
    return found, in_all


def images(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[dict]:
    """What was said of these images; `content_id` is a content of its hash, where the case has one."""
    found = []
    for number in sorted(set(numbers)):
        image, = rows(connection, f"SELECT {', '.join(_IMAGE)} FROM images WHERE id = ?", (number,))
        content = next((row[0] for kind in ("sha256", "sha1", "md5") if image[kind] for row in connection.execute(
            f"SELECT min(id) FROM contents WHERE {kind} = ?", (image[kind],)) if row[0] is not None), None)
        found.append(image | {"content_id": content})
    return found


def extras(connection: sqlite3.Connection, number: int, most: int = 200) -> dict[str, list[str]]:
    """What the first events of the process say beyond the columns of it and its parent, by name: command lines and the like."""
    told: dict[str, list[str]] = {}
    for (text,) in connection.execute(f"SELECT extra FROM events WHERE process_id = ? AND {_FINISHED} AND extra IS NOT NULL "
                                      f"ORDER BY id LIMIT {most}", (number,)):
        for name, value in json.loads(text).items():
            if name.startswith(("InitiatingProcess", "InitProc")) and str(value) not in told.setdefault(name, []):
                told[name].append(str(value))
    return {name: values[:5] for name, values in sorted(told.items())}


_VERSION = """
    SELECT v.since, v.begun_by, c.change, v.process_id, n.name, n.pid, v.account_id, a.name FROM file_versions v
    LEFT JOIN events e ON e.id = v.begun_by LEFT JOIN changes c ON c.id = e.change_id
    LEFT JOIN processes n ON n.id = v.process_id LEFT JOIN accounts a ON a.id = v.account_id
    WHERE v.file_id = ? AND v.since <= ? AND v.state = 'present' ORDER BY v.since DESC, v.id DESC LIMIT 1"""


def origins(connection: sqlite3.Connection, number: int, most: int = 20) -> list[Origin]:
    """The files that became this process."""
    found = []
    for file, basis, first, path in connection.execute(
            "SELECT r.subject_id, r.basis, r.first, f.path FROM relations r JOIN files f ON f.id = r.subject_id "
            "WHERE r.object_kind = 'process' AND r.object_id = ? AND r.relation = 'became' AND r.subject_kind = 'file' "
            f"ORDER BY r.first, f.key LIMIT {most}", (number,)).fetchall():
        version = connection.execute(_VERSION, (file, first)).fetchone() or (None,) * 8
        found.append(Origin(file, path, basis or "", first, *version))
    return found


def acted(connection: sqlite3.Connection, number: int, most: int = 50) -> list[Acted]:
    """Who acted through the process over the network, first those who did so first."""
    return [Acted(kind, subject, entities.name(connection, kind, subject), events, first, last)
            for kind, subject, events, first, last in connection.execute(
                "SELECT subject_kind, subject_id, events, first, last FROM relations WHERE object_kind = 'process' "
                "AND object_id = ? AND relation = 'acted through' ORDER BY first, subject_kind, subject_id LIMIT ?",
                (number, most)).fetchall()]


def changed(connection: sqlite3.Connection, subjects: Iterable[tuple[str, int]], most: int = MOST_THINGS
            ) -> tuple[list[Changed], dict[str, int], bool]:
    """What processes or accounts changed, how many things in which way, and whether anything was left out.

    Of each subject and way at most `most`, those that were first changed last.
    """
    merged: dict[tuple[str, int], tuple[set[str], int, str, str]] = {}
    ways, cut = Counter[str](), False
    for kind, number in subjects:
        for way in CHANGES:
            found = connection.execute(
                "SELECT object_kind, object_id, events, first, last FROM relations WHERE subject_kind = ? AND subject_id = ? "
                "AND relation = ? ORDER BY first DESC LIMIT ?", (kind, number, way, most + 1)).fetchall()
            cut = cut or len(found) > most
            ways[way] += min(len(found), most)
            for what, thing, events, first, last in found[:most]:
                how, known, since, until = merged.get((what, thing), (set(), 0, first, last))
                merged[what, thing] = (how | {way}, known + events, min(since, first), max(until, last))
    return list(_named(connection, merged)), {way: ways[way] for way in CHANGES if ways[way]}, cut


def _named(connection: sqlite3.Connection, merged: dict[tuple[str, int], tuple[set[str], int, str, str]]) -> Iterator[Changed]:
    of_value = "t.key || coalesce('\\' || t.name, '')"
    for kind, table, key in (("file", "files", "t.key"), ("registry value", "registry_values", of_value)):
        numbers = [number for what, number in merged if what == kind]
        marks = ", ".join("?" * len(numbers))
        for number, *named in connection.execute(
                f"SELECT t.id, h.id, h.name, t.path, {key} FROM {table} t JOIN hosts h ON h.id = t.host_id "
                f"WHERE t.id IN ({marks})", numbers):
            how, *span = merged[kind, number]
            yield Changed(*[kind, number, *named, tuple(way for way in CHANGES if way in how), *span])


def became(connection: sqlite3.Connection, number: int, things: Iterable[Changed], most: int = 50) -> list[Became]:
    """The processes that ran of what this process wrote: those whose file's version, when they started, was this one's."""
    found = []
    for thing in things:
        if thing.kind != "file":
            continue
        for process_, basis, first in connection.execute(
                "SELECT object_id, basis, first FROM relations WHERE subject_kind = 'file' AND subject_id = ? "
                "AND relation = 'became' AND first >= ? ORDER BY first LIMIT 20", (thing.id, thing.first)).fetchall():
            version = connection.execute(_VERSION, (thing.id, first)).fetchone()
            if version and version[3] == number:
                name, pid = connection.execute("SELECT name, pid FROM processes WHERE id = ?", (process_,)).fetchone()
                found.append(Became(thing.id, thing.name, basis or "", process_, name, pid, first))
    return sorted(found, key=lambda one: (one.started, one.file, one.process_id))[:most]


def folder_of(thing: Changed) -> str:
    """The folder of a file, or the key of a registry value, as keys are written."""
    return places.split(thing.key)[0] if thing.kind == "file" else places.parent(thing.key)


def rare(connection: sqlite3.Connection, image: str, things: Iterable[Changed], accounts: Iterable[str],
         most: int = 8) -> list[str]:
    """How many hosts know that this program writes in these folders, and that these accounts use it: sentences, rarest first."""
    asked = [(KINDS[0], image, folder) for folder in sorted({places.folded(folder_of(thing)) for thing in things})[:300]]
    asked += [(KINDS[1], account, image) for account in sorted(set(accounts))]
    found = [(hosts, events, first, kind, subject, object_) for kind, subject, object_ in asked
             for hosts, events, first in connection.execute(
                 "SELECT hosts, events, first FROM rarity WHERE kind = ? AND subject = ? AND object = ?",
                 (kind, subject, object_))]
    whole = fleet(connection) if found else None
    return [sentence(whole, kind, subject, object_, hosts, first)[1]
            for hosts, _, first, kind, subject, object_ in sorted(found)[:most] if whole is not None]


def image_of(one: dict) -> str:
    """What the analysis of rarity calls the program of a process (`image_key`, `name`)."""
    return places.image(one["image_key"] or "") or str(one["name"]).lower()


def is_telling(thing: Changed) -> bool:
    """Is this a program, a script, or something in a place of the system?"""
    return places.runs(thing.name, None) if thing.kind == "file" else places.is_system(folder_of(thing))


def times(connection: sqlite3.Connection, number: int, most: int = 2_000) -> tuple[list[tuple[str, str]], bool]:
    """The times and changes of the process's events, at most so many; are there more?"""
    found = connection.execute("SELECT e.time, c.change FROM events e JOIN changes c ON c.id = e.change_id "
                               f"WHERE e.process_id = ? AND e.{_FINISHED} LIMIT ?", (number, most + 1)).fetchall()
    return sorted((time, change) for time, change in found[:most]), len(found) > most
