"""What happened to a file or registry value: every version with its borders and the hands behind them; and who had a content.

All of it is found through indexes by the entity's id, so that it takes no longer in a larger case.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from fimforensics.errors import Misuse
from fimforensics.queries.entities import Entity, name, same_content

KINDS = ("file", "registry value", "content", "event")
HASHES = ("sha256", "sha1", "md5")


@dataclass(frozen=True)
class History:
    """The versions asked for, in order of time, of all there are; of a content: the files that had it, first to last.

    Each version holds the numbers of the reversions and findings that stand on it, which are told beside it.
    """

    entity: Entity
    versions: list[dict]
    in_all: int
    reversions: list[dict] = field(default_factory=list)
    findings: list[dict] = field(default_factory=list)


def history(connection: sqlite3.Connection, entity: Entity, limit: int | None = None, newest: bool = False) -> History:
    """The history of a file, registry value or content, or of what an event happened to.

    `limit` keeps the first versions, with `newest` the last ones; they come in order of time all the same.
    """
    if entity.kind == "event":
        entity = _of_event(connection, entity)
    if entity.kind == "content":
        return _holders(connection, entity, limit, newest)
    sql, table, column = _STATEMENTS[entity.kind]
    in_all = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (entity.id,)).fetchone()[0]
    versions = _rows(connection, sql, entity.id, newest, None if limit is None else limit + newest)
    _placed(versions, not newest or len(versions) == in_all)
    if newest and limit is not None and len(versions) > limit:
        versions = versions[1:]
    reversions = _rows_of(connection, _REVERSIONS.format(column=column), (entity.id,))
    findings = _rows_of(connection, _FINDINGS.format(column=column), (entity.id,))
    for version in versions:
        version["reversions"] = [one["id"] for one in reversions if version["begun_by"] in (one["away_by"], one["back_by"])]
        # a finding stands on the version that its first event began or fell into
        version["findings"] = [one["id"] for one in findings if (version["since"] or "") <= one["first"] and (
            version["until"] is None or one["first"] < version["until"])]
    return History(entity, versions, in_all, reversions, findings)


def _of_event(connection: sqlite3.Connection, entity: Entity) -> Entity:
    file, value = connection.execute("SELECT file_id, registry_value_id FROM events WHERE id = ?", (entity.id,)).fetchone()
    if file is None and value is None:
        raise Misuse(f"event {entity.name} tells of no file and no registry value")
    kind, number = ("file", file) if file is not None else ("registry value", value)
    return Entity(kind, number, name(connection, kind, number))


def _key(alias: str) -> str:
    return f"lower(hex({alias}.match_key)) || '-' || {alias}.ordinal"


_COMMON = f"""
    v.id AS version, v.chain_id AS chain, v.state AS state, v.basis AS basis, v.since AS since, v.until AS until,
    l.time AS last_seen, v.events AS events, v.before AS before, v.differs AS differs, v.previous_id AS previous,
    c.change AS change, p.name AS process, p.pid AS pid, a.name AS account, v.begun_by AS begun_by, {_key('b')} AS begun_key,
    v.last_event_id AS last_event, v.ended_by AS ended_by, {_key('e')} AS ended_key, x.change AS ended_change"""
_JOINED = """
    LEFT JOIN events b ON b.id = v.begun_by LEFT JOIN changes c ON c.id = b.change_id
    LEFT JOIN events l ON l.id = v.last_event_id
    LEFT JOIN events e ON e.id = v.ended_by LEFT JOIN changes x ON x.id = e.change_id
    LEFT JOIN processes p ON p.id = v.process_id LEFT JOIN accounts a ON a.id = v.account_id"""
_FILE = f"""
    SELECT {_COMMON}, k.sha256 AS sha256, k.sha1 AS sha1, k.md5 AS md5, v.size AS size,
      CASE WHEN v.state = 'absent' AND v.basis = 'deleted' THEN coalesce(g.sha256, g.sha1, g.md5) END AS deleted_hash,
      CASE WHEN v.state = 'present' AND c.change = 'Renamed' THEN o.path END AS came_from,
      CASE WHEN v.basis = 'moved away' THEN t.path END AS went_to
    FROM file_versions v {_JOINED} LEFT JOIN contents k ON k.id = v.content_id LEFT JOIN contents g ON g.id = b.content_id
    LEFT JOIN paths o ON o.id = b.original_path_id LEFT JOIN paths t ON t.id = b.path_id
    WHERE v.file_id = ?"""
_TOLD = "v.basis = 'inferred from old value'"
_REGISTRY = f"""
    SELECT {_COMMON}, v.data_event_id AS data_event,
      CASE WHEN v.data_event_id IS NOT NULL THEN coalesce(CASE WHEN {_TOLD} THEN d.old_data ELSE d.new_data END, '') END AS data,
      CASE WHEN {_TOLD} THEN r.old_type ELSE r.new_type END AS type,
      CASE WHEN v.state = 'present' AND c.change = 'RegistryKeyRenamed' THEN n.old_key END AS came_from,
      CASE WHEN v.basis = 'moved away' THEN n.key END AS went_to
    FROM registry_versions v {_JOINED} LEFT JOIN events d ON d.id = v.data_event_id
    LEFT JOIN registry_reports r ON r.id = d.registry_report_id LEFT JOIN registry_reports n ON n.id = b.registry_report_id
    WHERE v.registry_value_id = ?"""
_STATEMENTS = {"file": (_FILE, "file_versions", "file_id"),
               "registry value": (_REGISTRY, "registry_versions", "registry_value_id")}
_REVERSIONS = """
    SELECT r.id AS id, r.class AS class, r.away_by AS away_by, r.back_by AS back_by, r.since AS since, r.until AS until,
      r.sentence AS sentence FROM reversions r WHERE r.{column} = ? ORDER BY r.until, r.id"""
_FINDINGS = """
    SELECT id, rule, severity, sentence, first, last FROM findings WHERE {column} = ? ORDER BY first, id"""


def _rows(connection: sqlite3.Connection, sql: str, number: int, newest: bool, limit: int | None) -> list[dict]:
    way = "DESC" if newest else "ASC"
    found = _rows_of(connection, f"{sql} ORDER BY v.since {way}, v.id {way} LIMIT ?", (number, -1 if limit is None else limit))
    return found[::-1] if newest else found


def _rows_of(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[dict]:
    cursor = connection.execute(sql, values)
    names = [told[0] for told in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _placed(versions: list[dict], from_first: bool) -> None:
    """Adds what the chain does not tell, for it follows a file through renames while a path sees one file after the other.

    `first`: of the place; `over`: it came over a file that was here; `here`: is this what the place held the last time
    something was there? `same`, `other`, `unknown`, None where nothing was.
    """
    last, before = None, None
    for at, version in enumerate(versions):
        there = version["state"] == "present"
        version["first"] = from_first and not at
        version["over"] = there and before is not None and before["state"] == "present" and before["chain"] != version["chain"]
        version["here"] = against(last, version) if there and last is not None else None
        last, before = version if there else last, version


def against(one: dict, other: dict) -> str:
    """Do two present versions hold the same? `same`, `other`, or `unknown` where neither hashes, sizes nor data can tell."""
    if "data" in one:
        if one["data"] is None or other["data"] is None:
            return "unknown"
        same = one["data"] == other["data"] and (None in (one["type"], other["type"]) or one["type"] == other["type"])
        return "same" if same else "other"
    pairs = [(one[kind], other[kind]) for kind in HASHES if one[kind] and other[kind]]
    if pairs:
        return "same" if all(left == right for left, right in pairs) else "other"
    return "other" if None not in (one["size"], other["size"]) and one["size"] != other["size"] else "unknown"


# ---- a content

_HOLDERS = """
    SELECT min(v.id) AS version, h.name AS host, f.path AS path, f.id AS file, min(v.since) AS since,
      CASE WHEN count(v.until) < count(*) THEN NULL ELSE max(v.until) END AS until, count(*) AS versions,
      sum(v.events) AS events, min(v.begun_by) AS begun_by
    FROM file_versions v JOIN files f ON f.id = v.file_id JOIN hosts h ON h.id = f.host_id
    WHERE v.content_id IN ({marks}) GROUP BY v.file_id"""
# Of some files only the end was seen: the event that deleted them told their hash.
_ONLY_DELETED = """
    SELECT NULL AS version, h.name AS host, f.path AS path, f.id AS file, NULL AS since, min(e.time) AS until, 0 AS versions,
      count(*) AS events, e.id AS begun_by
    FROM events e JOIN changes c ON c.id = e.change_id JOIN files f ON f.id = e.file_id JOIN hosts h ON h.id = f.host_id
    WHERE e.content_id IN ({marks}) AND c.change = 'Deleted' AND e.id < (SELECT events_end FROM case_info)
      AND NOT EXISTS (SELECT 1 FROM file_versions v WHERE v.file_id = e.file_id AND v.content_id IN ({marks}))
    GROUP BY e.file_id"""
_ACTED = """
    SELECT c.change AS change, p.name AS process, p.pid AS pid, a.name AS account, e.time AS time
    FROM events e JOIN changes c ON c.id = e.change_id LEFT JOIN processes p ON p.id = e.process_id
    LEFT JOIN accounts a ON a.id = e.account_id WHERE e.id = ?"""


def _holders(connection: sqlite3.Connection, entity: Entity, limit: int | None, newest: bool) -> History:
    contents = same_content(connection, entity.id)
    marks = ", ".join(str(number) for number in contents)
    found = _rows_of(connection, _HOLDERS.format(marks=marks), ()) + _rows_of(connection, _ONLY_DELETED.format(marks=marks), ())
    found.sort(key=lambda row: (row["since"] or row["until"], row["host"], row["path"], row["file"]))
    in_all = len(found)
    if limit is not None:
        found = found[-limit:] if newest else found[:limit]
    first = (f"SELECT begun_by FROM file_versions WHERE file_id = ? AND content_id IN ({marks}) ORDER BY since, id LIMIT 1")
    for row in found:
        if row["version"] is not None:
            row["begun_by"] = connection.execute(first, (row["file"],)).fetchone()[0]
        row |= _rows_of(connection, _ACTED, (row["begun_by"],))[0]
        del row["version"], row["time"]
    hashes = _rows_of(connection, "SELECT sha256, sha1, md5, size FROM contents WHERE id = ?", (entity.id,))[0]
    findings = _rows_of(connection, _FINDINGS.format(column="content_id"), (entity.id,))
    return History(entity, [hashes | row for row in found], in_all, [], findings)
