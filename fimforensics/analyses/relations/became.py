"""File `became` process: a content that was written and later ran, known again by its hash, its path, or both.

By path, a process ran the version that its file had when it started, unless the hashes say otherwise. By hash, also copies
under other names on the same host, of which the oldest few are told. The hash pass goes over processes and versions side by
side, both in order of time, so that a content in thousands of files and a program that starts a thousand times stay cheap.
What was found lies in the temporary table `became` until the findings are made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END
from fimforensics.analyses.relations.rolled import EMPTY, INTO, not_empty

COPIES = 5  # of a content under other names that one process is linked with
_LOOK_BACK = 8  # versions of a file before a time among which is the one that it had then
_TEMPORARY = ("became_images", "became_contents", "became_places", "became_runs", "became_starts")
_HASHES = ("sha256", "sha1", "md5")
_EMPTY = frozenset(EMPTY.values())
# The latest time that counts as before the start, and the earliest that counts as after it: where a start is known to the
# millisecond only, the whole millisecond is both.
_LATEST = "CASE WHEN s.exact THEN s.start ELSE substr(s.start, 1, 23) || '~' END"
_EARLIEST = "CASE WHEN s.exact THEN s.start ELSE substr(s.start, 1, 23) END"


def became(db: apsw.Connection) -> None:
    """Fills the temporary table `became`, and `relations` from it."""
    clear(db)
    db.execute("CREATE TEMP TABLE became (file_id INTEGER, process_id INTEGER, basis TEXT, start TEXT, version_id INTEGER, "
               "PRIMARY KEY (file_id, process_id)) WITHOUT ROWID")
    _images(db)
    _processes(db)
    for found in (_by_path(db), _by_hash(db)):
        db.cursor().executemany("INSERT OR IGNORE INTO became VALUES (?, ?, ?, ?, ?)", found)
    db.execute(f"{INTO} SELECT 'file', b.file_id, 'became', 'process', b.process_id, b.basis, 1, max(b.start, v.since), "
               "max(b.start, v.since) FROM became b CROSS JOIN file_versions v ON v.id = b.version_id "
               "ORDER BY b.file_id, b.process_id")
    for table in _TEMPORARY:
        db.execute(f"DROP TABLE {table}")


def clear(db: apsw.Connection) -> None:
    """Takes the temporary table `became` away."""
    db.execute("DROP TABLE IF EXISTS temp.became")


def _images(db: apsw.Connection) -> None:
    """`became_images`: images by the hashes they have ("print"); `became_contents`: the contents equal to a print."""
    db.execute("CREATE TEMP TABLE became_images (image_id INTEGER PRIMARY KEY, print INTEGER, sha256 TEXT, sha1 TEXT, md5 TEXT)")
    db.execute("INSERT INTO became_images SELECT id, dense_rank() OVER (ORDER BY sha256, sha1, md5), sha256, sha1, md5 "
               f"FROM images i WHERE coalesce(sha256, sha1, md5) IS NOT NULL AND {not_empty('i')} ORDER BY id")
    agrees = " AND ".join(f"coalesce(p.{one} = c.{one}, 1)" for one in _HASHES)
    equal = " UNION ".join(f"SELECT p.print, c.id FROM prints p CROSS JOIN contents c ON c.{one} = p.{one} "
                           f"WHERE {agrees} AND {not_empty('c')}" for one in _HASHES)
    db.execute("CREATE TEMP TABLE became_contents (print INTEGER, content_id INTEGER, PRIMARY KEY (print, content_id)) "
               "WITHOUT ROWID")
    db.execute("INSERT INTO became_contents WITH prints AS MATERIALIZED (SELECT DISTINCT print, sha256, sha1, md5 "
               f"FROM became_images) {equal} ORDER BY 1, 2")


def _processes(db: apsw.Connection) -> None:
    """`became_places`: the files that processes ran by their path; `became_runs`: those that ran a content; their starts."""
    db.execute("CREATE TEMP TABLE became_places (process_id INTEGER PRIMARY KEY, file_id INTEGER)")
    # Without a pid, the image's key has the account's name behind a bar.
    key = "CASE p.weak WHEN 2 THEN substr(p.image_key, 1, instr(p.image_key || '|', '|') - 1) ELSE p.image_key END"
    db.execute("INSERT INTO became_places SELECT p.id, f.id FROM processes p CROSS JOIN files f ON f.host_id = p.host_id "
               f"AND f.key = {key} WHERE instr(p.image_key, '/') OR instr(p.image_key, '\\') ORDER BY p.id")
    db.execute("CREATE TEMP TABLE became_runs (print INTEGER, process_id INTEGER, PRIMARY KEY (print, process_id)) WITHOUT ROWID")
    db.execute("INSERT OR IGNORE INTO became_runs SELECT m.print, r.process_id FROM process_reports r "
               "CROSS JOIN became_images m ON m.image_id = r.image_id "
               "WHERE r.process_id IS NOT NULL AND m.print IN (SELECT print FROM became_contents)")
    db.execute("CREATE TEMP TABLE became_starts (process_id INTEGER PRIMARY KEY, start TEXT, exact INTEGER)")
    first = (f"SELECT min(time) FROM events e WHERE e.process_id = p.id AND e.id < {EVENTS_END} "
             "AND time >= '1980' AND time < '2101'")
    told = "p.created >= '1980' AND p.created < '2101'"
    report = "SELECT min(r.created) FROM process_reports r WHERE r.process_id = p.id"
    # What a process did before it is said to have started shows that it was there already.
    before = f"{told} AND s.seen < p.created AND s.seen >= '1980'"
    start = f"CASE WHEN {before} THEN s.seen WHEN {told} THEN ({report}) ELSE ({first}) END"
    db.execute(f"INSERT INTO became_starts SELECT p.id, {start}, coalesce({before}, 0) OR NOT coalesce({told}, 0) "
               "FROM processes p LEFT JOIN (SELECT subject_id, min(first) AS seen FROM relations WHERE subject_kind = 'process' "
               "GROUP BY subject_id) s ON s.subject_id = p.id "
               "WHERE p.id IN (SELECT process_id FROM became_places UNION SELECT process_id FROM became_runs) ORDER BY p.id")


def _by_path(db: apsw.Connection) -> Iterator[tuple]:
    """Rows of `became` for processes whose path is that of a file with a version at their start, if no hash differs."""
    for process, file, start, latest, earliest in db.cursor().execute(
            f"SELECT b.process_id, b.file_id, s.start, {_LATEST}, {_EARLIEST} FROM became_places b CROSS JOIN became_starts s "
            "ON s.process_id = b.process_id WHERE s.start IS NOT NULL ORDER BY b.process_id"):
        alive = [row for row in sql.rows(
            db, "SELECT v.id, v.until, v.content_id, v.size, v.state, c.sha256, c.sha1, c.md5 FROM file_versions v "
                "LEFT JOIN contents c ON c.id = v.content_id WHERE v.file_id = ? AND v.since <= ? "
                "ORDER BY v.since DESC, v.id DESC LIMIT ?", (file, latest, _LOOK_BACK))
            if row[4] == "present" and (row[1] is None or row[1] > earliest)]
        if not alive:
            continue
        version, _, content, size, _, *hashes = alive[0]
        if size == 0 or any(one in _EMPTY for one in hashes):
            continue
        basis = _compared(db, process, content, hashes)
        if basis is not None:
            yield file, process, basis, start, version


def _compared(db: apsw.Connection, process: int, content: int | None, hashes: list[str | None]) -> str | None:
    """`hash and path` where an image of the process has these hashes, `path` where nothing can be said, None where not."""
    basis: str | None = "path"
    for number, *image in sql.rows(db, "SELECT DISTINCT m.print, m.sha256, m.sha1, m.md5 FROM process_reports r CROSS JOIN "
                                       "became_images m ON m.image_id = r.image_id WHERE r.process_id = ?", (process,)):
        if sql.first(db, "SELECT 1 FROM became_contents WHERE print = ? AND content_id = ?", (number, content)):
            return "hash and path"
        if any(one and other and one != other for one, other in zip(image, hashes, strict=True)):
            basis = None
    return basis


def _by_hash(db: apsw.Connection) -> Iterator[tuple]:
    """Rows of `became` for processes and the oldest copies, alive at their start, of the content they ran."""
    group = itemgetter(0, 1)
    copies = groupby(db.cursor().execute(
        "SELECT c.print, f.host_id, v.since, v.until, v.file_id, v.id FROM became_contents c "
        "CROSS JOIN file_versions v ON v.content_id = c.content_id CROSS JOIN files f ON f.id = v.file_id "
        "WHERE v.state = 'present' AND coalesce(v.size, 1) <> 0 ORDER BY c.print, f.host_id, v.since, f.key, v.id"), group)
    runs = groupby(db.cursor().execute(
        f"SELECT r.print, p.host_id, {_LATEST}, {_EARLIEST} AS earliest, s.start, r.process_id, b.file_id FROM became_runs r "
        "CROSS JOIN processes p ON p.id = r.process_id CROSS JOIN became_starts s ON s.process_id = r.process_id "
        "LEFT JOIN became_places b ON b.process_id = r.process_id WHERE s.start IS NOT NULL "
        "ORDER BY r.print, p.host_id, earliest, r.process_id"), group)
    at, versions = next(copies, (None, iter(())))
    for key, group_runs in runs:
        while at is not None and at < key:
            at, versions = next(copies, (None, iter(())))
        if at == key:
            yield from side_by_side(group_runs, versions)


def side_by_side(runs: Iterator[tuple], versions: Iterator[tuple]) -> Iterator[tuple]:
    """One content on one host: each run with the oldest copies that were there when it started, both in order of time."""
    alive: deque[tuple] = deque()
    coming = next(versions, None)
    for _, _, latest, earliest, start, process, own in runs:
        while coming is not None and coming[2] <= latest:
            alive.append(coming)
            coming = next(versions, None)
        kept, told = [], 0
        while alive and told < COPIES:
            copy = alive.popleft()
            _, _, since, until, file, version = copy
            if until is not None and until <= earliest:
                continue  # it is gone for all later starts too
            kept.append(copy)
            if file != own and since <= latest:
                told += 1
                yield file, process, "hash", start, version
        alive.extendleft(reversed(kept))
