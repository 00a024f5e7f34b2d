"""What few hosts know: which program writes where, which account runs what, which kinds of files lie where, which contents.

A number of hosts means nothing without the number that could have known it: those that reported any event and, where a path tells
the system, only the hosts of that system. Times outside 1980 to 2100 count for nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fimforensics import arrivals, places
from fimforensics.queries.remembered import remembered

KINDS = ("image in folder", "account with image", "extension in folder")
CONTENT = "content"
_SAID = {"image in folder": "{subject} to write in {object}", "account with image": "{subject} to use {object}",
         "extension in folder": "files ending in .{subject} in {object}"}
_REPORTING = "SELECT DISTINCT host_id FROM event_counts WHERE day >= '1980' AND day < '2101'"


@dataclass(frozen=True)
class Fleet:
    """How many hosts reported any event, and how many of them files of Linux, and files of Windows or registry values."""

    hosts: int
    linux: int
    windows: int

    def of(self, text: str) -> tuple[int, str]:
        """The hosts that could know a place or program of this path or key, and what they are called."""
        if text.startswith("/"):
            return self.linux, "hosts" if self.linux == self.hosts else "Linux hosts"
        if "\\" in text and not text.startswith("<host>"):
            return self.windows, "hosts" if self.windows == self.hosts else "Windows hosts"
        return self.hosts, "hosts"


def fleet(connection: sqlite3.Connection) -> Fleet:
    """The denominators of all rarity."""
    return remembered(connection, "fleet", counted_fleet)


def counted_fleet(connection: Any) -> Fleet:
    """`fleet`, of a case that may be growing."""
    row = connection.execute(f"""SELECT count(*), coalesce(sum(linux), 0), coalesce(sum(windows), 0) FROM (SELECT
        EXISTS (SELECT 1 FROM files f WHERE f.host_id = h.host_id AND f.key >= '/' AND f.key < '0') AS linux,
        EXISTS (SELECT 1 FROM files f WHERE f.host_id = h.host_id AND f.key >= '0')
        OR EXISTS (SELECT 1 FROM files f WHERE f.host_id = h.host_id AND f.key < '/')
        OR EXISTS (SELECT 1 FROM registry_values v WHERE v.host_id = h.host_id) AS windows FROM ({_REPORTING}) h)""").fetchone()
    return Fleet(*row)


@dataclass(frozen=True)
class Rare:
    """One pair or content: on how many hosts of how many it is known, since when, and the sentence that says it.

    `first_event` is the first event, `host` where that was. Of a content, `subject` is its hash and `object` the folder it was
    first seen in.
    """

    kind: str
    subject: str
    object: str
    hosts: int
    of: int
    events: int | None
    first: str
    last: str
    host: str
    first_event: int
    sentence: str


def rare(connection: sqlite3.Connection, kind: str | None = None, host: str | None = None, since: str | None = None,
         limit: int | None = None) -> Iterator[Rare]:
    """The rarest first (hosts, then events, then first seen); pairs of one kind or of all, or contents.

    `host` is part of a host's name: pairs first seen there. `since`: first seen from then on. Contents are only those that are on
    one host, and first came in a folder of the system.
    """
    if kind == CONTENT:
        return _contents(connection, host, since, limit)
    return _pairs(connection, kind, host, since, limit)


def sentence(one: Fleet, kind: str, subject: str, object_: str, hosts: int, first: str) -> tuple[int, str]:
    """The denominator and the sentence of a pair."""
    whole, word = one.of(object_)
    said = ("files without an ending in " + object_) if kind == KINDS[2] and not subject else _SAID[kind].format(
        subject=subject, object=object_)
    return whole, f"{hosts:,} of {whole:,} {word} {'knows' if hosts == 1 else 'know'} {said}, first seen {shown(first)}."


def shown(time: str) -> str:
    """A canonical time as sentences have it."""
    return f"{time[:10]} {time[11:19]}"


def _pairs(connection: sqlite3.Connection, kind: str | None, host: str | None, since: str | None,
           limit: int | None) -> Iterator[Rare]:
    conditions, values = _narrowed(host, since, "r.first")
    if kind is not None:
        conditions.append("r.kind = ?")
        values.append(kind)
    whole = fleet(connection)
    # CROSS JOIN keeps the order of the index where one kind is asked for; events and hosts are looked up for what is shown.
    rows = connection.execute(f"""
        SELECT r.kind, r.subject, r.object, r.hosts, r.events, r.first, r.last, h.name, e.id FROM rarity r
        CROSS JOIN events e ON e.id = r.first_event_id CROSS JOIN hosts h ON h.id = e.host_id
        {'WHERE ' + ' AND '.join(conditions) if conditions else ''}
        ORDER BY r.hosts, r.events, r.first, r.kind, r.subject, r.object {_limit(limit)}""", values)
    for kind_, subject, object_, hosts, events, first, last, name, event in rows:
        of, said = sentence(whole, kind_, subject, object_, hosts, first)
        yield Rare(kind_, subject, object_, hosts, of, events, first, last, name, event, said)


def _contents(connection: sqlite3.Connection, host: str | None, since: str | None, limit: int | None) -> Iterator[Rare]:
    conditions, values = _narrowed(host, since, "s.first")
    whole, told = fleet(connection), 0
    # Rows of contents that are one content have the same first event; that event's own row speaks for them all.
    rows = connection.execute(f"""
        SELECT coalesce(k.sha256, k.sha1, k.md5), f.key, f.path, s.hosts, s.files, s.first, s.last, h.name, e.id
        FROM content_spread s JOIN events e ON e.id = s.first_event_id JOIN hosts h ON h.id = s.first_host_id
        JOIN contents k ON k.id = s.content_id JOIN files f ON f.id = e.file_id
        WHERE s.hosts = 1 AND e.content_id = s.content_id {''.join(' AND ' + one for one in conditions)}
        ORDER BY s.files, s.first, 1, 2, h.key""", values)
    for digest, key, path, hosts, files, first, last, name, event in rows:
        folder = key[: max(key.rfind("\\"), key.rfind("/"))] or key[:1]
        if not places.is_system(folder):
            continue
        if limit is not None and told == limit:
            return
        told += 1
        of, word = whole.of(key)
        more = f" and in {files - 1:,} more files" if files > 1 else ""
        yield Rare(CONTENT, digest, folder, hosts, of, None, first, last, name, event,
                   f"{hosts:,} of {of:,} {word} has the content {digest[:8]}…: {path}{more}, first seen {shown(first)}.")


def _narrowed(host: str | None, since: str | None, first: str) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if host is not None:
        conditions.append("h.name LIKE ? ESCAPE '!'")
        values.append("%" + host.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%")
    if since is not None:
        conditions.append(f"{first} >= ?")
        values.append(since)
    return conditions, values


def _limit(limit: int | None) -> str:
    return "" if limit is None else f"LIMIT {limit}"


def before(first: str, this: str) -> str:
    """`with this change`, or `3 minutes before this change`."""
    span = arrivals.seconds(this) - arrivals.seconds(first)
    return "first seen with this change" if span <= 0 else f"first seen {arrivals.lasting(span)} before this change"
