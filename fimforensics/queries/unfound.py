"""Why nothing was found: a filter that names nothing the case has is a slip, and must not read as an all-clear."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from fimforensics.queries.events import Filter, like

_NAMES = {
    "host": ("host", "SELECT 1 FROM hosts WHERE name LIKE ? ESCAPE '!'", "SELECT DISTINCT name FROM hosts ORDER BY 1"),
    "change": ("change", "SELECT 1 FROM changes WHERE change = ? COLLATE NOCASE",
               "SELECT DISTINCT change FROM changes ORDER BY 1"),
    "process": ("process",
                "SELECT 1 FROM processes WHERE name LIKE ?1 ESCAPE '!' OR image_key LIKE ?1 ESCAPE '!' LIMIT 1", None),
    "account": ("account", "SELECT 1 FROM accounts WHERE name LIKE ?1 ESCAPE '!' OR sid LIKE ?1 ESCAPE '!' LIMIT 1",
                "SELECT DISTINCT name FROM accounts ORDER BY 1"),
    "snapshot": ("snapshot", "SELECT 1 FROM snapshots WHERE id = ? AND state = 'finished'",
                 "SELECT id FROM snapshots WHERE state = 'finished' ORDER BY 1"),
    "subscription": ("subscription", "SELECT 1 FROM machine_reports WHERE azure_resource_id LIKE ? ESCAPE '!' LIMIT 1", None),
}
MOST = 8  # names that are told


def unfound(connection: sqlite3.Connection, wanted: Filter) -> Iterator[str]:
    """A sentence for each part of the filter that names nothing in the case, with what there is where that is few."""
    for part, (kind, known, names) in _NAMES.items():
        value = getattr(wanted, part)
        if value is None:
            continue
        looked = like(f"/subscriptions/{value}/*") if part == "subscription" else (
            value if part in ("change", "snapshot") else like(value))
        if connection.execute(known, (looked,)).fetchone() is not None:
            continue
        told = f"no {kind} of this case {'is' if part in ('change', 'snapshot') else 'fits'} {value!r}"
        there = [str(name) for (name,) in connection.execute(f"{names} LIMIT {MOST + 1}")] if names else []
        yield told + (f"; there are: {', '.join(there[:MOST])}{', …' if len(there) > MOST else ''}" if there else "")
