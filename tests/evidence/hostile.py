"""Hostile case files, made from a good one: each a name and what is done to a fresh copy of it.

`HOSTILE` holds all of them: heads, kinds of files, schemas that run by themselves, cells that no case holds, bombs in originals,
trees of pages that bite their own tails, and files planted beside.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import zstandard
from hostile_makers import PAGE, Made, blob, deep, hot, journal, noise, page, patched, relaxed, replaced, sql, tails, zeros

HOSTILE: dict[str, Made] = {}


def files() -> dict[str, Made]:
    """What is no case at all, or not a whole one."""
    cut = {f"cut at {at}": (lambda case, at=at: os.truncate(case, at)) for at in (0, 1, 99, 100, 4095, 4096, 4097, 50_000)}
    return cut | {
        "folder": replaced(Path.mkdir),
        "fifo": replaced(os.mkfifo),
        "link": lambda case: (case.rename(case.with_name("real")), case.symlink_to(case.with_name("real"))),
        "link to itself": replaced(lambda case: case.symlink_to(case)),
        "link to a device": replaced(lambda case: case.symlink_to("/dev/zero")),
        "dangling link": replaced(lambda case: case.symlink_to("nowhere")),
        "text": replaced(lambda case: case.write_text("no case" * 99)),
        "a terabyte of nothing": lambda case: os.truncate(case, 1 << 40),
        "a byte more": lambda case: os.truncate(case, case.stat().st_size + 1),
        "pages more": lambda case: os.truncate(case, case.stat().st_size + 40 * PAGE),
        "another database": replaced(lambda case: sqlite3.connect(case).executescript("CREATE TABLE a (b)").close()),
        "WAL mode": sql("PRAGMA journal_mode = WAL"),
        "gzip": lambda case: case.write_bytes(gzip.compress(case.read_bytes())),
    }


def heads() -> dict[str, Made]:
    """Heads that say what is not so."""
    wrong = {
        "page size 512": (16, b"\2\0"),
        "page size 64 KiB": (16, b"\0\1"),
        "page size 0": (16, b"\0\0"),
        "WAL": (18, b"\2\2"),
        "from the future": (18, b"\7\7"),
        "reserved bytes": (20, b"\xff"),
        "fractions": (21, b"\1\1\1"),
        "pages without end": (28, b"\xff\xff\xff\xff"),
        "no pages": (28, bytes(4)),
        "a freelist of itself": (32, b"\0\0\0\2\0\0\xff\xff"),
        "schema format": (44, b"\0\0\0\x63"),
        "auto vacuum": (52, b"\0\0\0\5"),
        "UTF-16": (56, b"\0\0\0\2"),
        "UTF-16 big": (56, b"\0\0\0\3"),
        "format 1": (60, b"\0\0\0\1"),
        "format 99": (60, b"\0\0\0\x63"),
        "not ours": (68, b"ABCD"),
        "another writer": (92, b"\1\2\3\4"),
        "magic": (0, b"SQLite format 4"),
        "schema page": (100, b"\x05"),
        "schema page cells": (103, b"\xff\xff"),
        "schema page rubbish": (100, b"\xff" * 900),
    }
    return {f"head: {name}": patched(at, data) for name, (at, data) in wrong.items()}


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS id FROM n"


def as_view(table: str, select: str) -> Made:
    """A view in the place of a table."""
    return sql(f"DROP TABLE {table}", f"CREATE VIEW {table} AS {select}")


def ddl(table: str, told: str, instead: str) -> Made:
    """A word of a table's DDL replaced."""
    return lambda case: relaxed(case, table, told, instead)


