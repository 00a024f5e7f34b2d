#!/usr/bin/env python3
"""A second verifier of fimforensics cases, made from case-format.md alone: one file, Python's standard library, nothing of ours.

    python3 verify.py CASE|PROOF [--key SHA256:…] [--case-key FILE]

Signatures are checked by `ssh-keygen`, originals unpacked by Python 3.14 or the `zstd` program; what is missing is said, not
guessed. Records whose every value needs no folding are read again and compared with their event, their match key and (with the
case key) their leaf; others are counted as not read. It ends with 0 where all it checked is whole, 1 where something differs.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from hashlib import md5, sha1, sha256
from pathlib import Path
from struct import pack
from typing import Any

NAMESPACE, VIEW = "fimforensics-seal", "MDCFileIntegrityMonitoringEvents"
HASHES = ("FileMd5", "FileSha256", "FileSha1", "InitProcImageMd5", "InitProcImageSha256", "InitProcImageSha1")
LONGS = ("FileSize", "InitiatingProcessId", "InitiatingProcessSessionId", "InitProcImageFileSizeInBytes")
TIME = re.compile(r"(19[89]\d|20\d\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
KEY = """AzureResourceId Computer MonitoredEntityType ChangeType FilePath OriginalFilePath FileSha256 FileSha1 FileMd5 FileSize
RegistryKey NewValueName NewValueType NewValueData OldValueName OldValueType OldValueData OldValueFullRegistryKey
InitiatingProcessId InitiatingProcessCreationTime InitiatingProcessImageFilePath InitiatingProcessAccountSid
InitiatingProcessAccountDomainName InitiatingProcessAccountName RequestAccountSid RequestAccountDomain RequestAccountName
RequestSource RequestSourceIP RequestSourcePort""".split()
SYNONYMS = {"Files": "File", "Registry": "Registry", "File": "File", "Created": "Created", "Modified": "Modified",
            "Deleted": "Deleted", "Renamed": "Renamed", "RegistryValueSet": "RegistryValueSet",
            "RegistryKeyCreated": "RegistryKeyCreated", "RegistryValueDeleted": "RegistryValueDeleted"}
CUSTODY = "time, local_offset, actor, machine, action, arguments, purpose, object, result, tool, previous"

differences: list[str] = []
unchecked: list[str] = []
Unpack = Callable[[bytes], bytes]


def json_bytes(value: Any) -> bytes:
    """What the page calls JSON bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def canonical(value: Any) -> Any:
    """The same with every object's names sorted as RFC 8785 does."""
    if isinstance(value, dict):
        return {name: canonical(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    return [canonical(one) for one in value] if isinstance(value, list) else value


def root(leaves: list[bytes]) -> bytes:
    """The tree's root."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    at = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:at]) + root(leaves[at:])).digest()


def cell(value: Any) -> bytes:
    """A cell as digests hash it; text comes as a bytearray."""
    if value is None:
        return b"N"
    if isinstance(value, int):
        return b"I" + pack(">q", value)
    if isinstance(value, float):
        return b"R" + pack(">d", value)
    data = value.encode() if isinstance(value, str) else bytes(value)
    return (b"B" if isinstance(value, bytes) else b"T") + pack(">Q", len(data)) + data


def seal(case: Path, pinned: str | None) -> dict | None:
    """The statement, once file and signatures are checked."""
    path = case.with_name(case.name + ".seal.json")
    if not path.exists():
        unchecked.append("file and signature: the case is not sealed")
        if pinned:
            differences.append("signature: the case is not sealed, and a key is pinned")
        return None
    data = path.read_bytes()
    try:
        told = json.loads(data)
        if json_bytes(canonical(told)) != data or (told["statement"], told["version"]) != ("fimforensics seal", 1):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        differences.append("signature: the statement is none, or was changed")
        return None
    whole = case.read_bytes()
    if (len(whole), sha256(whole).hexdigest()) != (told["file"]["size"], told["file"]["sha256"]):
        differences.append("file: it is not the one that was sealed")
    signatures(case, data, told["sealed"]["signer"], pinned)
    return told


def signatures(case: Path, data: bytes, signer: str | None, pinned: str | None) -> None:
    """Every signature by ssh-keygen; who must have signed did."""
    if shutil.which("ssh-keygen") is None:
        unchecked.append("signature: there is no ssh-keygen")
        return
    signers, number = set(), 1
    while (path := case.with_name(f"{case.name}{'' if number == 1 else f'.{number}'}.sig")).exists():
        done = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(path)], input=data,
                              capture_output=True)
        found = re.search(rb"ED25519 key (SHA256:\S+)", done.stdout)
        if done.returncode or not found:
            differences.append(f"signature: {path.name} does not fit the statement")
        else:
            signers.add(found[1].decode())
            print(f"signed by {found[1].decode()}")
        number += 1
    for needed in {signer, pinned} - {None}:
        if needed not in signers:
            differences.append(f"signature: {needed} did not sign it")
    if not pinned:
        unchecked.append("whose the signing key is: compare its fingerprint, or give it with --key")


def digests(db: sqlite3.Connection, told: dict) -> None:
    """The digests of schema and tables against the statement."""
    db.text_factory = bytearray
    row = db.execute("SELECT salt FROM digest_salt").fetchone()
    salt = bytes(row[0]).decode() if row else ""
    schema = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    names = ("application_id", "user_version", "encoding", "page_size")
    head = ["fimforensics schema 1", *(db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)]
    flat = b"".join(map(cell, [*head, *(value for one in schema for value in one)]))
    if sha256(flat).hexdigest() != told["digests"]["schema"]:
        differences.append("digests: the schema is not the sealed one")
    found = {}
    for kind, raw, _, sql in schema:
        name = bytes(raw).decode()
        if bytes(kind) != b"table" or bytes(sql).upper().startswith(b"CREATE VIRTUAL"):
            continue
        columns = [(place, bytes(column).decode()) for _, column, *_, place in db.execute(f'PRAGMA table_info("{name}")')]
        held, keys = [column for _, column in columns], [column for place, column in sorted(columns) if place]
        query = f'SELECT * FROM "{name}" ORDER BY {", ".join(keys)}'
        if not re.search(rb"WITHOUT\s+ROWID\s*$", bytes(sql).upper()):
            held, query = ["rowid", *held], f'SELECT rowid, * FROM "{name}" ORDER BY rowid'
        hashed, count = sha256(b"".join(map(cell, ["fimforensics table 1", salt, name, len(held), *held]))), 0
        for cells in db.execute(query):
            hashed.update(b"".join(map(cell, cells)))
            count += 1
        found[name] = {"rows": count, "sha256": hashed.hexdigest()}
    stated = told["digests"]["tables"]
    differences.extend(f"digests: table {name} is not the sealed one" for name in sorted(found.keys() | stated.keys())
                       if found.get(name) != stated.get(name))
    db.text_factory = str


def tree(db: sqlite3.Connection, told: dict | None) -> list[bytes]:
    """The leaves, with their roots checked against the statement."""
    by_seq = blocks(db)
    leaves = [by_seq[seq] for seq in sorted(by_seq)]
    print(f"root {root(leaves).hex()} over {len(leaves)} leaves")
    if told and (told["tree"]["leaves"], told["tree"]["root"]) != (len(leaves), root(leaves).hex()):
        differences.append("tree: the root is not the sealed one")
    for one in told["snapshots"] if told else ():
        seqs = [seq for (seq,) in db.execute("SELECT seq FROM occurrences WHERE snapshot_id = ?1 UNION SELECT seq FROM rejects "
                                             "WHERE snapshot_id = ?1 ORDER BY 1", (one["id"],))]
        if root([by_seq[seq] for seq in seqs if seq in by_seq]).hex() != one["root"]:
            differences.append(f"tree: the root of snapshot {one['id']} is not the sealed one")
    return leaves


def blocks(db: sqlite3.Connection) -> dict[int, bytes]:
    """The leaves by seq; in a part of a case there are gaps."""
    return {first + at // 32: data[at:at + 32] for first, data in db.execute("SELECT first_seq, hashes FROM leaves")
            for at in range(0, len(data), 32)}


def signed(data: bytes, text: str) -> str | None:
    """The fingerprint of the key that made a signature over these bytes; None where it does not fit, '' without ssh-keygen."""
    if shutil.which("ssh-keygen") is None:
        return ""
    with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", file.name], input=data,
                              capture_output=True)
    found = re.search(rb"ED25519 key (SHA256:\S+)", done.stdout)
    return found[1].decode() if found and not done.returncode else None


def of_whole(text: str | None, texts: list[str], pinned: str | None, **stated: object) -> None:
    """The statement of a whole case that a part or a proof carries, and its signatures."""
    if text is None:
        unchecked.append("signature: the whole was not sealed")
    else:
        told = json.loads(text)
        said = {"root": told["tree"]["root"], "leaves": told["tree"]["leaves"], "case_id": told["case"]["case_id"],
                "file": told["file"]["sha256"]}
        differences.extend(f"statement: it tells another {name}" for name, value in stated.items() if said[name] != value)
    signers = [signed((text or "").encode(), one) for one in texts]
    for signer in signers:
        if signer:
            print(f"the whole is signed by {signer}")
        if signer is None:
            differences.append("signature: it does not fit the statement of the whole")
    if pinned and pinned not in signers:
        differences.append(f"signature: {pinned} did not sign the whole")


def part(db: sqlite3.Connection, pinned: str | None) -> None:
    """A part of a case: its leaves lead to the root of the whole, and unaltered JSON Lines give their leaves."""
    names = "parent_root, parent_records, parent_case_id, parent_file_sha256, signature, altered_records"
    stated, size, case_id, file, signature, altered = db.execute(f"SELECT {names} FROM part").fetchone()
    by_seq, joined = blocks(db), b"".join(data for (data,) in db.execute("SELECT hashes FROM part_proof ORDER BY id"))
    rest = iter([joined[at:at + 32] for at in range(0, len(joined), 32)])
    places = sorted(seq - 1 for seq in by_seq)

    def over(begin: int, end: int) -> bytes:
        first = bisect_left(places, begin)
        if first == len(places) or places[first] >= end:
            return next(rest)
        if end - begin == 1:
            return by_seq[begin + 1]
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        return sha256(b"\1" + over(begin, middle) + over(middle, end)).digest()

    try:
        led = over(0, size).hex()
    except (StopIteration, RuntimeError):
        led = ""
    if led != stated or next(rest, None) is not None:
        differences.append("part: the leaves and the proof do not lead to the root of the whole")
    print(f"{len(by_seq)} records of a whole with root {stated} over {size} leaves")
    text = "".join(one for (one,) in db.execute("SELECT text FROM part_statement ORDER BY id")) or None
    texts = ["-----BEGIN SSH SIGNATURE-----" + one for one in (signature or "").split("-----BEGIN SSH SIGNATURE-----")[1:]]
    of_whole(text, texts, pinned, root=stated, leaves=size, case_id=case_id, file=file)
    salts = {seq: (member, salt) for seq, member, salt in db.execute("SELECT seq, member, salt FROM part_records")}
    unchecked.append(f"{altered} altered records: only the whole can prove them")
    pieces(db, by_seq, salts)


def pieces(db: sqlite3.Connection, by_seq: dict[int, bytes], salts: dict[int, tuple]) -> None:
    """Unaltered records of JSON Lines, out of the pieces of their sources that a part holds."""
    unpack, read, shown = unzstd(), 0, db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (VIEW,)).fetchone()[0]
    columns = [name for name, *_ in db.execute("SELECT " + shown.partition("SELECT")[2]).description]
    for seq, _, snapshot, _, offset, length in occurrences(db):
        member, salt = salts.get(seq, (0, None))
        held = db.execute("SELECT offset, data FROM originals WHERE snapshot_id = ? AND offset <= ? ORDER BY offset DESC LIMIT 1",
                          (snapshot, offset)).fetchone()
        if salt is None or unpack is None or held is None:
            continue
        raw = unpack(held[1])[offset - held[0]:][:length]
        try:
            given = json.loads(raw)
            row = plain_row(given, columns) if len(set(given)) == raw.count(b'":') else None
        except (ValueError, TypeError):
            row = None
        if row is not None:
            read += 1
            numbers = pack(">5Q", seq, snapshot, member, offset, length)
            leaf = sha256(b"\0" + numbers + salt + sha256(raw).digest() + sha256(json_bytes(row)).digest()).digest()
            if leaf != by_seq.get(seq):
                differences.append(f"part: record {seq} is not what its leaf says")
    unchecked.append(f"{len(by_seq) - read} of {len(by_seq)} records: this file does not read them again")


def proof(told: dict, pinned: str | None) -> None:
    """A proof of one event: each record's parts give a leaf, and its path leads to the root."""
    for one in told["records"]:
        raw, row = base64.b64decode(one["raw"], validate=True), one["row"].encode("utf-8", "surrogatepass")
        numbers = pack(">5Q", *(one[name] for name in ("seq", "snapshot", "member", "offset", "length")))
        found = sha256(b"\0" + numbers + bytes.fromhex(one["salt"]) + sha256(raw).digest() + sha256(row).digest()).digest()
        at, last = one["seq"] - 1, told["leaves"] - 1
        for hashed in map(bytes.fromhex, one["path"]):
            if at & 1 or at == last:
                found = sha256(b"\1" + hashed + found).digest()
                while at and not at & 1:
                    at, last = at >> 1, last >> 1
            else:
                found = sha256(b"\1" + found + hashed).digest()
            at, last = at >> 1, last >> 1
        if last or found.hex() != told["root"] or not 0 < one["seq"] <= told["leaves"]:
            differences.append(f"record {one['seq']}: it does not lead to the root")
    if not told["records"]:
        differences.append("there is no record in the proof")
    print(f"event {told['event']['key']}, root {told['root']} over {told['leaves']} leaves")
    of_whole(told["statement"], told["signatures"], pinned, root=told["root"], leaves=told["leaves"],
             case_id=told["case"]["case_id"], file=told["case"]["file_sha256"])
    unchecked.append("that the bytes give the rows: compare them by eye")


def custody(db: sqlite3.Connection, told: dict | None) -> None:
    """The chain of the custody log, and its head."""
    previous, expected = "0" * 64, 1
    for number, hashed, *cells in db.execute(f"SELECT id, hash, {CUSTODY} FROM custody_log ORDER BY id"):
        if number != expected or cells[-1] != previous or sha256(json_bytes(cells)).hexdigest() != hashed:
            differences.append(f"custody: entry {number} does not follow from the one before")
        previous, expected = hashed, number + 1
    if told and (told["custody"]["entries"], told["custody"]["head"]) != (expected - 1, previous):
        differences.append("custody: the head of the log is not the sealed one")


def unzstd() -> Unpack | None:
    """What unpacks zstd on this machine."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]

        unpack: Unpack = zstd.decompress
        return unpack
    except ImportError:
        program = shutil.which("zstd")
    if program is None:
        return None
    return lambda data: subprocess.run([program, "-dcq"], input=data, capture_output=True, check=True).stdout


def originals(db: sqlite3.Connection) -> dict[int, bytes]:
    """Every source unpacked, with its hashes checked; of snapshots whose bytes are needed again, by number."""
    unpack, found = unzstd(), dict[int, bytes]()
    for number, *stated in db.execute("SELECT id, size, sha256, sha1, md5 FROM snapshots WHERE state = 'finished'").fetchall():
        parts = db.execute("SELECT offset, length, codec, data FROM originals WHERE snapshot_id = ? ORDER BY offset",
                           (number,)).fetchall()
        if unpack is None and any(codec == "zstd" for _, _, codec, _ in parts):
            unchecked.append(f"original of snapshot {number}: nothing here unpacks zstd (Python 3.14 or the program zstd does)")
            continue
        data, right = b"", True
        for offset, length, codec, packed in parts:
            try:
                piece = unpack(packed) if codec == "zstd" and unpack else packed
            except (subprocess.CalledProcessError, OSError, ValueError, TypeError):
                piece = b""
            right &= (offset, length) == (len(data), len(piece))
            data += piece
        if not right or [len(data), *(hashed(data).hexdigest() for hashed in (sha256, sha1, md5))] != stated:
            differences.append(f"originals: the source of snapshot {number} is not the one that was taken")
        found[number] = data
    return found


def plain_row(given: dict, columns: Iterable[str]) -> list | None:
    """The canonical row of a record in which nothing needs folding; None where this file does not know for sure."""
    row = {name: given.get(name) for name in columns}
    if given.keys() - row.keys() or given.get("Type") != VIEW or not isinstance(row["TimeGenerated"], str) or any(map(row.get, (
            "OriginalFilePath", "OriginalFileName", "FileType", "_BilledSize", "_IsBillable"))):
        return None
    for name, value in row.items():
        if name in LONGS and not (value is None or type(value) is int):
            return None
        if name in HASHES:
            row[name] = value and str(value).lower()
        elif name == "TimeGenerated" or "Time" in name or name.endswith("FirstSeen"):
            if value is not None and not (isinstance(value, str) and TIME.fullmatch(value)):
                return None
            row[name] = value and f"{value[:19]}.{value[20:].rstrip('Z'):0<7}Z"
        elif name not in LONGS and not (value is None or (isinstance(value, str) and value.isprintable())):
            return None
    if any(row[column] != SYNONYMS.get(str(row[column])) for column in ("MonitoredEntityType", "ChangeType")):
        return None
    path, file, form = row["FilePath"], row["FileName"], 0
    if file and path and path.endswith("\\" if "\\" in path else "/"):
        row["FilePath"], form = path + file, 1
    elif (file and not path) or (path and file and re.split(r"[\\/]", path)[-1] != file) or (path or "").startswith("//"):
        return None
    return [*row.values(), form, None, None]


def match_key(row: list, columns: list[str]) -> bytes | None:
    """The match key of a row; None where a registry key's hive needs folding."""
    values = dict(zip(columns, row, strict=False))
    if any(values[name] for name in ("RegistryKey", "OldValueFullRegistryKey")):
        return None
    values["InitiatingProcessCreationTime"] = (values["InitiatingProcessCreationTime"] or "")[:23]
    cells = [values["TimeGenerated"][:23], *(0 if values[name] == 0 else values[name] or None for name in KEY)]
    return sha256(json_bytes(cells)).digest()


def records(db: sqlite3.Connection, sources: dict[int, bytes], leaves: list[bytes], key: bytes | None) -> None:
    """Records of JSON Lines read again, against their leaf, their event's match key, and what the view shows of the event."""
    shown = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (VIEW,)).fetchone()[0].partition("SELECT")[2]
    cursor = db.execute(f"SELECT e.id, e.match_key, e.extra, e.flags, {shown}")
    columns = [name for name, *_ in cursor.description][4:]
    events = {number: (stored, [*cells, extra, flags]) for number, stored, extra, flags, *cells in cursor}
    read, differ = 0, set()
    for seq, event, snapshot, number, offset, length in occurrences(db):
        raw = sources[snapshot][offset:offset + length] if snapshot in sources else b""
        try:
            given = json.loads(raw)
            row = plain_row(given, columns) if len(set(given)) == raw.count(b'":') else None
        except (ValueError, TypeError):
            row = None
        if row is None:
            continue
        read += 1
        stored, cells = events.get(event, (None, []))
        if match_key(row, columns) not in (None, stored) or [*row[:65], *row[66:]] != cells:
            differ.add(event)
        if key:
            numbers = pack(">5Q", seq, snapshot, number, offset, length)
            salt = hmac.digest(key, numbers[:8], "sha256")[:16]
            leaf = sha256(b"\0" + numbers + salt + sha256(raw).digest() + sha256(json_bytes(row)).digest()).digest()
            if seq > len(leaves) or leaf != leaves[seq - 1]:
                differences.append(f"records: the leaf of record {seq} is not that of its bytes and row")
    differences.extend(f"records: event {number} is not what its record says" for number in sorted(differ))
    unchecked.append(f"{len(leaves) - read} of {len(leaves)} records: this file does not read them again")


def occurrences(db: sqlite3.Connection) -> Iterator[tuple]:
    """Records that are the only one of their event, in sources that are JSON Lines as they lie on disk."""
    yield from db.execute(
        "SELECT o.seq, o.event_id, o.snapshot_id, 0, o.offset, o.length FROM occurrences o JOIN members m ON m.id = o.member_id "
        "JOIN snapshots s ON s.id = o.snapshot_id WHERE m.cached = 0 AND m.shape = 'JSON Lines' AND s.state = 'finished' "
        "AND (SELECT count(*) FROM occurrences p WHERE p.event_id = o.event_id) = 1 ORDER BY o.seq").fetchall()


def inside(case: Path, told: dict | None, key: bytes | None, pinned: str | None) -> None:
    """All that is checked within the database."""
    db = sqlite3.connect(case.absolute().as_uri() + "?mode=ro&immutable=1", uri=True)
    db.execute("PRAGMA trusted_schema = 0")
    stamp = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if stamp != [1179209030, 3] or db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'trigger'").fetchone():
        differences.append("schema: it is no case of format 3")
        return
    differences.extend(f"integrity: {line}" for (line,) in db.execute("PRAGMA integrity_check") if line != "ok")
    differences.extend(f"integrity: a reference of {one[0]} leads nowhere" for one in db.execute("PRAGMA foreign_key_check"))
    if told:
        digests(db, told)
    leaves = tree(db, told)
    custody(db, told)
    if db.execute("SELECT 1 FROM part").fetchone():
        part(db, None if told else pinned)
        return
    records(db, originals(db), leaves, key)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", type=Path)
    parser.add_argument("--key", help="fingerprint of the key that must have signed")
    parser.add_argument("--case-key", type=Path, help="the case's key, to check leaves")
    given = parser.parse_args()
    try:
        key = bytes.fromhex(given.case_key.read_text().strip()) if given.case_key else None
        if given.case.read_bytes()[:1] == b"{":
            proof(json.loads(given.case.read_bytes()), given.key)
        else:
            inside(given.case, seal(given.case, given.key), key, given.key)
    except (sqlite3.Error, OSError, ValueError, TypeError, LookupError) as error:
        differences.append(f"it cannot be read to its end: {str(error)!a}")
    for line in differences:
        print(f"DIFFERS {line.encode('ascii', 'backslashreplace').decode()}")
    for line in unchecked:
        print(f"not checked: {line}")
    print("NOT whole" if differences else "whole, as far as it was checked")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
