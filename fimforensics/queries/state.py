"""What every known file and registry value held at a time, and how that is known.

A state is the period (of `file_versions`, `registry_versions`) that covers the time. Before the first one a thing is absent if
that begins with its creation, else unknown. `doubt` says where the host was not reporting between the event that tells the
state and the time asked about: it may have changed unseen.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from fimforensics import paths
from fimforensics.queries.reporting import Host, told

FILE, REGISTRY = "file", "registry value"
PRESENT, ABSENT, UNKNOWN = "present", "absent", "unknown"
INFERRED = "inferred from old value"
_TELLING = {"hash": "hash seen at {}", "size": "size seen at {}, no hash", "event only": "change seen at {}, content unknown",
            "data": "data seen at {}", "deleted": "deleted at {}", "moved away": "moved away by a rename at {}",
            "key deleted": "its key was deleted at {}", INFERRED: "data seen at {} as the old data"}


@dataclass(frozen=True)
class Content:
    """What a file held (hashes, size) or a registry value (data, its type), as far as it is known."""

    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None
    size: int | None = None
    data: str | None = None
    type: str | None = None


NOTHING = Content()


@dataclass(frozen=True)
class State:
    """A file or registry value at a time. What is not known is None; `key` and `name` compare, `path` is for people."""

    host: str
    kind: str
    path: str
    key: str
    name: str | None
    id: int
    state: str
    basis: str | None
    content: Content
    since: str | None
    until: str | None
    seen: str | None  # when the event that tells the state was
    event: int | None
    version: int | None  # the period; None before the first one
    how: str
    doubt: str | None

    @property
    def order(self) -> tuple[bool, str, bool, str]:
        """Where it stands among those of its host: files first, then by keys."""
        return self.kind != FILE, self.key, self.name is not None, self.name or ""


# The period that covers the time, else the first one; equal times of periods are told apart by what ends later. Of files, events
# are looked up only where they tell more than the period: of one event, or the first of a chain, it tells everything.
_FILES = """SELECT f.id, f.path, f.key, NULL, v.id, v.state, v.basis, v.since, v.until, v.before, v.events, v.begun_by, v.since,
    v.last_event_id, coalesce(l.time, v.since), CASE WHEN l.id IS NULL THEN b.id IS NULL OR b.content_id IS NOT NULL
    ELSE l.content_id IS NOT NULL END, b.id IS NULL OR b.content_id IS NOT NULL, NULL, NULL,
    k.sha256, k.sha1, k.md5, coalesce(v.size, k.size), NULL, NULL
    FROM files f JOIN file_versions v ON v.id = coalesce(
        (SELECT id FROM file_versions WHERE file_id = f.id AND since <= :at AND (until IS NULL OR until > :at)
         ORDER BY since DESC LIMIT 1),
        (SELECT id FROM file_versions WHERE file_id = f.id ORDER BY since, before IS NULL, until IS NULL, until, id LIMIT 1))
    LEFT JOIN events b ON b.id = v.begun_by AND v.previous_id IS NOT NULL
    LEFT JOIN events l ON l.id = v.last_event_id AND v.last_event_id <> v.begun_by LEFT JOIN contents k ON k.id = v.content_id
    WHERE f.host_id = :host {} ORDER BY f.key"""
_VALUES = """SELECT f.id, f.path, f.key, f.name, v.id, v.state, v.basis, v.since, v.until, v.before, v.events, v.begun_by, b.time,
    l.id, l.time, l.new_data IS NOT NULL, v.begun_by IS v.data_event_id, d.id, d.time, NULL, NULL, NULL, NULL,
    CASE v.basis WHEN 'event only' THEN NULL WHEN 'data' THEN coalesce(d.new_data, '') ELSE coalesce(d.old_data, '') END,
    CASE v.basis WHEN 'data' THEN r.new_type ELSE r.old_type END
    FROM registry_values f JOIN registry_versions v ON v.id = coalesce(
        (SELECT id FROM registry_versions WHERE registry_value_id = f.id AND since <= :at AND (until IS NULL OR until > :at)
         ORDER BY since DESC LIMIT 1),
        (SELECT id FROM registry_versions WHERE registry_value_id = f.id AND since IS NULL AND (until IS NULL OR until > :at)),
        (SELECT id FROM registry_versions WHERE registry_value_id = f.id
         ORDER BY since, before IS NULL, until IS NULL, until, id LIMIT 1))
    LEFT JOIN events b ON b.id = v.begun_by LEFT JOIN events l ON l.id = v.last_event_id
    LEFT JOIN events d ON d.id = v.data_event_id LEFT JOIN registry_reports r ON r.id = d.registry_report_id
    WHERE f.host_id = :host {} ORDER BY f.key, f.name"""
_FILE_FITS = "AND (f.key GLOB :key OR f.path GLOB :said OR (f.key NOT GLOB '/*' AND f.key GLOB :lower))"
_VALUE_FITS = "AND (f.key || coalesce('\\' || f.name, '') GLOB :key OR f.path GLOB :said)"


def states(connection: sqlite3.Connection, host: Host, at: str, kind: str | None = None, glob: str | None = None
           ) -> Iterator[State]:
    """Every file and registry value of a host at a time (END: when last heard of), ordered by `State.order`.

    `kind` is FILE or REGISTRY. A `glob` is looked for anywhere; with a * (any text, over folders too) or ? in it, it is a
    pattern for the whole. It fits paths and their comparison keys.
    """
    for name, sql, fits, fold in ((FILE, _FILES, _FILE_FITS, paths.file_key), (REGISTRY, _VALUES, _VALUE_FITS, _fold)):
        if kind in (None, name):
            values = {"at": at, "host": host.id} | _patterns(glob, fold)
            for row in connection.execute(sql.format("" if glob is None else fits), values):
                yield _state(connection, host, at, name, row)


def known(connection: sqlite3.Connection, kind: str | None = None, glob: str | None = None) -> dict[int, int]:
    """How many files and registry values each host has, by its number: as many as `states` looks at."""
    found: Counter[int] = Counter()
    for name, table, fits, fold in ((FILE, "files", _FILE_FITS, paths.file_key),
                                    (REGISTRY, "registry_values", _VALUE_FITS, _fold)):
        if kind in (None, name):
            found.update(dict(connection.execute(
                f"SELECT f.host_id, count(*) FROM {table} f WHERE 1 {'' if glob is None else fits} GROUP BY f.host_id",
                _patterns(glob, fold))))
    return dict(found)


def _patterns(glob: str | None, fold: Callable[[str], str]) -> dict[str, str]:
    if glob is None:
        return {}
    end = "" if "*" in glob or "?" in glob else "*"  # as everywhere, a text without them is looked for anywhere
    told = {"key": fold(glob), "said": glob, "lower": paths.lower(glob.replace("/", "\\"))}
    return {name: f"{end}{text}{end}" for name, text in told.items()}


def _fold(glob: str) -> str:
    return paths.registry_key(glob, None)


def _state(connection: sqlite3.Connection, host: Host, at: str, kind: str, row: tuple) -> State:
    number, path, key, name, version, state, basis, since, until, before, events, begun_by, begun = row[:13]
    last, last_time, hashed, begun_hashed, data_event, data_time, *content = row[13:]
    made = partial(State, host.name, kind, path, key, name, number)
    if since is not None and since > at:
        created = before == ABSENT
        return made(ABSENT if created else UNKNOWN, None, NOTHING, None, since, since, begun_by, None,
                    _before(created, since, state), host.gap(at, since) if created else None)
    if until is not None and until <= at:
        return made(UNKNOWN, None, NOTHING, until, None, None, None, None, "nothing tells what became of it", None)
    if basis == INFERRED and at < data_time:
        return made(UNKNOWN, basis, NOTHING, since, until, data_time, data_event, version, _unseen(since, data_time), None)
    event, seen = (last, last_time) if last is not None else (data_event, data_time)
    if seen > at:  # seen again after the time asked about
        found = _seen(connection, kind, number, at, since) if events > 1 else None
        event, seen, hashed = found or (begun_by, begun, begun_hashed)
    word = "data" if basis == INFERRED and begun_by is not None else basis  # such data went along with a rename of their key
    how = _TELLING[word].format(told(since if state == ABSENT else seen))
    if word in ("hash", "data") and not hashed:
        how = _TELLING[word].format(told(since)) if begun_hashed else f"content carried along by a rename at {told(since)}"
    doubt = host.gap(seen, at) if seen <= at else None
    return made(state, basis, NOTHING if state == ABSENT else Content(*content), since, until, seen, event, version, how, doubt)


def _before(created: bool, since: str, state: str) -> str:
    """How a state before the first event is known."""
    if created:
        return f"created later, at {told(since)}"
    return f"first event later, {'deleted ' if state == ABSENT else ''}at {told(since)}: what was there before is unknown"


def _unseen(since: str | None, until: str) -> str:
    if since is None:
        return f"inferred: its data were first reported as the old data at {told(until)}, since when it had them is unknown"
    return f"inferred: changed unseen between {told(since)} and {told(until)}"


def _seen(connection: sqlite3.Connection, kind: str, number: int, at: str, since: str) -> tuple[int, str, int] | None:
    """The last event of the thing in the period, up to the time: id, time, whether it tells a content."""
    column = "file_id" if kind == FILE else "registry_value_id"
    return connection.execute(
        f"SELECT id, time, coalesce(content_id, new_data) IS NOT NULL FROM events WHERE {column} = ? AND +time <= ? "
        "AND +time >= ? AND id < (SELECT events_end FROM case_info) ORDER BY +time DESC, match_key DESC, ordinal DESC LIMIT 1",
        (number, at, since or "")).fetchone()