SCHEMAS: dict[str, Made] = {
    "an endless view more": sql(f"CREATE VIEW more AS {ENDLESS}"),
    "our view endless": sql("DROP VIEW events_flat", f"CREATE VIEW events_flat AS {ENDLESS}"),
    "events an endless view": as_view("events", ENDLESS),
    "case_info an endless view": as_view("case_info", ENDLESS),
    "snapshots a view of a gigabyte": as_view("snapshots", "SELECT printf('%.*c', 999999999, 'x') AS id"),
    "custody_log a view": as_view("custody_log", "SELECT * FROM events"),
    "a trigger": sql("CREATE TRIGGER t AFTER INSERT ON custody_log BEGIN DELETE FROM events; END"),
    "a trigger on update": sql("CREATE TRIGGER t AFTER UPDATE ON case_info BEGIN DELETE FROM originals; END"),
    "a computed column": ddl("case_info", "note TEXT", "note TEXT AS (printf('%.*c', 999999999, 'x'))"),
    "a computed column of all": ddl("events", "flags TEXT", "flags TEXT AS (hex(zeroblob(100000000)))"),
    "a default that runs": ddl("custody_log", "purpose TEXT", "purpose TEXT DEFAULT (load_extension('x'))"),
    "a check that runs": ddl("custody_log", "purpose TEXT", "purpose TEXT CHECK (length(hex(zeroblob(999999999))))"),
    "an index over an expression": sql("CREATE INDEX evil ON events(abs(id))"),
    "a partial index": sql("CREATE INDEX evil ON events(id) WHERE time LIKE '%a%'"),
    "a table more": sql("CREATE TABLE more (a)"),
    "a table as of full text": sql("CREATE TABLE paths_fts_more (a)"),
    "a virtual table": sql("CREATE VIRTUAL TABLE v USING fts5(a)"),
    "a tree of places": sql("CREATE VIRTUAL TABLE v USING rtree(a, b, c)"),
    "statistics": sql("ANALYZE", "UPDATE sqlite_stat1 SET stat = '9999999999 1 1 1 unordered sz=1'"),
    "a sequence": sql("CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT)"),
    "without rowid": ddl("hosts", "name TEXT NOT NULL\n)", "name TEXT NOT NULL\n) WITHOUT ROWID"),
    "a column more": sql("ALTER TABLE events ADD COLUMN evil TEXT"),
    "a column less": ddl("events", "flags TEXT,", ""),
    "a table less": sql("DROP TABLE finding_events"),
    "an index less": sql("DROP INDEX events_time"),
    "an index more": sql("CREATE INDEX more ON events(flags)"),
    "another collation": ddl("hosts", "key TEXT", "key TEXT COLLATE NOCASE"),
    "no SQL at all": ddl("hosts", "CREATE TABLE", "CREATE HAVOC"),
    "a name of rubbish": sql("UPDATE sqlite_schema SET name = x'00ff1b' WHERE name = 'bursts'"),
    "a megabyte of blanks": ddl("hosts", "CREATE TABLE", "CREATE TABLE" + " " * 1_000_000),
    "ten thousand views": sql(*(f"CREATE VIEW v{at} AS SELECT {at}" for at in range(3000))),
    "two tables on one page": sql(
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'events') WHERE name = 'hosts'"
    ),
    "a table on no page": sql("UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'hosts'"),
    "a table beyond the end": sql("UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'snapshots'"),
    "a table on an index": sql(
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'events_time') "
        "WHERE name = 'events'"
    ),
    "a schema of itself": sql("UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'case_info'"),
}


def schemas() -> dict[str, Made]:
    """Schemas with our names, or more, that run by themselves when they are read."""
    return {f"schema: {name}": made for name, made in SCHEMAS.items()}


TEXTS = {
    "no UTF-8": "CAST(x'ff41fe' AS TEXT)", "bytes": "x'00ff'", "NULL": "NULL", "12 MiB": "CAST(zeroblob(12000000) AS TEXT)",
    "40 MiB": "CAST(zeroblob(40000000) AS TEXT)", "escapes": "char(27) || '[2J' || char(0x202e) || '<script>'",
}  # fmt: skip
TOLD = ("snapshots.source", "hosts.name", "case_info.created", "custody_log.arguments", "events.time")
NUMBERS = [
    ("occurrences.offset", "'x'"), ("occurrences.offset", "-5"), ("occurrences.length", "4611686018427387904"),
    ("occurrences.member_id", "77"), ("occurrences.event_id", "1"), ("case_info.events_end", "9223372036854775807"),
    ("case_info.events_end", "'x'"), ("case_info.events_end", "-1"), ("snapshots.records", "1e300"), ("snapshots.size", "x'01'"),
    ("events.forms", "9223372036854775807"), ("events.host_id", "99999"), ("originals.offset", "-1"), ("members.cached", "'y'"),
]  # fmt: skip
JSON = [
    ("members.header", "{}"), ("members.header", "[[["), ("members.header", "7"), ("members.header", "[" * 100_000),
    ("snapshots.reading", "nothing"), ("snapshots.columns_missing", "{"), ("custody_log.arguments", "x"),
    ("events.extra", '{"a":' * 50_000), ("snapshots.acquired", "yesterday"), ("events.time", "9" * 4000),
]  # fmt: skip
ROWS = {
    "no row of the case": "DELETE FROM case_info", "an unfinished one": "UPDATE snapshots SET state = 'unfinished', resume = '{'",
    "full text of rubbish": "UPDATE paths_fts_data SET block = x'ffffffffffffffffff'",
    "no full text": "DELETE FROM paths_fts_data",
    "leaves cut": "UPDATE leaves SET hashes = x'00'", "everything gone": "DELETE FROM events", "no hosts": "DELETE FROM hosts",
    "60 MiB of rows": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO custody_log "
    "SELECT i + 1000, 'x', 'x', 'x', 'x', 'x', '{}', NULL, NULL, hex(zeroblob(500000)), 'x', 'x', 'x' FROM n",
}  # fmt: skip


