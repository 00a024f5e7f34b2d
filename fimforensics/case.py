"""A case file: made, opened, changed. The only door through which a case is written.

Before its first ingest is done a case is `CASE.partial`; beside it lies `CASE.key`, the secret that salts the leaves, never
in it. Reading opens never write a byte; a case that is not ours, of another format or with a writer's traces beside it is
refused.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import apsw

from fimforensics import schema
from fimforensics.errors import Problem
from fimforensics.evidence import custody

_MAGIC = b"SQLite format 3\0"
# The tables behind full text are SQLite's own; their DDL may be worded otherwise by another version of it.
_SCHEMA = """SELECT type, name, CASE WHEN name GLOB '*_fts_*' AND sql GLOB 'CREATE TABLE *' THEN 'full text' ELSE sql END
    FROM sqlite_schema WHERE sql IS NOT NULL"""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
CACHE_KIB = 96 * 1024  # of pages, while a case is written


def partial(case: Path) -> Path:
    """Where a case lies until its first ingest is done."""
    return case.with_name(case.name + ".partial")


def key_file(case: Path) -> Path:
    """Where a case's secret lies."""
    return case.with_name(case.name + ".key")


def _new(path: Path) -> Path:
    """Where a file is made before it gets its name, so that a stop leaves it whole or not at all."""
    return path.with_name(path.name + ".new")


def check_header(path: Path) -> None:
    """Problem, in one line, for everything that is not a case of this format lying still."""
    where = str(path)
    if not path.exists():
        if partial(path).exists():
            raise Problem("its first ingest is not done", where=where, hint="Run the same ingest command again; it goes on")
        raise Problem("there is no such case", where=where, hint="Make one: fimforensics ingest CASE SOURCE…")
    if not path.is_file():
        raise Problem("it is a folder or a device, not a case", where=where, hint="Name the case's file")
    try:
        with path.open("rb") as stream:
            head = stream.read(100)
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=where) from None
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise Problem("it is not a case (no SQLite file)", where=where,
                      hint="A source goes after the case: fimforensics ingest CASE SOURCE…")
    application, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    if application != schema.APPLICATION_ID:
        raise Problem("it is a SQLite database, but not a case", where=where, hint="Name the case's file")
    if version != schema.FORMAT:
        raise Problem(f"it is a case of format {version}, this program reads format {schema.FORMAT}", where=where,
                      hint="Derive it anew: fimforensics rebuild CASE NEW, with the program that made it or a later one")
    if head[18] == 2 or path.with_name(path.name + "-wal").exists():
        raise Problem("another program left it in WAL mode", where=where,
                      hint="Close that program, or use a copy of the original")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """`open_read`, closed at the end; damage that shows itself while it is read is a Problem."""
    with contextlib.closing(open_read(path)) as connection:
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
                raise
            raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> Problem:
    return Problem(f"it is damaged ({error})", where=str(path), hint="Use another copy of it")


def open_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; a journal left by a killed writer is named, not touched."""
    check_header(path)
    if (journal := path.with_name(path.name + "-journal")).exists() and journal.stat().st_size:
        raise Problem("a writer is at work on it, or was stopped in the middle", where=str(path),
                      hint="Run the same ingest command again, or: fimforensics ingest CASE --abandon")
    connection = sqlite3.connect(path.absolute().as_uri() + "?mode=ro&immutable=1", uri=True)
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA trusted_schema = 0")
    _check_schema(connection, path)
    return connection


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """The file's DDL must be ours, before any table is touched: a crafted view or trigger is no evidence."""
    try:
        found = set(connection.execute(_SCHEMA))
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from None
    expected = _expected()
    if found != expected:
        name = sorted(str(row[1]) for row in found ^ expected)[0]
        raise Problem(f"its schema is not that of a case (look at {name})", where=str(path),
                      hint="It was changed by another program")


def _expected() -> set[tuple]:
    plain = sqlite3.connect(":memory:")
    plain.executescript(schema.ddl() + schema.script("late"))
    found = set(plain.execute(_SCHEMA))
    plain.close()
    return found


