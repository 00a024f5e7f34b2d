"""The questions that Microsoft's own documents ask of these events, a section each: how much happened where, and by whom.

Where whole days are asked for, counts come from the rollup `event_counts`; what else is counted takes one look at the events or
at an index. Times that are odd (before 1980, after 2100) are counted only where no span is asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from fimforensics.queries.events import like
from fimforensics.queries.moments import EARLIEST, LATEST

BENEFIT = 500_000_000  # bytes a day for each machine under Defender for Servers Plan 2, pooled over its subscription
_MIDNIGHT = "T00:00:00.0000000Z"
_FINISHED = "e.id < (SELECT events_end FROM case_info)"
_NO_SUBSCRIPTION = "(not told)"


@dataclass(frozen=True)
class Scope:
    """Which events: from `since`, before `until` (UTC text, or both None), on these hosts (all when None)."""

    since: str | None = None
    until: str | None = None
    hosts: tuple[int, ...] | None = None
    values: dict[str, str | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", {"since": self.since, "until": self.until})

    def on(self, column: str) -> str:
        """The condition on a column of hosts."""
        return "1" if self.hosts is None else f"{column} IN ({', '.join(map(str, self.hosts))})"

    def where(self) -> str:
        """The condition on `events e`; with `values`."""
        return " AND ".join([_FINISHED, self.on("e.host_id"), *(["e.time >= :since AND e.time < :until"] if self.since else [])])


@dataclass(frozen=True)
class Section:
    """One question: its columns, and the rows that answer it, at most so many."""

    title: str
    columns: tuple[str, ...]
    rows: Callable[[sqlite3.Connection, Scope, int | None], Iterator[tuple]]


def scope(connection: sqlite3.Connection, since: str | None = None, until: str | None = None, host: str | None = None,
          subscription: str | None = None) -> Scope:
    """The scope of what a person named: part of a host's name or a pattern, the id of a subscription."""
    if since or until:
        since, until = since or EARLIEST, until or LATEST
    if host is None and subscription is None:
        return Scope(since, until)
    conditions, values = [], []
    if host is not None:
        conditions.append("name LIKE ? ESCAPE '!'")
        values.append(like(host))
    if subscription is not None:
        conditions.append("id IN (SELECT host_id FROM machine_reports WHERE azure_resource_id LIKE ? ESCAPE '!')")
        values.append(like(f"/subscriptions/{subscription}/*"))
    rows = connection.execute(f"SELECT id FROM hosts WHERE {' AND '.join(conditions)} ORDER BY key", values)
    return Scope(since, until, tuple(number for (number,) in rows))


def _counted(asked: Scope) -> str:
    """host_id, change_id, day, events: whole days out of the rollup, the parts of days at both ends out of the events."""
    of_days = f"SELECT host_id, change_id, day, events FROM event_counts WHERE {asked.on('host_id')}"
    if asked.since is None or asked.until is None:
        return of_days
    whole = asked.since[:10] if asked.since[10:] in ("", _MIDNIGHT) else _after(asked.since[:10])
    if whole >= asked.until[:10]:
        return _parts(asked, ":since", ":until")
    return (f"{_parts(asked, ':since', repr(whole))} UNION ALL {of_days} AND day >= '{whole}' AND day < '{asked.until[:10]}' "
            f"UNION ALL {_parts(asked, repr(asked.until[:10]), ':until')}")


def _after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat() if day < "9999-12-31" else "9999-99"


def _parts(asked: Scope, since: str, until: str) -> str:
    return (f"SELECT e.host_id, e.change_id, substr(e.time, 1, 10) AS day, count(*) AS events FROM events e WHERE {_FINISHED} "
            f"AND {asked.on('e.host_id')} AND e.time >= {since} AND e.time < {until} GROUP BY 1, 2, 3")


