"""Beyond a seal: working copies that name their sealed parent, and custody, in the case before the seal and beside it after.

A working copy is the same case: same id, same leaves, same key. It begins as the sealed file byte for byte, so that whatever
is added can be proven to have been added (`seal --parent`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fimforensics import case as cases
from fimforensics import sql
from fimforensics.errors import Problem
from fimforensics.evidence import after, beside, custody, statement


@dataclass(frozen=True)
class Copied:
    """What the copy names: its parent's root, the SHA-256 of its file and of its statement; and whether the key came along."""

    root: str
    file_sha256: str
    statement_sha256: str
    key: Path | None


def copy(case: Path, new: Path, purpose: str | None = None) -> Copied:
    """Makes a working copy of a sealed case; Problem where the file is not the one that was sealed."""
    cases.check_header(case)
    if not beside.seal_file(case).exists():
        raise Problem("it is not sealed, so there is nothing a working copy could name", where=str(case),
                      hint="Seal it first: fimforensics seal CASE. Or go on working with it")
    told, data = statement.read(beside.seal_file(case))
    key, made, target_key = cases.key_file(case), beside.new(new), cases.key_file(new)
    same = key.is_file() and target_key.is_file() and key.read_bytes() == target_key.read_bytes()  # left by a stop
    for path in (new, cases.partial(new), *([] if same else [target_key]), beside.seal_file(new)):
        if os.path.lexists(path):
            raise Problem("it is there already", where=str(path), hint="Name a new file; nothing is overwritten")
    made.unlink(missing_ok=True)  # left by a stop
    try:
        found = _copied(case, made)
        if found != told["file"]["sha256"]:
            raise Problem("the file is not the one that was sealed: its SHA-256 is another", where=str(case),
                          hint="Run: fimforensics verify CASE")
        copied = Copied(told["tree"]["root"], found, sha256(data).hexdigest(), target_key if key.is_file() else None)
        with cases.change(made) as db:
            db.execute("BEGIN IMMEDIATE")
            custody.add(db, "copy", {"parent": case.name, "parent_root": copied.root, "parent_leaves": told["tree"]["leaves"],
                                     "parent_statement_sha256": copied.statement_sha256, "parent_file_sha256": found},
                        "a working copy of that sealed case", purpose=purpose, subject=found)
            db.execute("COMMIT")
        if copied.key and not same:
            _secret(key, target_key)
        os.rename(made, new)
        cases.sync_folder(new)
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(new),
                      hint="Name a new file in a folder that is there and has room") from None
    finally:
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)
    return copied


def _copied(case: Path, made: Path) -> str:
    """A copy of the file that only its owner may write, synced; its SHA-256."""
    found = sha256()
    with case.open("rb") as source, made.open("xb") as stream:
        while data := source.read(1 << 20):
            found.update(data)
            stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    return found.hexdigest()


def _secret(key: Path, target: Path) -> None:
    with key.open("rb") as source, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        shutil.copyfileobj(source, stream)
        stream.flush()
        os.fsync(stream.fileno())


def note(case: Path, action: str, arguments: dict[str, object], result: str, purpose: str | None) -> str:
    """Adds an entry of custody where the case has its log now; the name of the file that holds it."""
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if beside.seal_file(case).exists():
        cases.inspect(case)
        after.add(case, action, arguments, result, purpose=purpose, subject=after.anchor(case))
        return beside.custody_file(case).name
    cases.check_header(case)
    with cases.change(case) as db:
        db.execute("BEGIN IMMEDIATE")
        custody.add(db, action, arguments, result, purpose=purpose, subject=sql.cell(db, "SELECT evidence_digest FROM case_info"))
        db.execute("COMMIT")
    return case.name
