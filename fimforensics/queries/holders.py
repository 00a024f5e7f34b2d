"""What a page tells of one content: which files and hosts had it in order of arrival, who brought it, what it became.

A content of a deployment may lie in thousands of files: up to bounds that keep a page quick all is told as `history` and `spread`
tell it; beyond them the table of the analysis `spread` gives the numbers, and `Holders.bounded` says so.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from fimforensics import arrivals, paths, places
from fimforensics.queries import rarity
from fimforensics.queries.entities import same_content
from fimforensics.queries.findings_listed import Listed, of_numbers
from fimforensics.queries.spread import Spread, of_content

MOST_EVENTS, MOST_VERSIONS, MOST_HOSTS = 5_000, 5_000, 500
FILES, BECAME, FINDINGS = 50, 50, 50
LOOKED_AT = 2_000  # events whose findings are looked for


@dataclass(frozen=True)
class Holders:
    """A content over the case; parts are empty where the analysis that gives them never ran, or `bounded` is set."""

    id: int
    same: tuple[int, ...]  # all rows of `contents` that are this content
    sha256: str | None
    sha1: str | None
    md5: str | None
    sizes: tuple[int, ...]
    empty: bool
    bounded: str | None  # why not all is told
    spread: Spread | None
    summed: dict | None  # the row of the analysis: hosts, files, mode, first, last, first_event_id, first_host_id
    files: list[dict]
    files_in_all: int
    held: dict[int, dict]  # by host: since, until (None: still so) of all its files
    became: list[dict]
    became_more: bool
    rarity: str | None
    findings: list[Listed]
    findings_more: bool


def holders(connection: sqlite3.Connection, content: int) -> Holders | None:
    """The content of this number; None where there is none."""
    row = connection.execute("SELECT sha256, sha1, md5, size FROM contents WHERE id = ?", (content,)).fetchone()
    if row is None:
        return None
    same = same_content(connection, content) or [content]
    marks = json.dumps(same)
    sizes = sorted({size for (size,) in connection.execute(
        "SELECT c.size FROM json_each(?) j JOIN contents c ON c.id = j.value WHERE c.size IS NOT NULL", (marks,))})
    is_empty = any(one in arrivals.EMPTY for one in row[:3]) or row[3] == 0
    summed = next(iter(_dicts(connection, "SELECT hosts, files, mode, median_gap_seconds, first, last, first_event_id, "
                                          "first_host_id FROM content_spread WHERE content_id = ?", (content,))), None)
    bounded = _bounded(connection, marks, summed)
    whole = None if bounded else of_content(connection, content)
    files = [] if bounded else _files(connection, marks)
    became = [] if bounded or is_empty else _became(connection, marks, [one["file"] for one in files])
    findings = _findings(connection, marks, [one["file"] for one in files])
    sha256, sha1, md5, _ = row
    return Holders(content, tuple(same), sha256, sha1, md5, tuple(sizes), is_empty, bounded, whole, summed,
                   [_acted(connection, one) for one in files[:FILES]], len(files), _held(connection, files), became[:BECAME],
                   len(became) > BECAME, _rarity(connection, whole, summed), findings[:FINDINGS], len(findings) > FINDINGS)


def _bounded(connection: sqlite3.Connection, marks: str, summed: dict | None) -> str | None:
    for table, most, word in (("events", MOST_EVENTS, "events"), ("file_versions", MOST_VERSIONS, "versions of files")):
        found, = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM json_each(?) j CROSS JOIN {table} x "
                                    "ON x.content_id = j.value LIMIT ?)", (marks, most + 1)).fetchone()
        if found > most:
            return f"more than {most:,} {word} have this content"
    if summed and summed["hosts"] > MOST_HOSTS:
        return f"{summed['hosts']:,} hosts have this content"
    return None


_HAD = """SELECT f.id AS file, f.path AS path, h.id AS host_id, h.name AS host, min(v.since) AS since,
    CASE WHEN count(v.until) < count(*) THEN NULL ELSE max(v.until) END AS until, count(*) AS versions
    FROM json_each(?) j CROSS JOIN file_versions v ON v.content_id = j.value JOIN files f ON f.id = v.file_id
    JOIN hosts h ON h.id = f.host_id GROUP BY v.file_id"""
# Of some files only the end was seen: the event that deleted them told their hash.
_ONLY_DELETED = """SELECT f.id AS file, f.path AS path, h.id AS host_id, h.name AS host, NULL AS since, min(e.time) AS until,
    0 AS versions FROM json_each(?) j CROSS JOIN events e ON e.content_id = j.value JOIN changes c ON c.id = e.change_id
    JOIN files f ON f.id = e.file_id JOIN hosts h ON h.id = f.host_id WHERE c.change = 'Deleted'
    AND e.id < (SELECT events_end FROM case_info) GROUP BY e.file_id"""


def _files(connection: sqlite3.Connection, marks: str) -> list[dict]:
    """Every file that had it, in order of arrival."""
    found = _dicts(connection, _HAD, (marks,))
    known = {one["file"] for one in found}
    found += [one for one in _dicts(connection, _ONLY_DELETED, (marks,)) if one["file"] not in known]
    for one in found:
        one["content_ids"] = marks
    return sorted(found, key=lambda one: (one["since"] or one["until"], one["host"], one["path"], one["file"]))


def _acted(connection: sqlite3.Connection, file: dict) -> dict:
    """The file with the event that brought the content there, and the hands behind it."""
    event = connection.execute("SELECT v.begun_by FROM file_versions v WHERE v.file_id = ?1 AND v.content_id IN "
                               "(SELECT value FROM json_each(?2)) ORDER BY v.since, v.id LIMIT 1" if file["versions"] else
                               "SELECT id FROM events WHERE file_id = ?1 AND content_id IN (SELECT value FROM json_each(?2)) "
                               "ORDER BY time, match_key, ordinal LIMIT 1", (file["file"], file["content_ids"])).fetchone()[0]
    acted = _dicts(connection, """SELECT e.id AS event, c.change AS change, e.process_id, p.name AS process, p.pid AS pid,
        e.account_id, a.name AS account FROM events e JOIN changes c ON c.id = e.change_id
        LEFT JOIN processes p ON p.id = e.process_id LEFT JOIN accounts a ON a.id = e.account_id WHERE e.id = ?""", (event,))[0]
    return {name: cell for name, cell in file.items() if name != "content_ids"} | acted


def _held(connection: sqlite3.Connection, files: list[dict]) -> dict[int, dict]:
    found: dict[int, dict] = {}
    for one in files:
        here = found.setdefault(one["host_id"], {"since": one["since"], "until": one["until"], "files": 0})
        here["files"] += 1
        here["until"] = None if None in (here["until"], one["until"]) else max(here["until"], one["until"])
    return found


def _became(connection: sqlite3.Connection, marks: str, files: list[int]) -> list[dict]:
    """Processes that a file became while it held the content, in order of time."""
    return _dicts(connection, """
        SELECT r.subject_id AS file, f.path AS path, h.id AS host_id, h.name AS host, p.id AS process_id, p.name AS process,
          p.pid AS pid, r.first AS time, r.basis AS basis
        FROM json_each(?1) j CROSS JOIN relations r ON r.subject_kind = 'file' AND r.subject_id = j.value
          AND r.relation = 'became' JOIN processes p ON p.id = r.object_id JOIN files f ON f.id = r.subject_id
          JOIN hosts h ON h.id = f.host_id
        WHERE EXISTS (SELECT 1 FROM file_versions v WHERE v.file_id = r.subject_id AND v.since <= r.first AND
          (v.until IS NULL OR v.until >= r.first) AND v.content_id IN (SELECT value FROM json_each(?2)))
        ORDER BY r.first, h.key, p.id LIMIT ?3""", (json.dumps(files), marks, BECAME + 1))


def _findings(connection: sqlite3.Connection, marks: str, files: list[int]) -> list[Listed]:
    """Findings of this content that name one of its files (those have an index), and findings on its events."""
    named = connection.execute(
        "SELECT n.id FROM json_each(?1) j CROSS JOIN findings n ON n.file_id = j.value WHERE n.content_id IN "
        "(SELECT value FROM json_each(?2)) LIMIT ?3", (json.dumps(files), marks, 4 * FINDINGS)).fetchall()
    on_events = connection.execute(
        "SELECT DISTINCT x.finding_id FROM (SELECT e.id FROM json_each(?1) j CROSS JOIN events e ON e.content_id = j.value "
        f"LIMIT {LOOKED_AT}) e CROSS JOIN finding_events x ON x.event_id = e.id LIMIT ?2", (marks, 4 * FINDINGS)).fetchall()
    return of_numbers(connection, sorted({number for (number,) in named + on_events}))


def _rarity(connection: sqlite3.Connection, whole: Spread | None, summed: dict | None) -> str | None:
    """`1 of 12 Linux hosts has this content.`; None where no host does."""
    hosts = whole.hosts if whole else summed["hosts"] if summed else 0
    if not hosts:
        return None
    path = whole.stops[0].path if whole and whole.stops else None
    of, word = rarity.fleet(connection).of(paths.file_key(path) if path else "<host>")
    system = f", first in {places_of}" if path and places.is_system(places_of := paths.folder(paths.file_key(path))) else ""
    return f"{hosts:,} of {of:,} {word} {'has' if hosts == 1 else 'have'} this content{system}."


def _dicts(connection: sqlite3.Connection, sql: str, values: tuple) -> list[dict]:
    cursor = connection.execute(sql, values)
    names = [told[0] for told in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
