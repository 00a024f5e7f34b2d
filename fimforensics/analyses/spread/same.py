"""Which rows of `contents` are surely the same content as another: a hash that both have agrees, and none differs.

That is no equality that leads on: a SHA-256 alone and a SHA-1 alone may both be the same as a row that has the two, and nothing
tells that they are the same as each other. So each row has a set of its own; rows that have equal sets share one. A hash that is
told beside two different others of one kind (a collision, or made up) links nothing.
"""

from __future__ import annotations

import apsw

from fimforensics import sql

_HASHES = ("sha256", "sha1", "md5")
_TABLES = ("shared", "forms", "pairs", "sets")
_ALIKE = " AND ".join(f"min({one}) IS max({one})" for one in _HASHES)
# Only contents that share a hash are looked at; a form is one combination of hashes, whatever the sizes told with it.
_FORMS = f"""
    CREATE TEMP TABLE spread_shared (content_id INTEGER PRIMARY KEY);
    {' '.join(f'''INSERT OR IGNORE INTO spread_shared SELECT c.id FROM (SELECT {one} AS hash FROM contents WHERE {one} IS NOT NULL
        GROUP BY {one} HAVING count(*) > 1) g CROSS JOIN contents c ON c.{one} = g.hash;''' for one in _HASHES)}
    CREATE TEMP TABLE spread_forms AS SELECT min(c.id) AS form, c.sha256, c.sha1, c.md5 FROM spread_shared s
        CROSS JOIN contents c ON c.id = s.content_id GROUP BY c.sha256, c.sha1, c.md5;"""
_PAIRS = f"""
    CREATE TEMP TABLE spread_pairs (one INTEGER, other INTEGER, PRIMARY KEY (one, other)) WITHOUT ROWID;
    INSERT INTO spread_pairs SELECT form, form FROM spread_forms;
    {' '.join(f'''INSERT OR IGNORE INTO spread_pairs SELECT a.form, b.form FROM (SELECT {one} AS hash FROM spread_forms
        WHERE {one} IS NOT NULL GROUP BY {one} HAVING count(*) > 1 AND {_ALIKE}) g
        JOIN spread_forms a ON a.{one} = g.hash JOIN spread_forms b ON b.{one} = g.hash;''' for one in _HASHES)}"""
_SETS = """
    CREATE TEMP TABLE spread_sets (form INTEGER PRIMARY KEY, members TEXT, size INTEGER, leader INTEGER);
    INSERT INTO spread_sets SELECT one, group_concat(other), count(*), min(one) OVER (PARTITION BY group_concat(other))
        FROM (SELECT one, other FROM spread_pairs ORDER BY one, other) GROUP BY one;
    CREATE TEMP TABLE spread_same (content_id INTEGER, leader INTEGER, own INTEGER, part INTEGER,
        PRIMARY KEY (content_id, leader)) WITHOUT ROWID;
    INSERT INTO spread_same SELECT c.id, s.leader, own.leader = s.leader, EXISTS (
            SELECT 1 FROM spread_pairs n JOIN spread_sets wide ON wide.form = n.other AND wide.size > s.size
            WHERE n.one = s.form AND s.size = (SELECT count(*) FROM spread_pairs x JOIN spread_pairs y
                ON y.one = wide.form AND y.other = x.other WHERE x.one = s.form))
        FROM spread_sets s JOIN spread_pairs p ON p.one = s.form JOIN spread_forms f ON f.form = p.other
        JOIN spread_sets own ON own.form = f.form
        JOIN contents c ON c.id IN (SELECT content_id FROM spread_shared)
            AND c.sha256 IS f.sha256 AND c.sha1 IS f.sha1 AND c.md5 IS f.md5
        WHERE s.leader = s.form;"""


def find(db: apsw.Connection) -> bool:
    """Makes the temporary table `spread_same`; gives whether it has any row.

    A content is a member of the set of each `leader`; `own`: that set is its own too; `part`: a wider set holds all of it.
    """
    drop(db)
    db.execute(_FORMS)
    for one in _HASHES:
        db.execute(f"CREATE INDEX temp.spread_forms_{one} ON spread_forms({one})")
    db.execute(_PAIRS + _SETS)
    for table in _TABLES:
        db.execute(f"DROP TABLE temp.spread_{table}")
    return sql.first(db, "SELECT 1 FROM spread_same") is not None


def drop(db: apsw.Connection) -> None:
    """Takes it away."""
    db.execute("".join(f"DROP TABLE IF EXISTS temp.spread_{table};" for table in (*_TABLES, "same")))
