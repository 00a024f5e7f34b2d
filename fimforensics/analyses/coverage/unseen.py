"""What was changed while nobody could see it: changes that only what came after a silence betrays.

Betrayed it is by the first events after the silence; by the next observation of an agentless scan; by a copy of the old
content that was kept under another name (`tool.prev`, `su.dpkg-tmp`) and is not the content last seen; by a renamed file that
brings other content to its new name; and by a registry value whose old data is not what was last set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END, Finding
from fimforensics.analyses.coverage.silences import FLEET_SILENT, SILENT, Silence, clock
from fimforensics.programs import bare, installs

RULE = "change under silence"
SOON, SCAN, NEXT_SCAN = 300, 3600, 36 * 3600  # seconds after a silence: of first events; of one scan; until a scan must come
ONE_BY_ONE = 5  # changes under one silence that are told apart; more are one finding
MOST = 1_000  # events that one finding stands on
KEPT = re.compile(r"(?P<of>.+?)(?:~|\.(?:prev|previous|bak|backup|old|orig|save|dpkg-tmp|dpkg-old|rpmsave|rpmorig|pacsave))",
                  re.IGNORECASE).fullmatch

_AFTER = f"""
    SELECT e.id, e.time, e.process_id, e.account_id, v.file_id, v.content_id, f.path, p.image_key, p.name, a.name
    FROM events e JOIN file_versions v ON v.begun_by = e.id JOIN files f ON f.id = v.file_id
    LEFT JOIN processes p ON p.id = e.process_id LEFT JOIN accounts a ON a.id = e.account_id
    WHERE e.host_id = ? AND e.time >= ? AND e.time < ? AND +e.id < {EVENTS_END} AND v.differs = 'yes' AND v.state = 'present'
    ORDER BY e.time, e.match_key, e.ordinal"""
_NO_ACTOR = f"""
    SELECT e.time FROM events e WHERE e.host_id = ? AND e.time >= ? AND e.time < ? AND +e.id < {EVENTS_END}
    AND e.process_id IS NULL AND e.account_id IS NULL ORDER BY e.time LIMIT 1"""
_RENAMED = f"""
    SELECT e.id, e.time, v.file_id, f.path, o.path, l.time
    FROM events e JOIN file_versions v ON v.begun_by = e.id JOIN files f ON f.id = v.file_id
    JOIN file_versions b ON b.id = v.previous_id JOIN events l ON l.id = b.last_event_id
    LEFT JOIN paths o ON o.id = e.original_path_id
    WHERE e.host_id = ? AND e.time > ? AND +e.id < {EVENTS_END} AND v.differs = 'yes'
    AND e.change_id IN (SELECT id FROM changes WHERE kind = 'file' AND change = 'Renamed')
    ORDER BY e.time, e.match_key, e.ordinal"""
_VALUES = """
    SELECT v.last_event_id, v.until, v.since, v.data_event_id, r.path, r.id FROM registry_values r
    JOIN registry_versions v ON v.registry_value_id = r.id
    WHERE r.host_id = ? AND v.begun_by IS NULL AND v.since IS NOT NULL ORDER BY v.until, r.key, r.name"""
_COPIES = """
    SELECT v.begun_by, v.since, v.content_id, f.path FROM file_versions v JOIN files f ON f.id = v.file_id
    WHERE v.file_id = ? AND v.since > ? AND v.content_id IS NOT NULL ORDER BY v.since, v.id"""
_BEFORE = """
    SELECT v.state, v.content_id, l.time, v.file_id, f.path FROM files f JOIN file_versions v ON v.file_id = f.id
    JOIN events l ON l.id = v.last_event_id
    WHERE f.host_id = ? AND f.key = ? AND v.since < ? ORDER BY v.since DESC, v.id DESC LIMIT 1"""


@dataclass(frozen=True)
class _Hit:
    """One change that came to light: by which event, of what, and how."""

    event: int
    time: str
    name: str
    how: str
    file: int | None = None
    value: int | None = None
    process: int | None = None
    account: int | None = None


def unseen(db: apsw.Connection, silences: Sequence[Silence]) -> Iterator[Finding]:
    """The findings, silence by silence; the tables of versions must be there with their indexes."""
    gaps = [one for one in silences if one.kind in (SILENT, FLEET_SILENT)]
    for _, group in groupby(gaps, key=lambda one: one.host.key):
        own = list(group)
        hits: dict[int, list[_Hit]] = {at: [] for at in range(len(own))}
        for at, silence in enumerate(own):
            hits[at] += [*_first(db, silence), *_scanned(db, silence)]
        for last_seen, hit in (*_copied(db, own[0]), *_renamed(db, own[0]), *_registry(db, own[0].host.id)):
            between = [at for at, one in enumerate(own) if last_seen <= one.since and one.until <= hit.time]
            if between:
                hits[between[-1]].append(hit)
        for at, silence in enumerate(own):
            yield from _findings(silence, hits[at])


def _findings(silence: Silence, hits: list[_Hit]) -> Iterator[Finding]:
    unlike = list({hit.event: hit for hit in reversed(hits)}.values())[::-1]
    during = f"{silence.host.name} was silent from {clock(silence.since)} to {clock(silence.until)}"
    if len(unlike) > ONE_BY_ONE:
        unlike.sort(key=lambda hit: hit.time)
        events = [hit.event for hit in unlike]
        yield Finding(RULE, f"{during}, and {len(unlike):,} changes came to light after it: the first is that {unlike[0].name} "
                            f"{unlike[0].how}.", (*events[:MOST - 1], events[-1]), host_id=silence.host.id)
        return
    for hit in unlike:
        yield Finding(RULE, f"{during}; {hit.name} {hit.how}.", (hit.event,), host_id=silence.host.id, file_id=hit.file,
                      registry_value_id=hit.value, process_id=hit.process, account_id=hit.account)


def _later(time: str, more: int) -> str:
    return (datetime.fromisoformat(time[:19]) + timedelta(seconds=more)).isoformat() + time[19:]


def _first(db: apsw.Connection, silence: Silence) -> Iterator[_Hit]:
    """Files whose content was changed by the first events after the silence, unless a package manager patched several hosts."""
    host, until = silence.host.id, silence.until
    for event, time, process, account, file, content, path, image, name, who in db.execute(
            _AFTER, (host, until, _later(until, SOON))):
        if process is None and account is None:
            continue  # an observation, told below
        if installs(bare(image) or name) and content is not None and _elsewhere(db, host, content):
            continue
        by = f" by {name}" * bool(name) + f" ({who})" * bool(who)
        yield _Hit(event, time, path, f"was given other content{by} at {clock(time)}, right after", file, None, process, account)


def _scanned(db: apsw.Connection, silence: Silence) -> Iterator[_Hit]:
    """Files that the first scan after the silence found changed."""
    host, until = silence.host.id, silence.until
    begin = sql.first(db, _NO_ACTOR, (host, until, _later(until, NEXT_SCAN)))
    if begin is None:
        return
    for event, time, process, account, file, _, path, *_ in db.execute(_AFTER, (host, begin[0], _later(begin[0], SCAN))):
        if process is None and account is None:
            yield _Hit(event, time, path, f"was found with other content when the host was next looked at, {clock(time)}", file)


def _elsewhere(db: apsw.Connection, host: int, content: int) -> bool:
    """Is the content on another host, too?"""
    return sql.first(db, "SELECT 1 FROM (SELECT file_id FROM file_versions WHERE content_id = ? LIMIT 1000) v "
                         "JOIN files f ON f.id = v.file_id WHERE f.host_id <> ? LIMIT 1", (content, host)) is not None


def _copied(db: apsw.Connection, first: Silence) -> Iterator[tuple[str, _Hit]]:
    """Copies of a file's old content that are not what the file was last seen with; with that file's last event's time."""
    host = first.host.id
    for number, key in db.cursor().execute("SELECT id, key FROM files WHERE host_id = ? ORDER BY key", (host,)):
        told = KEPT(key)
        if told is None:
            continue
        for event, time, content, path in sql.rows(db, _COPIES, (number, first.until)):
            base = sql.first(db, _BEFORE, (host, told["of"], time))
            if base is None or base[0] != "present" or base[1] is None or not _other(db, base[1], content):
                continue
            yield base[2], _Hit(event, time, base[4], f"then had other content than when it was last seen ({clock(base[2])}), as "
                                f"the copy of it shows that was kept as {path} at {clock(time)}; nothing tells of the change",
                                base[3])


