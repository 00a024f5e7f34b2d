"""Logical digests of what the analyses say: the same for the same evidence, whatever the ids and the order of ingest.

As in `queries.digest`, every reference is replaced by the natural key of what it refers to, rows become JSON arrays in order,
and the SHA-256 goes over them. A version is known by what it is a version of, its chain's beginning and its own;
numbers that only count rows of a derived table are left out.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256

TABLES = ("file_versions", "registry_versions", "reversions", "relations", "content_spread", "rarity", "bursts", "coverage",
          "silences", "findings", "finding_events", "event_counts")
_HOST = "SELECT h.key FROM hosts h WHERE h.id = {}"
_EVENT = "SELECT lower(hex(k.match_key)) || '-' || k.ordinal FROM events k WHERE k.id = {}"
_NATURAL = {
    "hosts": _HOST,
    "events": _EVENT,
    "changes": "SELECT json_array(kind, change, entity) FROM changes WHERE id = {}",
    "files": f"SELECT json_array(({_HOST.format('f.host_id')}), f.key) FROM files f WHERE f.id = {{}}",
    "registry_values": f"SELECT json_array(({_HOST.format('r.host_id')}), r.key, r.name) FROM registry_values r "
                       "WHERE r.id = {}",
    "contents": "SELECT json_array(sha256, sha1, md5, size) FROM contents WHERE id = {}",
    "processes": f"SELECT json_array(({_HOST.format('p.host_id')}), p.pid, p.created, p.image_key, p.name, p.weak) "
                 "FROM processes p WHERE p.id = {}",
    "accounts": "SELECT json_array(name, sid, domain, account) FROM accounts WHERE id = {}",
    "file_versions": f"SELECT json_array(file_id IS NOT NULL, state, basis, ({_EVENT.format('v.begun_by')}), "
                     "(SELECT x.key FROM files x WHERE x.id = v.file_id)) FROM file_versions v WHERE v.id = {}",
    "registry_versions": f"SELECT json_array(state, basis, since, until, ({_EVENT.format('coalesce(v.begun_by, v.ended_by)')})) "
                         "FROM registry_versions v WHERE v.id = {}",
    "findings": "SELECT json_array(rule, version, severity, sentence, first, last) FROM findings WHERE id = {}",
}
_ADDRESS = "SELECT ip FROM requests WHERE id = {}"
_KINDS = {"account": "accounts", "process": "processes", "file": "files", "registry value": "registry_values",
          "content": "contents"}


def derived_digests(connection: sqlite3.Connection) -> dict[str, str]:
    """The digest of every derived table, by name, in hexadecimal; looks at every row."""
    return {table: _digest(connection, table) for table in TABLES}


def _digest(connection: sqlite3.Connection, table: str) -> str:
    found = sha256()
    for (line,) in connection.execute(statement(connection, table)):
        found.update(line.encode() + b"\n")
    return found.hexdigest()


def statement(connection: sqlite3.Connection, table: str) -> str:
    """The query for a derived table's rows as JSON, in order: natural keys for references, no numbers of their own."""
    references = {row[3]: row[2] for row in connection.execute(f'PRAGMA foreign_key_list("{table}")')}
    columns = []
    for _, name, *_, key in connection.execute(f'PRAGMA table_info("{table}")'):
        place = f't."{name}"'
        if name == "chain_id":
            first = f'(SELECT min(c.id) FROM "{table}" c WHERE c.chain_id = {place})'
            columns.append(f"({_NATURAL[table].format(first)})")
        elif name in ("subject_id", "object_id"):
            columns.append(_polymorphic(name.removesuffix("_id"), place))
        elif name in references:
            columns.append(f"({_NATURAL[references[name]].format(place)})")
        elif not (key and name == "id"):
            columns.append(place)
    return f'SELECT json_array({", ".join(columns)}) AS line FROM "{table}" t ORDER BY line'


def _polymorphic(side: str, place: str) -> str:
    """The natural key of one side of a relation, whose kind another column tells."""
    cases = "".join(f" WHEN '{kind}' THEN ({_NATURAL[table].format(place)})" for kind, table in _KINDS.items())
    return f"CASE t.{side}_kind{cases} WHEN 'address' THEN ({_ADDRESS.format(place)}) END"
