"""The findings of rarity: a program that writes in a folder of the system as on no other host, and did not from the beginning.

One finding a host, program and folder, with all its events; made from `rarity_hits`, which holds every event of a rare pair in a
folder of the system.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import Finding
from fimforensics.queries.rarity import KINDS, Fleet, before, shown
from fimforensics.queries.rules import BY_NAME

MOST, MOST_EVENTS = 1_000, 1_000  # findings, and events that one of them lists
HITS = """CREATE TEMP TABLE rarity_hits (host INTEGER, image INTEGER, folder INTEGER, time TEXT, key BLOB, ordinal INTEGER,
    event INTEGER, account INTEGER, place INTEGER);"""

ACTOR = BY_NAME["rare actor in a system folder"]


class _Actor(NamedTuple):
    """One program in one folder on one host; smaller is stronger, and the first event's key settles what is equal."""

    by_account: bool  # only the account with the program is rare
    events: int
    time: str
    key: bytes
    ordinal: int
    image: int
    folder: int
    account: int  # the first that is rare with this program; 0: none
    listed: array


def findings(db: apsw.Connection, text: Callable[[int], str], whole: Fleet) -> Iterator[Finding]:
    """The strongest findings, ordered by time; `text` gives the text of a number."""
    actors: list[_Actor] = []
    for actor in _actors(db):
        actors.append(actor)
        if len(actors) >= 2 * MOST:
            actors.sort(key=lambda one: one[:5])
            del actors[MOST + 1:]  # one more, so that it is known that there are more
    actors.sort(key=lambda one: one[:5])
    more = f" (Only the {MOST:,} strongest are told.)" if len(actors) > MOST else ""
    for actor in sorted(actors[:MOST], key=lambda one: one[2:5]):
        host, file, value, process, account = sql.rows(
            db, "SELECT host_id, file_id, registry_value_id, process_id, account_id FROM events WHERE id = ?",
            (actor.listed[0],))[0]
        yield Finding(ACTOR.name, _sentence(db, text, whole, actor) + more, tuple(actor.listed),
                      severity="low" if actor.by_account else None, host_id=host, file_id=file, registry_value_id=value,
                      process_id=process, account_id=account)


def _actors(db: apsw.Connection) -> Iterator[_Actor]:
    """The hits, one program in one folder on one host at a time."""
    hits = db.execute("SELECT * FROM rarity_hits ORDER BY host, image, folder, time, key, ordinal")
    for (_, image, folder), rows in groupby(hits, key=lambda row: row[:3]):
        events, rare, account, listed = 0, False, 0, array("q")
        begin: tuple[str, bytes, int] | None = None
        for _, _, _, time, key, ordinal, event, who, place in rows:
            begin, account = begin or (time, key, ordinal), account or who
            events, rare = events + 1, rare or bool(place)
            if len(listed) < MOST_EVENTS:
                listed.append(event)
        assert begin is not None
        yield _Actor(not rare, events, *begin, image, folder, account, listed)


def _sentence(db: apsw.Connection, text: Callable[[int], str], whole: Fleet, actor: _Actor) -> str:
    image, folder = text(actor.image), text(actor.folder)
    host, path, who = sql.rows(db, """SELECT h.name, coalesce(f.path, v.path), a.name FROM events e
        JOIN hosts h ON h.id = e.host_id LEFT JOIN files f ON f.id = e.file_id
        LEFT JOIN registry_values v ON v.id = e.registry_value_id
        LEFT JOIN accounts a ON a.id = e.account_id WHERE e.id = ?""", (actor.listed[0],))[0]
    if actor.by_account:
        kind, subject, object_ = KINDS[1], text(actor.account), image
        known, (of, word) = f"{subject} using {image}", whole.of(image)
    else:
        kind, subject, object_ = KINDS[0], image, folder
        known, (of, word) = f"this program in {folder}", whole.of(folder)
    first = sql.cell(db, "SELECT first FROM rarity WHERE kind = ? AND subject = ? AND object = ?", (kind, subject, object_))
    times = "once" if actor.events == 1 else f"{actor.events:,} times"
    listed = f" (the first {MOST_EVENTS:,} are listed)" if actor.events > MOST_EVENTS else ""
    return (f"On {host} {image}{f' as {who}' if who else ''} changed something in {folder} {times}{listed}, first {path} at "
            f"{shown(actor.time)}: 1 of {of:,} {word} knows {known}, {before(first, actor.time)}.")
