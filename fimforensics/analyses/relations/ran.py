"""The rule `became process`: a file written where anyone may write, that then ran and changed something.

One finding tells of one version of a file, however many processes ran it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import apsw

from fimforensics import places, programs, sql
from fimforensics.analyses.contract import EVENTS_END, Finding
from fimforensics.analyses.relations import became
from fimforensics.analyses.relations.wording import clock, counted, later, who
from fimforensics.queries.rules import BY_NAME

RAN = BY_NAME["became process"]
_TOLD = 50  # events of a process that a finding stands on
_OTHERS = 20  # processes beside the first that a finding looks at
_SPREAD = 5  # hosts from which on a program that most of them run is told as `low`


@dataclass(frozen=True)
class _Ran:
    """One row of `became` with what is said of it."""

    version: int
    begun_by: int
    since: str
    file_id: int
    key: str
    path: str
    host_id: int
    host: str
    content_id: int | None
    writer_id: int | None
    writer: str | None
    writer_key: str | None
    account_id: int | None
    account: str | None
    basis: str
    start: str
    process_id: int
    pid: int | None
    image_key: str
    image: str
    change: str


@dataclass(frozen=True)
class _Suspect:
    """What findings told of as `high` so far: contents, each with the host where it was first, and processes."""

    contents: dict[int | None, str]
    processes: set[int | None]


_RAN = """SELECT b.version_id, v.begun_by, v.since, f.id, f.key, coalesce(p.path, f.path), h.id, h.name, v.content_id,
        w.id, w.name, w.image_key, v.account_id, a.name, b.basis, max(b.start, v.since), r.id, r.pid, r.image_key,
        coalesce((SELECT min(i.path) FROM process_reports g JOIN images i ON i.id = g.image_id WHERE g.process_id = r.id),
                 r.name), c.change
    FROM became b CROSS JOIN file_versions v ON v.id = b.version_id CROSS JOIN files f ON f.id = b.file_id
        CROSS JOIN hosts h ON h.id = f.host_id CROSS JOIN processes r ON r.id = b.process_id
        CROSS JOIN events e ON e.id = v.begun_by CROSS JOIN changes c ON c.id = e.change_id
        LEFT JOIN paths p ON p.id = e.path_id
        LEFT JOIN processes w ON w.id = v.process_id LEFT JOIN accounts a ON a.id = v.account_id
    ORDER BY v.since, h.key, f.key, e.match_key, e.ordinal, b.start, r.pid, r.image_key, r.created"""


def findings(db: apsw.Connection) -> Iterator[Finding]:
    """The findings in order of time; the temporary table `became` is gone after them."""
    hosts = sql.cell(db, "SELECT count(*) FROM hosts")
    _spread(db)
    suspect = _Suspect({}, set())
    told = (_Ran(*row) for row in db.cursor().execute(_RAN))
    for _, group in groupby(told, attrgetter("version")):
        kept = (one for one in group if _looked_at(one, suspect))
        if (first := next(kept, None)) is not None:
            yield _ran(db, first, [one.process_id for one in kept], hosts, suspect)
    became.clear(db)
    for table in ("became_hosts", "became_paths"):
        db.execute(f"DROP TABLE {table}")


def _looked_at(one: _Ran, suspect: _Suspect) -> bool:
    """Does it lie where anyone may write, or was it written by a server or by what lies there, or by what is suspect?

    A copy known by its hash alone must have run from such a folder too: installers unpack to one what they lay elsewhere.
    """
    writer = one.writer_key or ""
    if one.writer_id in suspect.processes or one.content_id in suspect.contents:
        return True
    if programs.serves(one.writer or "", writer) or places.loose(writer):
        return True
    return places.writable(one.key) and (one.basis != "hash" or places.writable(one.image_key))


def _ran(db: apsw.Connection, first: _Ran, others: list[int], hosts: int, suspect: _Suspect) -> Finding:
    """The finding of one version of a file: of the first process that ran it, and of how many others did."""
    served = programs.serves(first.writer or "", first.writer_key or "")
    files, values, lasting = _changed(db, first.process_id)
    by_it = lasting is not None
    for process in others[:_OTHERS]:
        lasting = lasting or _changed(db, process)[2]
    on = _hosts_with(db, first)
    common = on >= _SPREAD and on * 2 >= hosts
    known = suspect.contents.get(first.content_id)
    high = served or known is not None or first.writer_id in suspect.processes or (lasting is not None and not common)
    if high:
        suspect.processes.update((first.process_id, *others))
        if first.content_id is not None and not common:
            suspect.contents.setdefault(first.content_id, first.host)
    more = f"; {len(others):,} more process{'' if len(others) == 1 else 'es'} ran from it later" if others else ""
    among = ", " if files + values == 1 else ", among them "
    last = "" if lasting is None else f"{among}{lasting}" if by_it else f", and one of these changed {lasting}"
    same = f" ({'the same content as on ' + known if known != first.host else 'a content told of before'})" if known else ""
    sentence = (f"{first.host}: {who(first.writer, first.account)}{_asked(db, first.begun_by)} "
                f"{'put' if first.change == 'Renamed' else 'wrote'} {first.path}"
                f"{' there by renaming' if first.change == 'Renamed' else ''} at {clock(first.since)}{same}; "
                f"{later(first.since, first.start)} {_as_what(first)} and changed {counted(files, values)}"
                f"{last + more if by_it else more + last}{f'; {on} of {hosts} hosts had the same' if common else ''}.")
    events = _events(db, first, first.process_id, _TOLD)
    for process in others[:_OTHERS]:
        events += _events(db, first, process, 1)
    severity = "high" if high else "low" if common else "medium"
    return Finding(RAN.name, sentence, (first.begun_by, *(one[-1] for one in sorted(events))), severity, first.host_id,
                   first.file_id, None, first.process_id, first.account_id, first.content_id)


def _asked(db: apsw.Connection, event: int) -> str:
    """On whose behalf, and from where, the file was written, where that came over the network."""
    row = sql.first(db, "SELECT a.name, t.ip FROM events e JOIN requests t ON t.id = e.request_id "
                        "LEFT JOIN accounts a ON a.id = t.account_id WHERE e.id = ?", (event,))
    return "" if row is None else "".join(f" {word} {told}" for word, told in zip(("for", "from"), row, strict=True) if told)


def _as_what(one: _Ran) -> str:
    process = "a process without known number" if one.pid is None else f"process {one.pid}"
    if one.basis == "hash":
        return f"the same content ran from {one.image} as {process}"
    return f"it ran as {process}" if one.basis == "hash and path" else \
        f"{process} ran from this path (no hash tells whether it was this content)"


def _changed(db: apsw.Connection, process: int) -> tuple[int, int, str | None]:
    """How many files and registry values a process changed, and what it first wrote in a system folder or place of starts."""
    files: set[int] = set()
    values: set[int] = set()
    lasting: tuple[str, str, str] | None = None
    for kind, thing, relation, first, key, path, name in db.cursor().execute(
            "SELECT r.object_kind, r.object_id, r.relation, r.first, coalesce(f.key, v.key), coalesce(f.path, v.path), v.name "
            "FROM relations r LEFT JOIN files f ON r.object_kind = 'file' AND f.id = r.object_id "
            "LEFT JOIN registry_values v ON r.object_kind = 'registry value' AND v.id = r.object_id "
            "WHERE r.subject_kind = 'process' AND r.subject_id = ?", (process,)):
        (files if kind == "file" else values).add(thing)
        if relation != "deleted" and (lasting is None or (first, key, path) < lasting) and (
                places.lasting(key) if kind == "file" else places.lasting_value(key, name)):
            lasting = first, key, path
    return len(files), len(values), lasting and lasting[2]


def _spread(db: apsw.Connection) -> None:
    """`became_hosts` and `became_paths`: on how many hosts each content and each path that ran was seen."""
    db.execute("CREATE TEMP TABLE became_hosts (content_id INTEGER PRIMARY KEY, hosts INTEGER)")
    db.execute("INSERT INTO became_hosts SELECT v.content_id, count(DISTINCT f.host_id) FROM (SELECT DISTINCT o.content_id FROM "
               "became b CROSS JOIN file_versions o ON o.id = b.version_id WHERE o.content_id IS NOT NULL) t "
               "CROSS JOIN file_versions v ON v.content_id = t.content_id CROSS JOIN files f ON f.id = v.file_id "
               "GROUP BY v.content_id ORDER BY v.content_id")
    db.execute("CREATE TEMP TABLE became_paths (key TEXT PRIMARY KEY, hosts INTEGER) WITHOUT ROWID")
    db.execute("INSERT INTO became_paths SELECT f.key, count(DISTINCT f.host_id) FROM became b CROSS JOIN files f "
               "ON f.id = b.file_id GROUP BY f.key ORDER BY f.key")


def _hosts_with(db: apsw.Connection, one: _Ran) -> int:
    """On how many hosts the content lies, or a file of this path was run."""
    if one.content_id is not None:
        return int(sql.cell(db, "SELECT hosts FROM became_hosts WHERE content_id = ?", (one.content_id,)))
    return int(sql.cell(db, "SELECT hosts FROM became_paths WHERE key = ?", (one.key,)))


def _events(db: apsw.Connection, first: _Ran, process: int, most: int) -> list[tuple[str, bytes, int, int]]:
    """The first events of a process since the file was there (a clock may tell of earlier ones): their order, and their ids."""
    return sql.rows(db, f"SELECT time, match_key, ordinal, id FROM events WHERE process_id = ? AND id < {EVENTS_END} "
                        "AND +time >= ? ORDER BY time, match_key, ordinal LIMIT ?", (process, first.since, most))
