"""Programs that had a content for a short time only, with nothing known of the time before: maybe put back, and nobody can say.

The first change of a file brings a content that is on no other host, and within an hour another process brings a second one,
which stays. Had the case an older event, a put-back would be a reversion; without one it is told as what it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from fimforensics import programs, sql
from fimforensics.analyses.contract import Finding
from fimforensics.analyses.reversions.classed import clock, elsewhere, is_program, span, who
from fimforensics.analyses.reversions.returns import seconds

_PAIRS = """
    SELECT v.file_id, f.host_id, h.name, f.path, f.key, v.content_id, v.since, w.since, v.begun_by, w.begun_by, p.image_key,
        q.image_key, p.name, a.name, q.name, b.name, v.process_id, w.process_id, w.account_id
    FROM file_versions v NOT INDEXED JOIN file_versions w ON w.begun_by = v.ended_by AND w.file_id = v.file_id
    JOIN contents k ON k.id = v.content_id JOIN contents l ON l.id = w.content_id
    JOIN files f ON f.id = v.file_id JOIN hosts h ON h.id = f.host_id
    LEFT JOIN processes p ON p.id = v.process_id LEFT JOIN accounts a ON a.id = v.account_id
    LEFT JOIN processes q ON q.id = w.process_id LEFT JOIN accounts b ON b.id = w.account_id
    WHERE v.state = 'present' AND w.state = 'present' AND v.before = 'unknown'
        AND unixepoch(substr(v.until, 1, 19)) - unixepoch(substr(v.since, 1, 19)) <= 3600
        AND (w.until IS NULL OR unixepoch(substr(w.until, 1, 19)) - unixepoch(substr(w.since, 1, 19)) > 3600)
        AND (k.sha256 <> l.sha256 OR k.sha1 <> l.sha1 OR k.md5 <> l.md5)
    ORDER BY v.since, h.key, f.key"""


def brief(db: apsw.Connection) -> Iterator[Finding]:
    """One finding for each such file; package managers and one process that writes a file twice are passed over."""
    for row in sql.rows(db, _PAIRS):
        file, host_id, host, path, key, content, since, until, first, second, image, later, *actors = row
        program, account, next_program, next_account, process, next_process, account_id = actors
        if process == next_process or programs.installs(image) or programs.installs(later) or not is_program(key):
            continue
        if elsewhere(db, content, host_id):
            continue
        told = (f"On {host} {path} had for {span(seconds(until) - seconds(since))} only, from {clock(since)}, a content that was "
                f"on no other host, by {who(program, account)}; at {clock(until)} {who(next_program, next_account)} gave it "
                "another, which stayed: what it held before is not known, and it may have been put back.")
        yield Finding("short-lived content", told, (first, second), None, host_id, file, None, next_process, account_id, content)