def create(case: Path, *, case_key: bytes | None, case_number: str | None, examiner: str | None, note: str | None) -> Path:
    """Makes `CASE.partial` and `CASE.key`; gives the partial's path. A stop leaves both (see `finish_create`) or none."""
    from sqlite_utils import Database  # loaded here, for reading a case goes without it

    target, secret, key = partial(case), key_file(case), case_key or secrets.token_bytes(32)
    if secret.exists() and secret.read_bytes().strip() != key.hex().encode():
        raise Problem("a case's key lies there already", where=str(secret),
                      hint="Move it away, or say --case-key with it to use it again")
    made = (_new(target), _new(target).with_name(_new(target).name + "-journal"), _new(secret))
    try:
        for path in made:
            path.unlink(missing_ok=True)  # left by a stop
        with os.fdopen(os.open(made[2], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(key.hex().encode() + b"\n")
        with contextlib.closing(sqlite3.connect(made[0])) as connection:
            connection.executescript(f"PRAGMA page_size = 4096; PRAGMA application_id = {schema.APPLICATION_ID}; "
                                     f"PRAGMA user_version = {schema.FORMAT}; BEGIN; {schema.ddl()} COMMIT;")
            Database(connection)["case_info"].insert({  # type: ignore[union-attr]
                "id": 1, "case_id": str(uuid.uuid4()), "format": schema.FORMAT, "tool": custody.tool(), "created": custody.now(),
                "case_number": case_number, "examiner": examiner, "note": note, "events_end": 1, "evidence_digest": "",
                "key_check": key_check(key)})
        os.replace(made[0], target)
        finish_create(case)
    except (OSError, sqlite3.Error) as error:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise Problem(f"cannot be written ({getattr(error, 'strerror', None) or error})", where=str(target),
                      hint="Name a case in a folder that is there, can be written, and has room") from None
    return target


def finish_create(case: Path) -> None:
    """Gives the secret its name, where a stop left it without."""
    if partial(case).exists() and _new(key_file(case)).exists():
        os.replace(_new(key_file(case)), key_file(case))


def key_check(key: bytes) -> str:
    """What the case remembers of its secret, to know it again."""
    return sha256(b"fimforensics case key\0" + key).hexdigest()[:32]


def read_key(path: Path) -> bytes:
    """The secret in a key file: 64 hexadecimal figures."""
    try:
        return bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        raise Problem("the case's key is not there", where=str(path),
                      hint="Bring it beside the case, or name it with --case-key") from None
    except (OSError, ValueError):
        raise Problem("it is not a case's key", where=str(path)) from None


@contextlib.contextmanager
def change(path: Path) -> Iterator[apsw.Connection]:
    """A connection that alone may write, held till the end; what is not committed is rolled back."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        db.set_busy_timeout(0)
        if db.readonly("main"):
            raise apsw.ReadOnlyError("it may only be read")
        db.execute(f"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; "
                   f"PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = FILE; PRAGMA foreign_keys = OFF; PRAGMA threads = 2")
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
    except apsw.BusyError:
        raise Problem("another program is writing to it", where=str(path), hint="Wait until it is done") from None
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError, apsw.PermissionsError, apsw.FullError) as error:
        raise Problem(f"cannot be written ({error})", where=str(path),
                      hint="See that its folder and itself can be written, and that there is room") from None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise _damaged(path, error) from None
    try:
        yield db
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise Problem(f"writing failed ({error})", where=str(path),
                      hint="Make room or see to the disk, then run the same command again: it goes on where it stopped") from None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise _damaged(path, error) from None
    finally:
        if db.in_transaction:
            with contextlib.suppress(apsw.Error):
                db.execute("ROLLBACK")
        db.close()


def publish(case: Path) -> None:
    """The first ingest is done: the partial becomes the case."""
    source = partial(case)
    with source.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(source, case)
    if os.name == "posix":  # elsewhere folders cannot be synced, and need not be
        folder = os.open(case.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