def set_to(place: str, value: str) -> Made:
    """All cells of a column set to a value; a large one in the first row only."""
    table, column = place.split(".")
    loose = (table, f"{column} TEXT NOT NULL", f"{column} TEXT") if value == "NULL" else None
    return sql(f"UPDATE {table} SET {column} = {value}{' WHERE rowid = 1' if 'zeroblob' in value else ''}", loose=loose)


def cells() -> dict[str, Made]:
    """Cells that no case holds."""
    found = {f"cells: {place}: {name}": set_to(place, value) for place in TOLD for name, value in TEXTS.items()}
    found |= {f"cells: {place} is {value[:12]}": set_to(place, value) for place, value in NUMBERS}
    found |= {f"cells: {place} is {value[:20]}": set_to(place, f"'{value}'") for place, value in JSON}
    return found | {f"cells: {name}": sql(statement) for name, statement in ROWS.items()}


def bombs() -> dict[str, Made]:
    """Originals and members that unpack to more than they may, or not at all."""
    big, small = zeros(2 << 30, 1 << 24), zeros(9 << 20)
    frame = zstandard.ZstdCompressor(level=1).compress(b"x" * 100)
    window = bytes.fromhex("28b52ffd00f8") + frame[6:]
    packed = {
        "2 GiB": big,
        "9 MiB": small,
        "rubbish": b"\xff" * 500,
        "a huge window": window,
        "half a frame": frame[:9],
        "a size that is a lie": bytes.fromhex("28b52ffde0ffffffffffffff7f") + frame[6:],
        "nothing": b"",
        "gzip": gzip.compress(bytes(50 << 20)),
    }
    return {
        f"bomb: {table}: {name}": blob(f"UPDATE {table} SET data = ?", data)
        for table in ("originals", "member_cache")
        for name, data in packed.items()
    } | {
        "bomb: chunks doubled": sql("INSERT INTO originals SELECT snapshot_id, offset + 1, length, codec, data FROM originals"),
        "bomb: chunks gone": sql("DELETE FROM originals"),
        "bomb: cache gone": sql("DELETE FROM member_cache"),
        "bomb: a codec that is none": sql("UPDATE originals SET codec = 'evil'"),
    }


def pages() -> dict[str, Made]:
    """Pages that are not what the tree above says."""
    garbage: Callable[[bytearray, int], object] = lambda held, _: held.__setitem__(slice(0, PAGE), b"\xff" * PAGE)  # noqa: E731
    names = ("events", "snapshots", "case_info", "occurrences", "events_time", "originals")
    found = {f"page: {name} rubbish": page(name, garbage) for name in names}
    found |= {f"page: {name} bites its tail": page(name, tails(2 if name == "events_time" else 5)) for name in names}
    found |= {f"page: noise {seed}": noise(seed) for seed in range(12)}
    return found | {"page: rows without end": deep}


def planted() -> dict[str, Made]:
    """Files beside a good case."""
    return {
        "beside: a journal": journal("-journal", hot),
        "beside: a journal that names a victim": journal("-journal", partial(hot, victim=True)),
        "beside: a journal of rubbish": journal("-journal", lambda _: b"\xff" * 9000),
        "beside: a WAL": journal("-wal", lambda _: b"\x37\x7f\x06\x82" + bytes(99)),
        "beside: a folder as journal": lambda case: case.with_name(case.name + "-journal").mkdir(),
        "beside: a link as journal": lambda case: case.with_name(case.name + "-journal").symlink_to(case),
        "beside: a link as WAL": lambda case: case.with_name(case.name + "-wal").symlink_to("nowhere"),
        "beside: a seal of rubbish": journal(".seal.json", lambda _: json.dumps([1]).encode()),
    }


for _group in (files, heads, schemas, cells, bombs, pages, planted):
    HOSTILE |= _group()
