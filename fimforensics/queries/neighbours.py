"""The few events on the same host close in time to one event.

First those of things that bear its file's name in theirs, then of the same process, then in the same folder, then the rest.
Looks through the host's index by time, at most `LOOKED_AT` events before and as many after; each thing is told once.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from fimforensics import paths
from fimforensics.queries import entities
from fimforensics.queries.trace_rank import apart

MINUTES, MOST, LOOKED_AT = 2, 7, 400
ALIKE = 2  # of one process in one folder, where nothing else joins them with the event
SHORTEST = 6  # letters of a name that is looked for in others
_BESIDE = """SELECT e.id, e.time, e.process_id, e.file_id, e.registry_value_id, c.change, coalesce(f.key, v.key), e.account_id
    FROM (SELECT * FROM events INDEXED BY events_host WHERE host_id = ?1 AND {bound}
    AND id < (SELECT events_end FROM case_info) ORDER BY time {order} LIMIT {most}) e JOIN changes c ON c.id = e.change_id
    LEFT JOIN files f ON f.id = e.file_id LEFT JOIN registry_values v ON v.id = e.registry_value_id"""


@dataclass(frozen=True)
class Neighbour:
    """An event near another one, and why it is told: `its name`, `same process`, `same folder` (or key), or `same host`."""

    event: int
    time: str
    change: str
    kind: str
    name: str
    process: str | None
    account: str | None
    why: str
    seconds: float


def neighbours(db: sqlite3.Connection, event: int, most: int = MOST, minutes: int = MINUTES) -> list[Neighbour]:
    """The events nearest to an event, in order of time, without those of the same file or value."""
    here = db.execute("SELECT e.host_id, e.time, e.process_id, e.file_id, e.registry_value_id, coalesce(f.key, v.key) "
                      "FROM events e LEFT JOIN files f ON f.id = e.file_id LEFT JOIN registry_values v "
                      "ON v.id = e.registry_value_id WHERE e.id = ?", (event,)).fetchone()
    if here is None:
        return []
    host, time, process, *thing, key = here
    seen, found, alike = {tuple(thing)}, [], Counter[tuple]()
    near = ((why, apart(time, row[1]), row) for row in _near(db, host, time, minutes)
            for why in (_why(row, process, key, thing[0]),) if row[0] != event)
    for why, seconds, row in sorted(near, key=lambda one: (_WHYS.index(one[0]), one[1], one[2][1], one[2][6] or "", one[2][5])):
        if (row[3], row[4]) not in seen:
            seen.add((row[3], row[4]))
            place = row[2], paths.folder(row[6] or "")
            alike[place] += why == "same host"
            if alike[place] > ALIKE:
                continue
            found.append(_told(db, row, why, seconds))
        if len(found) == most:
            break
    return sorted(found, key=lambda one: (one.time, one.name))


_WHYS = ("its name", "same process", "same folder", "same host")


def _near(db: sqlite3.Connection, host: int, time: str, minutes: int) -> list[tuple]:
    middle, reach = datetime.fromisoformat(time[:26]), timedelta(minutes=minutes)
    low = "" if middle < datetime.min + reach else (middle - reach).isoformat()[:26]
    high = "~" if middle > datetime.max - reach else (middle + reach).isoformat()[:26] + "~"
    rows: dict[int, tuple] = {}
    for bound, order, edge in (("time BETWEEN ?3 AND ?2", "DESC", low), ("time BETWEEN ?2 AND ?3", "ASC", high)):
        for row in db.execute(_BESIDE.format(bound=bound, order=order, most=LOOKED_AT), (host, time, edge)):
            rows[row[0]] = row
    return list(rows.values())


def _folder(key: str | None, file: int | None) -> str | None:
    return None if key is None else paths.folder(key) if file is not None else key


def _why(row: tuple, process: int | None, key: str | None, file: int | None) -> str:
    name, folder = paths.last_segment(key or "") if file is not None else "", _folder(key, file)
    if len(name) >= SHORTEST and name in (row[6] or ""):
        return "its name"
    if process is not None and row[2] == process:
        return "same process"
    return "same folder" if folder and _folder(row[6], row[3]) == folder else "same host"


def _told(db: sqlite3.Connection, row: tuple, why: str, seconds: float) -> Neighbour:
    event, time, process, file, value, change, _, account = row
    kind, number = ("file", file) if file is not None else ("registry value", value)
    return Neighbour(event, time, change, kind, entities.name(db, kind, number) if number is not None else "",
                     entities.name(db, "process", process) if process is not None else None,
                     entities.name(db, "account", account) if account is not None else None, why, seconds)
