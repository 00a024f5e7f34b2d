"""Nothing that a browser can send writes anything, anywhere."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from conftest import Browser, opened  # type: ignore[import-not-found]

from fimforensics.errors import Problem
from fimforensics.site.database import CaseDatabase
from fimforensics.site.readonly import MAX_VALUE, authorize, harden

WRITES = (
    "INSERT INTO hosts (key, name) VALUES ('x', 'x')",
    "UPDATE hosts SET name = 'x'",
    "DELETE FROM hosts",
    "DROP TABLE hosts",
    "CREATE TABLE x (y)",
    "CREATE TEMP TABLE x (y)",
    "CREATE TEMP VIEW x AS SELECT 1",
    "ATTACH '{}' AS x",
    "ATTACH ':memory:' AS x",
    "VACUUM",
    "VACUUM INTO '{}'",
    "REINDEX",
    "ANALYZE",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = WAL",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA trusted_schema = 1",
    "PRAGMA mmap_size = 0",
    "BEGIN IMMEDIATE",
    "SELECT load_extension('x')",
    "SELECT writefile('{}', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT fts3_tokenizer('x')",
    "SELECT edit('x')",
    "INSERT INTO hosts_fts (hosts_fts) VALUES ('rebuild')",
    "UPDATE sqlite_master SET sql = ''",
    "WITH x AS (SELECT 1) INSERT INTO hosts (key, name) SELECT 1, 1",
    "WITH x AS (SELECT 1) DELETE FROM hosts",
    "SELECT 1; DELETE FROM hosts",
    "EXPLAIN DELETE FROM hosts",
    "SAVEPOINT x",
    "DETACH main",
    "ALTER TABLE hosts ADD COLUMN x",
)
READS = (
    "SELECT count(*) FROM events",
    "SELECT rowid FROM paths_fts WHERE paths_fts MATCH 'alpha'",
    "SELECT value FROM json_each('[1]')",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n",
    "EXPLAIN QUERY PLAN SELECT 1",
    "SELECT name FROM pragma_table_info('events')",
    "SELECT name FROM sqlite_master",
    "SELECT * FROM MDCFileIntegrityMonitoringEvents",
    "SELECT sum(events) OVER (ORDER BY day) FROM event_counts",
)


def state(path: Path) -> dict[str, str]:
    return {found.name: hashlib.sha256(found.read_bytes()).hexdigest() for found in path.parent.iterdir()}


@pytest.mark.parametrize("sql", WRITES)
def test_sql_that_writes_is_refused(normal: Browser, normal_case: Path, sql: str) -> None:
    before = state(normal_case)
    target = normal_case.parent / "stolen.db"
    for statement in (sql.format(target), f"-- x\n{sql.format(target)}", f"/* x */ {sql.format(target)}"):
        answer = normal.sql(statement)
        assert (answer.status_code, answer.json()["ok"]) == (400, False), statement
        assert normal.get("/case/events", params={"_where": f"1) ; {statement}"}).status_code in (200, 400)
    assert state(normal_case) == before


@pytest.mark.parametrize("sql", WRITES)
def test_the_connection_itself_refuses(normal: Browser, normal_case: Path, sql: str) -> None:
    """Behind the check of the words that Datasette makes."""
    before = state(normal_case)
    connection = normal.served.databases["case"].connect()
    harden(connection)
    if sql.startswith(("EXPLAIN", "BEGIN", "SAVEPOINT", "SELECT 1;")):
        sql = "DELETE FROM hosts"
    with pytest.raises((sqlite3.DatabaseError, sqlite3.Warning)):
        connection.execute(sql.format(normal_case.parent / "stolen.db"))
    connection.close()
    assert state(normal_case) == before


@pytest.mark.parametrize("sql", READS)
def test_sql_that_reads_works(normal: Browser, sql: str) -> None:
    answer = normal.sql(sql)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/case",
        "/case/events",
        "/case/events/1",
        "/case/one_machine",
        "/-/messages",
        "/-/logout",
        "/case.json",
        "/case/events/-/insert",
        "/-/create-token",
        "/case/-/create",
    ],
)
def test_methods_that_write_are_refused(normal: Browser, method: str, path: str) -> None:
    answer = normal.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "path",
    [
        "/case.db",
        "/normal.db",
        "/_internal",
        "/_internal.json",
        "/_memory",
        "/_memory?sql=select+1",
        "/:memory:",
        "/_internal/databases",
    ],
)
def test_no_file_and_no_other_database_is_given(normal: Browser, path: str) -> None:
    answer = normal.get(path)
    assert answer.status_code in (301, 403, 404) and b"SQLite format 3" not in answer.content


def test_a_value_cannot_grow_past_the_limit(normal: Browser) -> None:
    for sql in (
        "SELECT length(printf('%.*c', 500000000, 'x'))",
        "SELECT length(zeroblob(64000000))",
        "SELECT length(hex(randomblob(1500000)))",
        "SELECT length(replace(hex(zeroblob(900000)), '0', 'xxxxxxxx'))",
    ):
        answer = normal.sql(sql)
        assert answer.status_code == 400 or (answer.json()["rows"][0][0] or 0) <= MAX_VALUE, sql


def test_sql_stops_at_the_time_limit(normal_case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = next(opened(normal_case))
    browser.served.sql_time_limit_ms = 50
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    answer = browser.sql(endless, "")
    assert answer.status_code == 400 and answer.text.count("<script") == 1 and "stopped at the time limit" in answer.text


def test_a_write_connection_is_never_opened(normal: Browser) -> None:
    database = normal.served.databases["case"]
    assert isinstance(database, CaseDatabase)
    with pytest.raises(Problem):
        database.connect(write=True)


def test_without_free_sql_only_questions_are_answered(normal_case: Path) -> None:
    browser = Browser([normal_case], free_sql=False)
    assert browser.sql("SELECT 1").status_code == 403
    assert browser.get("/case/events?_where=1=1").status_code == 403
    assert browser.get("/case/last_seen").status_code == 200
    assert "<textarea" not in browser.get("/case").text


def test_the_list_of_what_is_allowed() -> None:
    allowed = sqlite3.SQLITE_OK
    assert authorize(sqlite3.SQLITE_SELECT, None, None, None, None) == allowed
    assert authorize(sqlite3.SQLITE_FUNCTION, None, "LOAD_Extension", None, None) != allowed
    assert authorize(sqlite3.SQLITE_PRAGMA, "user_version", None, None, None) == allowed
    assert authorize(sqlite3.SQLITE_PRAGMA, "user_version", "3", None, None) != allowed
    assert authorize(sqlite3.SQLITE_UPDATE, "hosts", "name", "main", None) != allowed
    assert {action for action in range(40) if authorize(action, "x", "y", "main", None) == allowed} == {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_FUNCTION,
    }