def _renamed(db: apsw.Connection, first: Silence) -> Iterator[tuple[str, _Hit]]:
    """Files that brought other content to a new name than they were last seen with."""
    for event, time, file, path, was, seen in db.execute(_RENAMED, (first.host.id, first.until)):
        yield seen, _Hit(event, time, path, f"had other content when it came there from {was} at {clock(time)} than when it was "
                         f"last seen ({clock(seen)}); nothing tells of the change", file)


def _registry(db: apsw.Connection, host: int) -> Iterator[tuple[str, _Hit]]:
    """Registry values whose old data tells of a change that nothing else tells of."""
    for event, until, since, data_event, path, number in db.execute(_VALUES, (host,)):
        if until is not None:
            how = (f"then had other data than when it was last seen ({clock(since)}), as the change of {clock(until)} shows; "
                   "nothing tells of the change")
            yield since, _Hit(data_event or event, until, path, how, None, number)


def _other(db: apsw.Connection, one: int, content: int) -> bool:
    """Do the two contents differ for sure: a hash that both have is not the same?"""
    rows = sql.rows(db, "SELECT sha256, sha1, md5 FROM contents WHERE id IN (?, ?)", (one, content))
    return len(rows) == 2 and any(mine and its and mine != its for mine, its in zip(*rows, strict=True))
