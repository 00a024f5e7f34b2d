"""Tells the events of a case, host by host, to the chains of files and to those of registry values."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Finding, Progress
from fimforensics.analyses.versions.contents import Contents
from fimforensics.analyses.versions.files import Files
from fimforensics.analyses.versions.registry import Registry
from fimforensics.analyses.versions.row import What, Writer

STEP = 20_000  # events between two reports of progress
_FILE = {"Created": What.CREATED, "Modified": What.MODIFIED, "Deleted": What.DELETED, "Renamed": What.RENAMED}
_REGISTRY = {
    "RegistryKeyCreated": What.KEY_CREATED, "RegistryKeyDeleted": What.KEY_DELETED, "RegistryKeyRenamed": What.KEY_RENAMED,
    "RegistryValueSet": What.SET, "RegistryValueDeleted": What.VALUE_DELETED,
    # ConfigurationChange tells keys and values apart as little as these words do
    "Created": What.CREATED, "Modified": What.SET, "Deleted": What.VALUE_DELETED,
}
_FILE_EVENTS = f"""
    SELECT e.host_id, e.id, e.time, e.change_id, e.file_id, e.process_id, e.account_id, e.content_id, e.file_size, e.match_key,
      p.path
    FROM events e NOT INDEXED LEFT JOIN paths p ON p.id = e.original_path_id
    WHERE e.id < {EVENTS_END} AND e.file_id IS NOT NULL ORDER BY e.host_id, {IN_TIME}"""
_REGISTRY_EVENTS = f"""
    SELECT e.host_id, e.id, e.time, e.change_id, e.registry_value_id, e.process_id, e.account_id, e.match_key, e.forms,
      e.new_data, e.old_data, r.new_type, r.old_type, r.old_key, r.hive
    FROM events e NOT INDEXED LEFT JOIN registry_reports r ON r.id = e.registry_report_id
    WHERE e.id < {EVENTS_END} AND e.registry_value_id IS NOT NULL ORDER BY e.host_id, {IN_TIME}"""


def run(db: apsw.Connection, progress: Progress) -> tuple[Finding, ...]:
    """Fills both tables. Versions are facts, not opinions: there are no findings."""
    words = sql.rows(db, "SELECT id, kind, change FROM changes")
    total = max(sql.cell(db, f"SELECT {EVENTS_END}"), 1)
    # A word that is not known tells of some change: what is there after it is unknown unless a hash or data tell.
    files = {number: _FILE.get(word, What.MODIFIED) for number, kind, word in words if kind != "registry"}
    values = {number: _REGISTRY.get(word, What.SET) for number, kind, word in words if kind != "file"}
    done = _told(db, _FILE_EVENTS, files, "file_versions", Files, lambda done: progress("versions", min(done, total), total))
    _told(db, _REGISTRY_EVENTS, values, "registry_versions", Registry,
          lambda more: progress("versions", min(done + more, total), total))
    return ()


def _told(db: apsw.Connection, statement: str, meanings: dict[int, What], table: str, kind: type[Files] | type[Registry],
          progress: Callable[[int], None]) -> int:
    """Tells all events of a statement, which come in order of hosts; gives their number."""
    writer, contents, done = Writer(db, table), Contents(db), 0
    for host, events in groupby(db.execute(statement), itemgetter(0)):
        chains = kind(db, host, writer, contents)
        for event in events:
            what = meanings.get(event[3])
            if what is not None:
                chains.tell(what, event)
            done += 1
            if not done % STEP:
                progress(done)
        chains.end()
    writer.flush()
    return done
