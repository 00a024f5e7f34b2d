"""One event as a small file that proves itself: its records' bytes and rows, their way up the tree, and the signed statement.

Whoever has the file needs neither the case nor this program: SHA-256, base64 and JSON are enough (docs/case-format.md, Proof of
an event), and `ssh-keygen` for the signature. `check` also reads the bytes again, so that the row is what they say.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from fimforensics import case as cases
from fimforensics.blocks import Entities
from fimforensics.cells import Cells
from fimforensics.errors import Problem
from fimforensics.evidence import custody, raw, sshsig, tree
from fimforensics.evidence.leaves import salt_of, salted
from fimforensics.model import COLUMNS, Reading
from fimforensics.parts.check import signature_texts
from fimforensics.parts.star import row_bytes
from fimforensics.parts.whole import Record, Whole, records, whole_of
from fimforensics.queries.events import find
from fimforensics.rows import FORMS, Builder
from fimforensics.settle import Reader, best

KIND, VERSION = "fimforensics event proof", 1
LARGEST = 64 << 20
_NUMBERS = ("seq", "snapshot", "member", "offset", "length")


@dataclass(frozen=True)
class Proven:
    """What a proof says, checked: `wrong` has what does not hold; `signers` are fingerprints, none where it is not sealed."""

    event: str
    records: int
    root: str
    leaves: int
    sealed: bool
    signers: tuple[str, ...]
    wrong: tuple[str, ...]
    facts: dict[str, Any]


def prove(case: Path, event: str, key: bytes) -> bytes:
    """The proof of an event, told by its number or event key."""
    with cases.reading(case) as db:
        whole = whole_of(db, case, key)
        number = find(db, event)
        event_key, case_id, case_number = db.execute(
            "SELECT f.event_key, c.case_id, c.case_number FROM events_flat f, case_info c WHERE f.id = ?", (number,)).fetchone()
        told = [_record(whole, one) for one in records(whole, Reader(db), raw.Bytes(db), number)]
    found = {"proof": KIND, "version": VERSION, "made": custody.now(), "tool": custody.tool(),
             "case": {"case_id": case_id, "case_number": case_number, "file_sha256": whole.file_sha256},
             "event": {"id": number, "key": event_key}, "records": told, "leaves": len(whole.leaves), "root": whole.root,
             "statement": whole.statement, "signatures": signature_texts(whole.signature or "")}
    return json.dumps(found, indent=1, sort_keys=True).replace("\x7f", "\\u007f").encode("ascii") + b"\n"


def _record(whole: Whole, one: Record) -> dict[str, Any]:
    """A record with all that its leaf is made of, and its way up the tree."""
    where = one.where
    source_hash = whole.db.execute("SELECT sha256 FROM snapshots WHERE id = ?", (where.snapshot,)).fetchone()[0]
    return {"seq": where.seq, "snapshot": where.snapshot, "member": one.member, "offset": where.offset, "length": where.length,
            "salt": salt_of(whole.key, where.seq).hex(), "raw": base64.b64encode(one.data).decode(),
            "row": row_bytes(one.row).decode(), "source": where.source, "source_sha256": source_hash,
            "member_name": where.member, "shape": where.shape, "header": where.header,
            "path": [hashed.hex() for hashed in tree.inclusion(whole.leaves, where.seq - 1)]}


def is_proof(path: Path) -> bool:
    """Does the file begin as a proof does (and not as a case)? What is no file, such as a pipe, is not opened."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(1) == b"{"
    except OSError:
        return False


def check(path: Path) -> Proven:
    """Checks a proof alone; Problem for a file that is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        told = json.loads(data) if len(data) <= LARGEST else None
        if not isinstance(told, dict) or (told["proof"], told["version"]) != (KIND, VERSION):
            raise ValueError
        wrong = list(_wrong(told))
        signers = _signers(told)
        return Proven(f"{told['event']['id']} ({told['event']['key']})", len(told["records"]), str(told["root"]),
                      int(told["leaves"]), told["statement"] is not None, signers, tuple(wrong), told)
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=str(path)) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise Problem("it is no proof of an event, or lacks what every proof has", where=str(path),
                      hint="fimforensics prove CASE EVENT makes one") from error


def _wrong(told: dict[str, Any]) -> Iterator[str]:
    """What does not hold."""
    root, leaves = bytes.fromhex(told["root"]), told["leaves"]
    if not told["records"]:
        yield "there is no record in it"
    for one in told["records"]:
        data, row = base64.b64decode(one["raw"], validate=True), one["row"].encode("utf-8", "surrogatepass")
        place = tuple(one[name] for name in _NUMBERS)
        if any(type(number) is not int or not 0 <= number < 1 << 63 for number in place):
            raise ValueError
        leaf = salted(bytes.fromhex(one["salt"]), place, data, sha256(row).digest())  # type: ignore[arg-type]
        path = [bytes.fromhex(hashed) for hashed in one["path"]]
        if type(leaves) is not int or not tree.included(leaf, one["seq"] - 1, leaves, path, root):
            yield f"record {one['seq']}: its place, bytes, row and salt do not lead to the root"
        elif _read(one, data) != row:
            yield f"record {one['seq']}: its bytes do not give its row"
    if told["records"] and not _is_key(told):
        yield "the event's key is not that of its records"
    if told["statement"] is not None:
        said = json.loads(told["statement"])
        if (said["tree"]["root"], said["tree"]["leaves"]) != (told["root"], leaves):
            yield "the statement of the seal names another root"
        if (said["case"]["case_id"], said["file"]["sha256"]) != (told["case"]["case_id"], told["case"]["file_sha256"]):
            yield "the statement of the seal is of another case"
        for text in told["signatures"]:
            try:
                sshsig.check(text, told["statement"].encode())
            except Problem as problem:
                yield f"the signature: {problem.what}"


def _is_key(told: dict[str, Any]) -> bool:
    """Is the key that of what the records say together? Records of partial columns have the source's hash in theirs."""
    row = best([json.loads(one["row"]) for one in told["records"]])
    values = dict(zip(COLUMNS, row[:FORMS], strict=True))
    keys = {Builder(Cells({}, Reading()), Entities(), apart=apart).build(values).key.hex()
            for apart in (None, told["records"][0]["source_sha256"])}
    return str(told["event"]["key"]).partition("-")[0] in keys


def _read(one: dict[str, Any], data: bytes) -> bytes:
    """The canonical row that a record's bytes give."""
    where = raw.Place(one["seq"], one["snapshot"], one["source"], 0, one["member_name"], one["shape"], False, one["header"],
                      one["offset"], one["length"])
    try:
        return row_bytes(Reader(None).read(where, data))
    except Problem:
        return b""


def _signers(told: dict[str, Any]) -> tuple[str, ...]:
    if told["statement"] is None:
        return ()
    data = told["statement"].encode()
    try:
        return tuple(sshsig.check(text, data).fingerprint for text in told["signatures"])
    except Problem:
        return ()
