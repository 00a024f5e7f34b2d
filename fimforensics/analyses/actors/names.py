"""Names that mislead: machines with two names, names with two machines, process ids that several processes had."""

from __future__ import annotations

import re
from collections.abc import Iterator

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Finding

SHOWN = 5  # examples whose events a finding lists
_ADDRESS = re.compile(r"[0-9.]+|.*:.*").fullmatch


def two_names(db: apsw.Connection) -> Iterator[Finding]:
    """Hosts that report under several names, and pairs of hosts that may be one machine."""
    names: dict[int, dict[str, int]] = {}
    for host, report, name in sql.rows(db, """
            SELECT m.host_id, m.id, m.computer FROM machine_reports m JOIN hosts h ON h.id = m.host_id
            WHERE m.computer IS NOT NULL ORDER BY h.key, lower(m.computer), m.computer, m.id"""):
        names.setdefault(host, {}).setdefault(name.lower(), report)
    for host, reports in names.items():
        if len(reports) > 1:
            told = ", ".join(sorted(reports))
            same = len({_short(name) for name in reports}) == 1
            events = [_first(db, "e.host_id = ? AND e.machine_report_id = ?", (host, report)) for report in reports.values()]
            yield Finding("host with two names", f"One machine reports under {len(reports)} names: {told}"
                          f"{', short and in full' if same else ''}.", _in_time(events), "info" if same else "low", host)
    yield from _alike(db)


def _alike(db: apsw.Connection) -> Iterator[Finding]:
    hosts = sql.rows(db, "SELECT id, key, name FROM hosts ORDER BY key")
    by_short: dict[str, list[tuple[int, str, str]]] = {}
    for host, key, name in hosts:
        if not _ADDRESS(name):
            by_short.setdefault(_short(name), []).append((host, key, name))
    for group in by_short.values():
        full = {name.lower() for _, _, name in group if "." in name}
        if len(group) > 1 and (len(full) < len(group) and len(full) <= 1):
            events = [_first(db, "e.host_id = ?", (host,)) for host, _, _ in group]
            told = " and ".join(name for _, _, name in group)
            if any(events):
                yield Finding("host with two names", f"{told} are {len(group)} hosts in this case and may be one machine: "
                              "their names are alike, and what else is known of them does not make them one.",
                              _in_time(events), "low", group[0][0])


def _short(name: str) -> str:
    return name.lower().partition(".")[0]


def reused_pids(db: apsw.Connection) -> Iterator[Finding]:
    """One finding a host: how many of its process ids stood for several processes."""
    found: dict[int, list[tuple[str, int]]] = {}
    for host, name, pid in db.execute("""
            SELECT p.host_id, h.name, p.pid FROM processes p JOIN hosts h ON h.id = p.host_id WHERE p.pid IS NOT NULL
            GROUP BY p.host_id, p.pid HAVING count(DISTINCT p.created) > 1
                OR (count(*) > count(p.created) AND count(DISTINCT p.image_key) > 1) ORDER BY h.key, p.pid"""):
        found.setdefault(host, []).append((name, pid))
    for host, pids in found.items():
        name, pid = pids[0]
        events, words = [], ""
        for _, one in pids[:SHOWN]:
            rows = sql.rows(db, "SELECT id, name FROM processes WHERE host_id = ? AND pid = ? ORDER BY created, image_key, name "
                                "LIMIT 4", (host, one))
            events += [_first(db, "e.process_id = ?", (process,)) for process, _ in rows]
            names = [told for _, told in rows]
            words = words or (", then ".join(names) if len(set(names)) > 1 else f"several runs of {names[0]}")
        count = f"{len(pids):,} process ids" if len(pids) > 1 else "one process id"
        if any(events):
            yield Finding("reused pid", f"On {name} {count} stood for more than one process, as {pid} for {words}: go by the "
                          "process, not by its number.", _in_time(events), None, host)


def _first(db: apsw.Connection, where: str, values: tuple[int, ...]) -> tuple[str, bytes, int, int] | None:
    row = sql.first(db, f"SELECT e.time, e.match_key, e.ordinal, e.id FROM events e WHERE {where} AND e.id < {EVENTS_END} "
                        f"ORDER BY {IN_TIME} LIMIT 1", values)
    return None if row is None else (row[0], row[1], row[2], row[3])


def _in_time(events: list[tuple[str, bytes, int, int] | None]) -> tuple[int, ...]:
    return tuple(event[3] for event in sorted(event for event in events if event is not None))
