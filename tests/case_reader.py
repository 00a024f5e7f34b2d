"""A reader of cases made from docs/case-format.md alone: it imports nothing of the package.

It takes columns and bits from the page, reads every record again from the bytes at its locator, and computes rows, match keys,
which record tells of which event, leaves, root and digests anew. Of shapes, synonyms and spellings of times it knows only those
that `test_case_format.py` uses.
"""

from __future__ import annotations

import csv
import hmac
import io
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import Any, NamedTuple

import zstandard

PAGE = (Path(__file__).parent.parent / "docs" / "case-format.md").read_text(encoding="utf-8")


def between(start: str, end: str) -> str:
    """The page's text between two marks, which must be there."""
    assert start in PAGE and end in PAGE.partition(start)[2], f"docs/case-format.md lacks {start!r} … {end!r}"
    return PAGE.partition(start)[2].partition(end)[0]


_ROW = between("## The canonical row", "- `FilePath`")
COLUMNS = [name for _, name in sorted((int(at), name) for at, name in re.findall(r"(\d+)\s+(\w+)(?:;|\s*$)", _ROW, re.M))]
BITS = {name: int(bit) for bit, name in re.findall(r"^\| (\d+) \| `(\w+)` is '' \|$", PAGE, re.M)}
TIMES = re.findall(r"\w+", between("folded. Times\n  (", ")"))
LONGS = ("FileSize", "InitiatingProcessId", "InitiatingProcessSessionId", "InitProcImageFileSizeInBytes")
KEY = """AzureResourceId Computer MonitoredEntityType ChangeType FilePath OriginalFilePath FileSha256 FileSha1 FileMd5 FileSize
RegistryKey NewValueName NewValueType NewValueData OldValueName OldValueType OldValueData OldValueFullRegistryKey
InitiatingProcessId InitiatingProcessCreationTime InitiatingProcessImageFilePath InitiatingProcessAccountSid
InitiatingProcessAccountDomainName InitiatingProcessAccountName RequestAccountSid RequestAccountDomain RequestAccountName
RequestSource RequestSourceIP RequestSourcePort""".split()
WORDS = {"Files": "File", "Added": "Created"}
FORMS, EXTRA, FLAGS = 65, 66, 67  # behind the 65 columns of a row


class Record(NamedTuple):
    """One record as it is read again; a reject has no row and no key."""

    seq: int
    set_id: int
    snapshot: int
    member: int
    offset: int
    raw: bytes
    item: str | None
    row: list | None
    key: bytes | None


def compact(value: object) -> bytes:
    """What the page calls JSON bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def ordered(names: dict[str, Any]) -> dict[str, Any]:
    """The same with its names sorted."""
    return {name: names[name] for name in sorted(names)}


def records(db: sqlite3.Connection) -> list[Record]:
    """Every record of the case's finished snapshots, in the order of seq."""
    query = """SELECT r.*, s.set_id, s.sha256, s.partial_columns, m.cached, m.header,
          (SELECT count(*) FROM members n WHERE n.snapshot_id = r.snapshot_id AND n.id < m.id)
        FROM (SELECT seq, snapshot_id, member_id, offset, length, item_id, 1 FROM occurrences UNION ALL
              SELECT seq, snapshot_id, member_id, offset, length, NULL, 0 FROM rejects) r
        JOIN snapshots s ON s.id = r.snapshot_id JOIN members m ON m.id = r.member_id WHERE s.state = 'finished' ORDER BY 1"""
    found = []
    for cells in db.execute(query):
        seq, snapshot, member, offset, length, item, is_event, set_id, hashed, partial, cached, header, number = cells
        told = json.loads(header)
        raw = _bytes(db, bool(cached), member if cached else snapshot)[offset:offset + length]
        row = canonical(values(raw, told), told["zones"]) if is_event else None
        key = match_key(row, hashed if partial else None) if row else None
        found.append(Record(seq, set_id, snapshot, number, offset, raw, item, row, key))
    return found


def _bytes(db: sqlite3.Connection, cached: bool, number: int) -> bytes:
    sql = ("SELECT 'zstd', data FROM member_cache WHERE member_id = ? ORDER BY offset" if cached else
           "SELECT codec, data FROM originals WHERE snapshot_id = ? ORDER BY offset")
    return b"".join(zstandard.ZstdDecompressor().decompressobj().decompress(data) if codec == "zstd" else data
                    for codec, data in db.execute(sql, (number,)))


def values(raw: bytes, header: dict) -> dict[str, Any]:
    """A record's values: of JSON Lines, or of delimited text with commas."""
    if not header["text"]:
        return json.loads(raw)
    cells = next(csv.reader(io.StringIO(raw.decode(header["encoding"]), newline="")))
    return {name: cell or None for name, cell in zip(header["columns"], cells, strict=True)}


def time(text: str) -> str:
    """ISO 8601 in UTC as a case has it."""
    return f"{text[:10]}T{text[11:19]}.{text[20:].rstrip('Z')[:7].ljust(7, '0')}Z"


def joined(path: str | None, name: str | None) -> tuple[str | None, int]:
    """The joined path and its form."""
    if not path or not name:
        return (path or name or path), 3 if name else 0
    windows = "\\" in path or path[1:2] == ":"
    if path.endswith(("\\", "/") if windows else "/"):
        return path + name, 1
    if re.split(r"[\\/]" if windows else "/", path)[-1].lower() == name.lower():
        return path, 0
    return path + ("\\" if windows else "/") + name, 2