def _asked(sql: str) -> Callable[[sqlite3.Connection, Scope, int | None], Iterator[tuple]]:
    """The rows of a query in which `{counted}`, `{where}` and `{host}` stand for the scope."""
    def rows(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
        whole = sql.replace("{counted}", f"({_counted(asked)})").replace("{where}", asked.where())
        return connection.execute(whole + ("" if most is None else f" LIMIT {int(most)}"), asked.values)
    return rows


def _newest(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
    """Events, the newest first."""
    for number, *_ in _backwards(connection, asked, most):
        yield _event(connection, number)


def _latest(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
    """The last event of every file and registry value, the newest first."""
    seen: set[tuple] = set()
    for number, *thing in _backwards(connection, asked, None):
        if tuple(thing) in seen or thing == [None, None]:
            continue
        seen.add(tuple(thing))
        yield _event(connection, number)
        if len(seen) == most:
            return


def _backwards(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
    return connection.execute(
        f"SELECT e.id, e.file_id, e.registry_value_id FROM events e WHERE {asked.where()} AND e.time < '{LATEST}' "
        "ORDER BY e.time DESC, e.match_key DESC, e.ordinal DESC" + ("" if most is None else f" LIMIT {int(most)}"), asked.values)


def _event(connection: sqlite3.Connection, number: int) -> tuple:
    row: tuple = connection.execute(f"SELECT {', '.join(_EVENT)} FROM events_flat WHERE id = ?", (number,)).fetchone()
    return row


_EVENT = ("id", "time", "computer", "kind", "change", "path", "value", "data", "process", "account")


def subscription_of(resource: str | None) -> tuple[str, str]:
    """The subscription and the resource group in an Azure resource id; `(not told)` for what it does not say."""
    parts = (resource or "").strip("/").split("/")
    told = {parts[at].lower(): parts[at + 1].lower() for at in range(0, min(len(parts), 4) - 1, 2)}
    return told.get("subscriptions") or _NO_SUBSCRIPTION, told.get("resourcegroups") or _NO_SUBSCRIPTION


def _resources(connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    """Subscription and resource group of every host."""
    rows = connection.execute("SELECT h.id, min(m.azure_resource_id) FROM hosts h "
                              "LEFT JOIN machine_reports m ON m.host_id = h.id GROUP BY h.id")
    return {host: subscription_of(resource) for host, resource in rows}


def _subscriptions(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
    """Events by subscription and resource group."""
    where = _resources(connection)
    found: dict[tuple[str, str], tuple[set[int], dict[str, int]]] = {}
    for host, kind, events in connection.execute(
            f"SELECT n.host_id, c.kind, sum(n.events) FROM ({_counted(asked)}) n JOIN changes c ON c.id = n.change_id "
            "GROUP BY 1, 2", asked.values):
        hosts, kinds = found.setdefault(where[host], (set(), {}))
        hosts.add(host)
        kinds[kind] = kinds.get(kind, 0) + events
    for told, (hosts, kinds) in sorted(found.items())[:most]:
        yield *told, len(hosts), kinds.get("file", 0), kinds.get("registry", 0), sum(kinds.values())


_BILLED = """SELECT substr(e.time, 1, 10) AS day, e.host_id, count(*), total(CASE WHEN {free} THEN 0 ELSE e.billed_size END),
    total(CASE WHEN {free} THEN e.billed_size ELSE 0 END), count(*) - count(e.billed_size), count(e.billed_size)
    FROM events e NOT INDEXED JOIN machine_reports m ON m.id = e.machine_report_id WHERE {where} AND e.time < '2101'
    AND e.time >= '1980' GROUP BY 1, 2""".replace("{free}", "lower(coalesce(m.is_billable, '')) = 'false'")


def _host_days(connection: sqlite3.Connection, asked: Scope) -> list[tuple]:
    """Day, host, events, bytes billed, bytes not billed, events without a size, in order; days without any size left out."""
    names = dict(connection.execute("SELECT id, name || '\n' || key FROM hosts"))
    rows = connection.execute(_BILLED.replace("{where}", asked.where()), asked.values)
    return sorted((tuple(row[:6]) for row in rows if row[6]), key=lambda row: (row[0], names[row[1]]))


def _billed(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
    """Billed bytes by day and host."""
    names = dict(connection.execute("SELECT id, name FROM hosts"))
    for day, host, events, billed, free, untold in _host_days(connection, asked)[:most]:
        yield day, names[host], events, _whole(billed), _whole(free), untold


def _benefit(connection: sqlite3.Connection, asked: Scope, most: int | None) -> Iterator[tuple]:
    """Billed bytes by day and subscription against the benefit of the machines seen that day."""
    where = _resources(connection)
    found: dict[tuple[str, str], list[float]] = {}
    for day, host, _, billed, *_ in _host_days(connection, asked):
        sums = found.setdefault((day, where[host][0]), [0, 0])
        sums[0] += 1
        sums[1] += billed
    for (day, told), (hosts, billed) in sorted(found.items())[:most]:
        pool = BENEFIT * int(hosts)
        yield day, told, int(hosts), _whole(billed), pool, round(100 * billed / pool, 3), _whole(max(billed - pool, 0))


def _whole(number: float) -> int | float:
    return int(number) if number == int(number) else number


_HEAD = ("CASE WHEN substr(f.{0}, 1, 1) = '/' THEN rtrim(f.{0}, replace(f.{0}, '/', '')) "
         "ELSE rtrim(f.{0}, replace(f.{0}, '\\', '')) END")  # all up to the last separator

SECTIONS = {
    "totals": Section("changes of files and of registry values, and how many of these changed", (
        "kind", "events", "hosts", "things"), _asked(
        """SELECT c.kind, sum(n.events), count(DISTINCT n.host_id), CASE c.kind
           WHEN 'file' THEN (SELECT count(DISTINCT e.file_id) FROM events e WHERE e.file_id IS NOT NULL AND {where})
           WHEN 'registry' THEN (SELECT count(DISTINCT e.registry_value_id) FROM events e
                                 WHERE e.registry_value_id IS NOT NULL AND {where}) END
           FROM {counted} n JOIN changes c ON c.id = n.change_id GROUP BY c.kind ORDER BY c.kind""")),
    "categories": Section("what the changes were", ("kind", "change", "events", "hosts"), _asked(
        "SELECT c.kind, c.change, sum(n.events), count(DISTINCT n.host_id) FROM {counted} n JOIN changes c ON c.id = n.change_id "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2")),
    "hosts": Section("changes of each host", ("host", "kind", "events", "first_day", "last_day"), _asked(
        "SELECT h.name, c.kind, sum(n.events), min(n.day), max(n.day) FROM {counted} n JOIN changes c ON c.id = n.change_id "
        "JOIN hosts h ON h.id = n.host_id GROUP BY h.id, c.kind ORDER BY h.name, h.key, c.kind")),
    "changes": Section("what the changes of each host were", ("host", "kind", "change", "events"), _asked(
        "SELECT h.name, c.kind, c.change, sum(n.events) FROM {counted} n JOIN changes c ON c.id = n.change_id "
        "JOIN hosts h ON h.id = n.host_id GROUP BY h.id, c.kind, c.change ORDER BY h.name, h.key, c.kind, c.change")),
    "days": Section("changes by day (UTC)", ("day", "kind", "events"), _asked(
        "SELECT n.day, c.kind, sum(n.events) FROM {counted} n JOIN changes c ON c.id = n.change_id GROUP BY 1, 2 ORDER BY 1, 2")),
    "subscriptions": Section("changes by Azure subscription and resource group", (
        "subscription", "resource_group", "hosts", "file_events", "registry_events", "events"), _subscriptions),
    "processes": Section("the processes with most changes, by name", ("process", "events", "instances", "hosts"), _asked(
        """SELECT min(p.name), sum(n.events), count(*), count(DISTINCT p.host_id) FROM (SELECT e.process_id, count(*) AS events
           FROM events e WHERE e.process_id IS NOT NULL AND {where} GROUP BY 1) n JOIN processes p ON p.id = n.process_id
           GROUP BY lower(p.name) ORDER BY 2 DESC, 1""")),
    "accounts": Section("the accounts with most changes", ("account", "sid", "events"), _asked(
        """SELECT a.name, a.sid, n.events FROM (SELECT e.account_id, count(*) AS events FROM events e
           WHERE e.account_id IS NOT NULL AND {where} GROUP BY 1) n JOIN accounts a ON a.id = n.account_id
           ORDER BY 3 DESC, 1, 2, a.domain, a.account""")),
    "folders": Section("the folders with most changes", ("folder", "events", "files", "hosts"), _asked(
        f"""SELECT min({_HEAD.format('path')}), sum(n.events), count(*), count(DISTINCT f.host_id) FROM (SELECT e.file_id,
            count(*) AS events FROM events e WHERE e.file_id IS NOT NULL AND {{where}} GROUP BY 1) n
            JOIN files f ON f.id = n.file_id GROUP BY {_HEAD.format('key')} ORDER BY 2 DESC, 1""")),
    "fates": Section("files by what became of them (Linux sensors tell creates as Modified)", ("fate", "files"), _asked(
        """SELECT CASE WHEN made IS NULL AND gone IS NULL THEN 'changed only' WHEN made IS NULL THEN 'deleted, not created'
           WHEN gone >= made THEN 'created and later deleted' ELSE 'created, not deleted after' END, count(*)
           FROM (SELECT e.file_id, min(CASE c.change WHEN 'Created' THEN e.time END) AS made,
                 max(CASE c.change WHEN 'Deleted' THEN e.time END) AS gone FROM events e JOIN changes c ON c.id = e.change_id
                 WHERE e.file_id IS NOT NULL AND {where} GROUP BY 1) GROUP BY 1 ORDER BY 1""")),
    "registry": Section("registry changes by host and key", ("host", "key", "values", "events", "first", "last"), _asked(
        """SELECT h.name, min(CASE WHEN v.name IS NULL THEN v.path ELSE substr(v.path, 1, length(v.path) - length(v.name) - 1)
           END), count(v.name), sum(n.events), min(n.first), max(n.last) FROM (SELECT e.registry_value_id AS id,
           count(*) AS events, min(e.time) AS first, max(e.time) AS last FROM events e
           WHERE e.registry_value_id IS NOT NULL AND {where} GROUP BY 1) n JOIN registry_values v ON v.id = n.id
           JOIN hosts h ON h.id = v.host_id GROUP BY h.id, v.key ORDER BY h.name, h.key, v.key""")),
    "newest": Section("the newest events (--host for those of one)", _EVENT, _newest),
    "latest": Section("the last change of each file and registry value, newest first", _EVENT, _latest),
    "billed": Section("bytes billed by day and host", (
        "day", "host", "events", "billed_bytes", "free_bytes", "events_without_size"), _billed),
    "benefit": Section("bytes billed by day and subscription against 500 MB for each machine seen that day", (
        "day", "subscription", "hosts", "billed_bytes", "benefit_bytes", "percent", "over_bytes"), _benefit),
}
LONG = ("newest", "latest")  # as long as the case: whole only where they are asked for by name
