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
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw

from fimforensics import schema
from fimforensics.blame import FAULTS, fault
from fimforensics.errors import Problem
from fimforensics.evidence import custody
from fimforensics.evidence.beside import seal_file
from fimforensics.opening import MAX_VALUE, SWITCHES, beside, check_schema, damaged, inspect, open_read, partial

__all__ = ["FAULTS", "change", "check_header", "create", "fault", "finish_create", "inspect", "key_check", "key_file", "lay_out",
           "open_read", "partial", "publish", "read_key", "reading", "recover", "refuse_part", "seal_file", "sync_folder"]

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_TOOBIG)
CACHE_KIB = 96 * 1024  # of pages, while a case is written


def key_file(case: Path) -> Path:
    """Where a case's secret lies."""
    return beside(case, ".key")


def _new(path: Path) -> Path:
    """Where a file is made before it gets its name, so that a stop leaves it whole or not at all."""
    return beside(path, ".new")


def check_header(path: Path) -> None:
    """Problem for everything that is not a case of this format which may be written."""
    inspect(path, writing=True)


@contextlib.contextmanager
def reading(path: Path, formats: Iterable[int] = (schema.FORMAT,)) -> Iterator[sqlite3.Connection]:
    """`open_read`, closed at the end; damage that shows itself while it is read is a Problem, and so is what no case holds."""
    with contextlib.closing(open_read(path, formats)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            raise _told(connection, path, error) from None
        except FAULTS as error:
            found = fault(connection, str(path))
            if found is None:
                raise
            raise found from error


def _told(connection: sqlite3.Connection, path: Path, error: sqlite3.Error) -> Exception:
    """What is wrong with the case; the error itself where it is the statement's."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF == sqlite3.SQLITE_INTERRUPT:
        return Problem("reading it takes more than a case of its size can need", where=str(path),
                       hint="It is damaged, or was made to do that: use another copy of it")
    if (code or 0) & 0xFF in _DAMAGE:
        return damaged(path, error)
    return fault(connection, str(path)) or error


def create(case: Path, *, case_key: bytes | None, case_number: str | None, examiner: str | None, note: str | None) -> Path:
    """Makes `CASE.partial` and `CASE.key`; gives the partial's path. A stop leaves both (see `finish_create`) or none."""
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
            stream.flush()
            os.fsync(stream.fileno())  # a case whose secret is lost takes no source any more
        lay_out(made[0], key, case_number, examiner, note)
        os.replace(made[0], target)
        finish_create(case)
    except (OSError, apsw.Error) as error:
        for path in made if not target.exists() else ():  # a case that is there needs its secret: finish_create names it later
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise Problem(f"cannot be written ({getattr(error, 'strerror', None) or error})", where=str(target),
                      hint="Name a case in a folder that is there, can be written, and has room") from None
    return target


def lay_out(path: Path, key: bytes | None, case_number: str | None, examiner: str | None, note: str | None) -> None:
    """An empty case: schema, its own row, and the salt of its digests. Without a key nothing can be ingested into it."""
    info = {"id": 1, "case_id": str(uuid.uuid4()), "format": schema.FORMAT, "tool": custody.tool(), "created": custody.now(),
            "case_number": case_number, "examiner": examiner, "note": note, "events_end": 1, "evidence_digest": "",
            "key_check": key_check(key) if key else ""}
    with contextlib.closing(apsw.Connection(str(path))) as db:
        db.execute(f"PRAGMA page_size = 4096; PRAGMA application_id = {schema.APPLICATION_ID}; "
                   f"PRAGMA user_version = {schema.FORMAT}; BEGIN; {schema.ddl()}")
        db.execute(f"INSERT INTO case_info ({', '.join(info)}) VALUES ({', '.join('?' * len(info))})", tuple(info.values()))
        db.execute("INSERT INTO digest_salt VALUES (1, ?)", (secrets.token_hex(32),))
        db.execute("COMMIT")


def finish_create(case: Path) -> None:
    """Gives the secret its name, where a stop left it without."""
    if partial(case).exists() and _new(key_file(case)).exists():
        os.replace(_new(key_file(case)), key_file(case))
        sync_folder(case)


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


def refuse_part(db: Any, path: Path) -> None:
    """Problem where the case is a part of another: there is no whole source in it, and nothing is added to it."""
    if db.execute("SELECT 1 FROM part").fetchone():
        raise Problem("it is a part of another case: it holds no whole source, and takes none", where=str(path),
                      hint="Work on the whole case, and make a part of it again")


def _harden(db: apsw.Connection) -> None:
    """Nothing in a case's schema runs by itself, and nobody but us writes it."""
    db.set_busy_timeout(0)
    for name, on in SWITCHES:
        db.config(getattr(apsw, f"SQLITE_DBCONFIG_{name}"), on)
    db.limit(apsw.SQLITE_LIMIT_LENGTH, 4 * MAX_VALUE)
    db.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)


def _failed(path: Path, error: apsw.Error) -> Problem:
    return Problem(f"writing failed ({error})", where=str(path),
                   hint="Make room or see to the disk, then run the same command again: it goes on where it stopped")


@contextlib.contextmanager
def change(path: Path) -> Iterator[apsw.Connection]:
    """A connection that alone may write, held till the end; what is not committed is rolled back. A sealed case has none."""
    if seal_file(path).exists():
        raise Problem("it is sealed, and a sealed case is never written again", where=str(path),
                      hint="Make a working copy: fimforensics copy CASE NEW")
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)
        _harden(db)
        if db.readonly("main"):
            raise apsw.ReadOnlyError("it may only be read")
        if beside(path, "-journal").exists():  # left by a stop: SQLite plays it back, and so takes it away where it is done
            db.execute("PRAGMA journal_mode = PERSIST; PRAGMA journal_mode = DELETE").fetchall()
        db.execute(f"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; "
                   f"PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = FILE; PRAGMA foreign_keys = OFF; "
                   "PRAGMA threads = 2").fetchall()  # it stops at each row that is not fetched
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
        check_schema(db, path, unfinished=True)
    except apsw.BusyError:
        raise Problem("another program is writing to it", where=str(path), hint="Wait until it is done") from None
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError, apsw.PermissionsError, apsw.FullError) as error:
        raise Problem(f"cannot be written ({error})", where=str(path),
                      hint="See that its folder and itself can be written, and that there is room") from None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise damaged(path, error) from None
    try:
        yield db
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise _failed(path, error) from None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise damaged(path, error) from None
    finally:
        if db.in_transaction:
            with contextlib.suppress(apsw.Error):
                db.execute("ROLLBACK")
        try:
            db.close()
        except (apsw.FullError, apsw.IOError) as error:
            raise _failed(path, error) from None


def recover(path: Path) -> None:
    """Brings a case back to its last commit where a stopped writer left it in the middle, for who reads it before writing."""
    if beside(path, "-journal").exists():
        with change(path):
            pass


def publish(case: Path) -> None:
    """The first ingest is done: the partial becomes the case."""
    source = partial(case)
    with source.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(source, case)
    sync_folder(case)


def sync_folder(path: Path) -> None:
    """Puts the names in a file's folder on disk."""
    if os.name == "posix":  # elsewhere folders cannot be synced, and need not be
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