def canonical(given: dict[str, Any], zones: dict[str, str]) -> list:
    """The row of 68 cells that one record's values give."""
    row: dict[str, Any] = {name: given.get(name) for name in COLUMNS}
    extra = {name: compact(ordered(value)).decode() if isinstance(value, dict) else value for name, value in given.items()
             if name not in row and value is not None and name not in ("_ItemId", "TableName")}
    flags = set()
    for name, value in row.items():
        if isinstance(value, str) and "\0" in value:
            row[name] = value.replace("\0", "\\x00")
            flags.add("escaped")
        elif name in TIMES and value:
            assert value.endswith("Z") or zones[name] == "UTC"
            row[name] = time(value)
            flags |= set() if "1980" <= value[:4] <= "2100" else {"odd time"}
        elif name in LONGS and value is not None:
            row[name] = int(value)
        elif value and re.search("(Md5|Sha1|Sha256)$", name):
            row[name] = value.lower()
        elif value in WORDS and name in ("MonitoredEntityType", "ChangeType"):
            extra[name], row[name] = value, WORDS[value]
    row["FilePath"], one = joined(row["FilePath"], row["FileName"])
    row["OriginalFilePath"], two = joined(row["OriginalFilePath"], row["OriginalFileName"])
    return [*row.values(), one + 4 * two, ordered(extra) or None, ", ".join(sorted(flags)) or None]


def match_key(row: list, apart: str | None) -> bytes:
    """The match key of a row; `apart` is the source's SHA-256 where its columns are partial."""
    cell = dict(zip(COLUMNS, row, strict=False))
    for name in ("RegistryKey", "OldValueFullRegistryKey"):
        cell[name] = cell[name] and cell[name].replace("HKEY_LOCAL_MACHINE", "HKLM")
    started = cell["InitiatingProcessCreationTime"]
    cell["InitiatingProcessCreationTime"] = started and started[:23]
    cells = [cell["TimeGenerated"][:23], *(None if cell[name] == "" else cell[name] for name in KEY)]
    return sha256(compact(cells + ([apart] if apart else []))).digest()


def best(told: Iterable[Record]) -> list:
    """The best that several records say of one event."""
    rows = [record.row for record in told if record.row]
    cells = [max((row[at] for row in rows), key=_rank(name)) for at, name in enumerate(COLUMNS)]
    extra: dict[str, Any] = {}
    for name, value in (pair for row in rows for pair in (row[EXTRA] or {}).items()):
        extra[name] = max(value, extra.get(name, value), key=lambda one: (type(one).__name__, str(one)))
    flags = {flag for row in rows if row[FLAGS] for flag in row[FLAGS].split(", ")}
    forms = min(row[FORMS] & 3 for row in rows) + 4 * min(row[FORMS] >> 2 for row in rows)
    return [*cells, forms, ordered(extra) or None, ", ".join(sorted(flags)) or None]


def _rank(name: str) -> Callable[[Any], tuple]:
    def rank(cell: Any) -> tuple:
        if cell is None or cell == "":
            return (0,) if cell is None else (1,)
        return 2, len(cell[20:27].rstrip("0")) if name in TIMES else 0, cell
    return rank


def settled(found: Iterable[Record]) -> dict[tuple[bytes, int], list[Record]]:
    """The records of each event, by match key and ordinal."""
    sets: dict[tuple, dict] = defaultdict(lambda: defaultdict(list))
    for record in found:
        if record.key:
            sets[record.key, record.set_id][record.item or record.seq].append(record)
    events: dict[tuple[bytes, int], list[Record]] = defaultdict(list)
    for (key, _), slots in sets.items():
        for ordinal, slot in enumerate(sorted(slots.values(), key=_order)):
            events[key, ordinal] += slot
    return events


def _order(slot: list[Record]) -> tuple[bytes, bytes, int]:
    row = best(slot)
    coarse = [cell[:23] if cell and name in TIMES else None if cell == "" else cell
              for name, cell in zip(COLUMNS, row, strict=False)]
    return compact(coarse), compact(row), min(record.seq for record in slot)


def shown(row: list) -> list:
    """The 65 cells as the view shows them: no path where only a name was recorded."""
    cell = dict(zip(COLUMNS, row, strict=False))
    forms = {"FilePath": row[FORMS] & 3, "OriginalFilePath": row[FORMS] >> 2}
    return [None if forms.get(name) == 3 else value for name, value in cell.items()]


def row_hash(record: Record) -> bytes:
    """SHA-256 of the canonical row; zeros for a reject."""
    return sha256(compact(record.row)).digest() if record.row else bytes(32)


def leaf_bytes(case_key: bytes, record: Record) -> bytes:
    """The 121 bytes of which the SHA-256 is the record's leaf."""
    numbers = pack(">5Q", record.seq, record.snapshot, record.member, record.offset, len(record.raw))
    return b"\0" + numbers + hmac.digest(case_key, numbers[:8], "sha256")[:16] + sha256(record.raw).digest() + row_hash(record)


def leaf(case_key: bytes, record: Record) -> bytes:
    """The record's leaf."""
    return sha256(leaf_bytes(case_key, record)).digest()


def root(leaves: list[bytes]) -> bytes:
    """The root over leaves in order."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    at = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:at]) + root(leaves[at:])).digest()


def digest(rows: Iterable[Iterable]) -> str:
    """A logical digest over rows in order."""
    return sha256(b"".join(compact(list(row)) + b"\n" for row in rows)).hexdigest()
