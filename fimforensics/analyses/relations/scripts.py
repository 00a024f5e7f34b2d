"""The rule `web script written`: a server process, or Windows for someone in the network, wrote a script that is served.

One finding tells of one process, and of what it wrote until it wrote no script for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

import apsw

from fimforensics import places, programs, sql
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Finding
from fimforensics.analyses.relations.wording import clock, who
from fimforensics.queries.rules import BY_NAME

SCRIPT = BY_NAME["web script written"]
_TOLD = 50  # events that a finding stands on: the first of each script
_PAUSE = 3600  # seconds without a script after which another finding begins
_HERE = ("127.", "::1", "::ffff:127.", "fe80::1")  # addresses by which a machine writes to itself


@dataclass(frozen=True)
class _Write:
    """One event by which such a process wrote a script."""

    event: int
    time: str
    file_id: int
    path: str
    process_id: int
    process: str
    kernel: int
    host_id: int
    host: str
    account_id: int | None
    account: str | None
    content_id: int | None
    requester: str | None
    address: str | None


_WRITES = f"""SELECT e.id, e.time, e.file_id, coalesce(p.path, f.path), e.process_id, n.name, w.kernel, h.id, h.name,
        e.account_id, a.name, e.content_id, q.name, t.ip
    FROM events e NOT INDEXED CROSS JOIN web_scripts s ON s.process_id = e.process_id AND s.file_id = e.file_id
        CROSS JOIN web_writers w ON w.process_id = e.process_id CROSS JOIN processes n ON n.id = e.process_id
        CROSS JOIN hosts h ON h.id = e.host_id CROSS JOIN files f ON f.id = e.file_id
        CROSS JOIN changes c ON c.id = e.change_id AND c.change <> 'Deleted'
        LEFT JOIN paths p ON p.id = e.path_id LEFT JOIN accounts a ON a.id = e.account_id
        LEFT JOIN requests t ON t.id = e.request_id LEFT JOIN accounts q ON q.id = t.account_id
    WHERE e.id < {EVENTS_END}
    ORDER BY w.first, h.key, n.pid, n.image_key, n.created, coalesce(q.name, ''), coalesce(t.ip, ''), {IN_TIME}"""


def findings(db: apsw.Connection) -> Iterator[Finding]:
    """The findings, by the first script of each process."""
    _collect(db)
    if sql.first(db, "SELECT 1 FROM web_scripts"):
        writes = (_Write(*row) for row in db.cursor().execute(_WRITES))
        for _, group in groupby(writes, attrgetter("process_id", "requester", "address")):
            yield from _of_process(group)
    for table in ("web_writers", "web_scripts"):
        db.execute(f"DROP TABLE {table}")


def _collect(db: apsw.Connection) -> None:
    """`web_scripts`: the scripts that servers wrote, by process; `web_writers`: the processes, and when each wrote its first."""
    db.execute("CREATE TEMP TABLE web_names (name TEXT, image_key TEXT, kernel INTEGER, PRIMARY KEY (name, image_key)) "
               "WITHOUT ROWID")
    named = ((name, image, programs.kernel(name, image)) for name, image in
             sql.rows(db, "SELECT DISTINCT name, image_key FROM processes") if image is not None)
    db.cursor().executemany("INSERT INTO web_names VALUES (?, ?, ?)",
                            (one for one in named if one[2] or programs.serves(one[0], one[1])))
    db.execute("CREATE TEMP TABLE web_scripts (process_id INTEGER, file_id INTEGER, first TEXT, "
               "PRIMARY KEY (process_id, file_id)) WITHOUT ROWID")
    wrote = db.cursor().execute(
        "SELECT r.subject_id, r.object_id, min(r.first), f.key FROM processes p CROSS JOIN web_names w ON w.name = p.name "
        "AND w.image_key = p.image_key CROSS JOIN relations r ON r.subject_kind = 'process' AND r.subject_id = p.id "
        "CROSS JOIN files f ON f.id = r.object_id WHERE r.object_kind = 'file' "
        "AND r.relation IN ('created', 'modified', 'renamed') GROUP BY 1, 2")
    db.cursor().executemany("INSERT INTO web_scripts VALUES (?, ?, ?)", (row[:3] for row in wrote if places.web_script(row[3])))
    db.execute("CREATE TEMP TABLE web_writers (process_id INTEGER PRIMARY KEY, kernel INTEGER, first TEXT)")
    db.execute("INSERT INTO web_writers SELECT s.process_id, w.kernel, min(s.first) FROM web_scripts s CROSS JOIN processes p "
               "ON p.id = s.process_id CROSS JOIN web_names w ON w.name = p.name AND w.image_key = p.image_key "
               "GROUP BY s.process_id")
    db.execute("DROP TABLE web_names")


def _of_process(writes: Iterator[_Write]) -> Iterator[Finding]:
    """The findings of one process: a pause begins another."""
    first: _Write | None = None
    last = ""
    events: list[int] = []
    files: set[int] = set()
    for one in writes:
        if first is not None and _seconds(last, one.time) > _PAUSE:
            yield _finding(first, last, events, len(files))
            first = None
        if first is None:
            first, events, files = one, [], set()
        if one.file_id not in files and len(events) < _TOLD:
            events.append(one.event)
        files.add(one.file_id)
        last = one.time
    if first is not None:
        yield _finding(first, last, events, len(files))


def _finding(first: _Write, last: str, events: list[int], files: int) -> Finding:
    """The finding of these events; `medium` where Windows wrote for someone who is known and not the machine itself."""
    by = who(first.process, first.account)
    known = [told for told in (first.requester, first.address and f"from {first.address}") if told]
    if first.kernel:
        by += f", which writes for those who come over the network (here {'for ' + ' '.join(known) if known else 'unknown'}),"
    elif known:
        by += f", for {' '.join(known)},"
    others = f", and {files - 1:,} more script{'' if files == 2 else 's'} until {clock(last)}" if files > 1 else ""
    elsewhere = first.address is not None and not first.address.startswith(_HERE)
    return Finding(SCRIPT.name, f"{first.host}: {by} wrote the script {first.path}, which a web server serves, at "
                                f"{clock(first.time)}{others}.", tuple(events),
                   "medium" if first.kernel and elsewhere and first.requester else None, first.host_id, first.file_id, None,
                   first.process_id, first.account_id, first.content_id)


def _seconds(since: str, until: str) -> float:
    return (datetime.fromisoformat(until[:26]) - datetime.fromisoformat(since[:26])).total_seconds()
