"""Relations that events tell of themselves, rolled up by SQL: one sorted round over the events for each family of them.

A relation counts the events it stands on; they are found again by its subject and object. Times before 1980 or after 2100
are clocks gone wrong: they are first or last of a relation only where it has no other.
"""

from __future__ import annotations

import apsw

from fimforensics.analyses.contract import EVENTS_END

# The recorded word of a change → the relation; any other word is `modified`, with the word itself as basis.
WORDS = {"Created": "created", "Modified": "modified", "Renamed": "renamed", "Deleted": "deleted", "RegistryValueSet": "set",
         "RegistryKeyCreated": "created", "RegistryKeyDeleted": "deleted", "RegistryValueDeleted": "deleted",
         "RegistryKeyRenamed": "renamed"}
EMPTY = {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "md5": "d41d8cd98f00b204e9800998ecf8427e"}
INTO = "INSERT INTO relations (subject_kind, subject_id, relation, object_kind, object_id, basis, events, first, last) "


def usual(which: str, time: str = "time") -> str:
    """SQL of the first (`min`) or last (`max`) time of a group, odd times left aside where there are others."""
    return f"coalesce({which}(CASE WHEN {time} >= '1980' AND {time} < '2101' THEN {time} END), {which}({time}))"


SPAN = f"{usual('min')} AS first, {usual('max')} AS last"


def not_empty(alias: str) -> str:
    """SQL that holds for a content or image that is not the empty file, which links nothing."""
    told = [f"coalesce({alias}.{column}, '') <> '{digest}'" for column, digest in EMPTY.items()]
    return " AND ".join([*told, f"coalesce({alias}.size, 1) <> 0"])


def ran(db: apsw.Connection) -> None:
    """Account `ran` process."""
    db.execute(f"{INTO} SELECT 'account', account_id, 'ran', 'process', process_id, NULL, count(*), {SPAN} "
               f"FROM events e NOT INDEXED WHERE id < {EVENTS_END} AND account_id IS NOT NULL AND process_id IS NOT NULL "
               "GROUP BY account_id, process_id ORDER BY account_id, process_id")


def changed(db: apsw.Connection) -> None:
    """Process, or where none is known account, `created`, `modified`, `renamed`, `deleted`, `set` file or registry value."""
    db.execute("CREATE TEMP TABLE relation_words (change_id INTEGER PRIMARY KEY, word INTEGER, registry INTEGER)")
    db.execute("CREATE TEMP TABLE relation_names (word INTEGER PRIMARY KEY, relation TEXT, basis TEXT)")
    known = " ".join(f"WHEN '{word}' THEN '{relation}'" for word, relation in WORDS.items())
    named = f"CASE change {known} END"
    db.execute(f"INSERT INTO relation_names SELECT row_number() OVER (ORDER BY relation, basis), relation, basis FROM (SELECT "
               f"DISTINCT coalesce({named}, 'modified') AS relation, CASE WHEN {named} IS NULL THEN change END AS basis "
               "FROM changes)")
    db.execute(f"INSERT INTO relation_words SELECT c.id, n.word, c.kind = 'registry' FROM changes c JOIN relation_names n "
               f"ON n.relation = coalesce({named}, 'modified') AND n.basis IS CASE WHEN {named} IS NULL THEN change END")
    # One number each for subject and object, its last bit the kind: sorting numbers is cheap.
    thing = ("CASE WHEN w.registry AND e.registry_value_id IS NOT NULL OR e.file_id IS NULL "
             "THEN 2 * e.registry_value_id + 1 ELSE 2 * e.file_id END")
    db.execute(f"""{INTO}
        SELECT CASE subject & 1 WHEN 1 THEN 'process' ELSE 'account' END, subject >> 1, n.relation,
               CASE object & 1 WHEN 1 THEN 'registry value' ELSE 'file' END, object >> 1, n.basis, events, first, last
        FROM (SELECT coalesce(2 * e.process_id + 1, 2 * e.account_id) AS subject, w.word AS told, {thing} AS object,
                     count(*) AS events, {SPAN}
              FROM events e NOT INDEXED CROSS JOIN relation_words w ON w.change_id = e.change_id
              WHERE e.id < {EVENTS_END} AND subject IS NOT NULL AND object IS NOT NULL
              GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) CROSS JOIN relation_names n ON n.word = told""")
    db.execute("DROP TABLE relation_words")
    db.execute("DROP TABLE relation_names")


def had(db: apsw.Connection) -> None:
    """File `had` content, as its events say, and as what was renamed or moved carried on without saying so."""
    db.execute(f"""{INTO}
        SELECT 'file', file_id, 'had', 'content', content_id, NULL, count(*), {SPAN}
        FROM (SELECT file_id, content_id, time FROM events NOT INDEXED
              WHERE id < {EVENTS_END} AND file_id IS NOT NULL AND content_id IS NOT NULL
              UNION ALL
              SELECT v.file_id, v.content_id, v.since FROM file_versions v CROSS JOIN events e ON e.id = v.begun_by
              WHERE v.state = 'present' AND v.content_id IS NOT NULL AND v.previous_id IS NOT NULL AND e.content_id IS NULL) t
        WHERE content_id NOT IN (SELECT id FROM contents c WHERE NOT ({not_empty('c')}))
        GROUP BY 2, 5 ORDER BY 2, 5""")


def acted(db: apsw.Connection) -> None:
    """Request account, and request address, `acted through` process: on whose behalf, and from where, over the network."""
    # An address is named by the first request that tells it.
    db.execute("CREATE TEMP TABLE relation_actors (request_id INTEGER PRIMARY KEY, account_id INTEGER, address_id INTEGER)")
    db.execute("INSERT INTO relation_actors SELECT id, account_id, CASE WHEN ip <> '' THEN min(id) OVER (PARTITION BY ip) END "
               "FROM requests WHERE account_id IS NOT NULL OR ip <> '' ORDER BY id")
    for kind in ("account", "address"):
        db.execute(f"""{INTO}
            SELECT '{kind}', a.{kind}_id, 'acted through', 'process', e.process_id, NULL, count(*), {SPAN}
            FROM events e NOT INDEXED CROSS JOIN relation_actors a ON a.request_id = e.request_id
            WHERE e.id < {EVENTS_END} AND e.process_id IS NOT NULL AND a.{kind}_id IS NOT NULL
            GROUP BY 2, 5 ORDER BY 2, 5""")
    db.execute("DROP TABLE relation_actors")
