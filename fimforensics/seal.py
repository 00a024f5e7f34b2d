"""The seal: a case is closed, hashed from file to cell, stated and signed; from then on its file is never written again.

The statement's name is what makes a case sealed, and it comes last: first an entry in the custody log, then digests, statement
and signature in files of other names, synced, then the names, then the file's mode. Whatever moment stops it, the case is
unsealed and the same command begins anew, or it is sealed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fimforensics import case as cases
from fimforensics import sql
from fimforensics.errors import Problem
from fimforensics.evidence import beside, custody, sshsig, statement, tree
from fimforensics.opening import open_quick

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """What a seal left: the statement, its SHA-256, and who signed it."""

    statement: dict[str, Any]
    sha256: str
    signer: sshsig.Signer | None


def seal(case: Path, key: Ed25519PrivateKey | None, note: str | None = None, parent: Path | None = None,
         progress: Progress = lambda _: None) -> Done:
    """Seals a case. `parent`: the sealed case that this one grew from; its root must be the beginning of this one's."""
    cases.check_header(case)
    if beside.seal_file(case).exists():
        _close(case)  # where a stop came before the mode
        raise Problem("it is sealed already", where=str(case),
                      hint="Sign it once more: fimforensics seal CASE --add-signature --key FILE. "
                           "Go on working: fimforensics copy CASE NEW")
    who = sshsig.signer(key.public_key()) if key else None
    cases.recover(case)
    with cases.reading(case) as connection:
        _finished(connection, case)
        grown = _parent(connection, parent) if parent else None
    _may_be_written(case)
    with cases.change(case) as db:
        db.execute("BEGIN IMMEDIATE")
        custody.add(db, "seal", {"note": note, "key": who.fingerprint if who else None,
                                 "parent": grown["sha256"] if grown else None},
                    "closed; what follows stands in the custody file beside the case", purpose=note)
        db.execute("COMMIT")
    _sync(case)
    before = case.stat()
    with cases.reading(case) as connection, contextlib.closing(open_quick(case)) as quick:
        sealed = statement.now(note, who.fingerprint if who else None)
        told = statement.make(connection, quick, statement.file_facts(case), sealed, grown, progress)
    data = statement.canonical(told)
    after = case.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
        raise Problem("it was changed while it was sealed", where=str(case),
                      hint="Let no other program write to it, and try again")
    signature = beside.signature_file(case)
    signature.unlink(missing_ok=True)  # left by a stop, of a statement that never was
    if key:
        _write(signature, sshsig.sign(key, data).encode())
    _write(beside.seal_file(case), data)
    _close(case)
    return Done(told, sha256(data).hexdigest(), who)


def add_signature(case: Path, key: Ed25519PrivateKey) -> tuple[Path, sshsig.Signer]:
    """One signature more over the statement of a sealed case; its file, and whose it is."""
    _, data = statement.read(beside.seal_file(case))
    there = beside.signature_files(case)
    for path in there:
        with contextlib.suppress(Problem):
            if sshsig.check(path.read_text("ascii", "replace"), data) == sshsig.signer(key.public_key()):
                raise FileExistsError(path)
    path = beside.signature_file(case, len(there) + 1)
    _write(path, sshsig.sign(key, data).encode())
    return path, sshsig.signer(key.public_key())


def _finished(connection: Any, case: Path) -> None:
    if sql.first(connection, "SELECT 1 FROM snapshots WHERE state = 'unfinished'"):
        raise Problem("an ingest into it is not done", where=str(case),
                      hint="Run the same ingest command again, or: fimforensics ingest CASE --abandon")


def _parent(connection: Any, parent: Path) -> dict[str, Any]:
    """The parent's statement and signatures, with the proof that its tree is the beginning of this case's."""
    told, data = statement.read(beside.seal_file(parent))
    leaves, old = statement.all_leaves(connection), told["tree"]["leaves"]
    if not 0 < old <= len(leaves) or tree.root(leaves[at] for at in range(old)).hex() != told["tree"]["root"]:
        raise Problem("the case did not grow from it: the leaves do not begin with its leaves", where=str(parent),
                      hint="Name the sealed case of which this one is a working copy")
    return {"statement": told, "sha256": sha256(data).hexdigest(),
            "signatures": [path.read_text("ascii", "replace") for path in beside.signature_files(parent)],
            "consistency": [one.hex() for one in tree.consistency(leaves, old)]}


def _may_be_written(case: Path) -> None:
    """Problem for a file that is read-only without being sealed: its seal was taken away, or somebody protects it."""
    if not case.stat().st_mode & 0o200:
        raise Problem("its file may only be read, and no seal lies beside it", where=str(case),
                      hint=f"If that is right, allow it first: chmod u+w {case}")


def _write(path: Path, data: bytes) -> None:
    """A file whole or not at all, synced with its folder."""
    made = beside.new(path)
    try:
        with made.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(made, path)
        _sync_folder(path)
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path),
                      hint="See that its folder can be written and has room, then run the same command again") from None


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    if os.name == "posix":  # elsewhere folders cannot be synced, and need not be
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _close(case: Path) -> None:
    """The sealed file may be read only."""
    case.chmod(0o444)
