"""A record's values become a row: 65 canonical cells in Microsoft's order, what they weigh for identity, and its event.

The row is what one record says, before any merging: its JSON array is hashed into the record's leaf. The match key is the
SHA-256 of the JSON array of the columns that make an event the same event, folded (docs/case-format.md). `Builder` is made
once for a member and called for each record; it is the hot loop of ingest.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

import msgspec
import orjson

from fimforensics.blocks import ACCOUNT, CACHE, CHANGE, FILE, IMAGE, MACHINE, PROCESS, REGISTRY, REQUEST, Blocks, Entities
from fimforensics.cells import ESCAPED, ODD_TIME, Cells, plain_text
from fimforensics.model import COLUMNS, MAX_FIELD
from fimforensics.schema import EMPTY_BIT, PATH_FORM_SHIFT
from fimforensics.text import storable

SINGLE = ("TimeGenerated", "FileSize", "FileMd5", "FileSha256", "FileSha1", "OldValueData", "NewValueData",
          "InitProcImageLastAccessTimeUtc", "_BilledSize")
_ORDER = (*MACHINE, *CHANGE, *FILE, *REQUEST, *REGISTRY, *PROCESS, *ACCOUNT, *IMAGE, *SINGLE)
_GET = itemgetter(*_ORDER)
_TEMPLATE = dict.fromkeys(COLUMNS)
_CASEFOLDED = {name.lower(): name for name in COLUMNS}
ITEM = "_ItemId"
_DROPPED = frozenset(("TableName", ITEM))  # of the answer, not of the change; both stay in the record
FLAGS = {0: None, ESCAPED: "escaped", ODD_TIME: "odd time", ESCAPED | ODD_TIME: "escaped, odd time"}

CELL = {name: at for at, name in enumerate(COLUMNS)}  # where a column stands in a row
FORMS, EXTRA, FLAG = len(COLUMNS), len(COLUMNS) + 1, len(COLUMNS) + 2
assert set(_ORDER) == set(COLUMNS)


dumps = msgspec.json.Encoder().encode  # of text, integers and null the same bytes as orjson's, in a tenth of the time


class Built(NamedTuple):
    """One record as a row and as an event; the event's references are local numbers of `Entities`."""

    row: list  # 65 cells, the forms of its two paths, extra columns (JSON object or None), flags
    key: bytes  # 32 bytes
    row_hash: bytes  # 32 bytes
    event: tuple
    item: str | None


def row_json(row: list) -> bytes:
    """The canonical JSON of a row."""
    return orjson.dumps(row)


LARGE = 128 << 10  # bytes of a record below which no cell of a case can get over MAX_FIELD
_JOINED = (("InitiatingProcessAccountDomainName", "InitiatingProcessAccountName"), ("RequestAccountDomain", "RequestAccountName"),
           ("RegistryKey", "NewValueName"), ("OldValueFullRegistryKey", "OldValueName"), ("RegistryKey", "OldValueName"))


def check_size(row: list) -> None:
    """ValueError where a cell that is made of several, or of escapes, would be over the limit of a cell in a case."""
    for name, cell in zip((*COLUMNS, "forms", "extra", "flags"), row, strict=True):
        text = orjson.dumps(cell) if isinstance(cell, dict) else cell.encode() if isinstance(cell, str) else b""
        if len(text) > MAX_FIELD:
            raise ValueError(f"{name} is over the limit of {MAX_FIELD:,} bytes")
    for one, other in _JOINED:
        if len((row[CELL[one]] or "").encode()) + len((row[CELL[other]] or "").encode()) >= MAX_FIELD:
            raise ValueError(f"{one} and {other} together are over the limit of {MAX_FIELD:,} bytes")


def decimal(value: object) -> str | None:
    """A real number as plain decimal text, the shortest that gives the same double; ValueError for what is none."""
    if value is None or value == "":
        return None
    if type(value) is int:
        return str(value)
    if isinstance(value, bool):
        raise ValueError(f"_BilledSize is not a number: {value}")
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"_BilledSize is not a number: {str(value)[:40]!r}") from None
    if found != found or found in (float("inf"), float("-inf")):
        raise ValueError(f"_BilledSize is not a number: {found}")
    if found.is_integer():
        return str(int(found))
    text = repr(found)
    return text if "e" not in text else f"{found:.20f}".rstrip("0")


class Builder:
    """Builds rows and events from the values of one member's records."""

    def __init__(self, cells: Cells, entities: Entities, *, map_values: Callable[[dict], dict] | None = None,
                 none_is_null: bool = False, apart: str | None = None) -> None:
        """`map_values` brings another table's columns to Microsoft's; `apart` keeps a member's events from ever merging."""
        self.cells, self.entities = cells, entities
        self.plain = map_values is None and not none_is_null and apart is None
        self._blocks = Blocks(cells, entities)
        self._map, self._none, self._apart = map_values, none_is_null, apart
        self._contents: dict[tuple, int] = {}
        self._spelling: dict[str, str] = {}
        cache = self._blocks.cache
        self._machines, self._changes = cache("machine"), cache("change")
        self._files, self._requests = cache("file"), cache("request")
        self._registries, self._images = cache("registry"), cache("image")
        self._actors, self._processes = cache("actor"), cache("process")

    def build(self, values: dict[str, object]) -> Built:
        """The row and event of one record's values; ValueError says why it cannot be an event."""
        extra: dict[str, object] | None = None
        if self._none:
            values = {name: None if value == "None" else value for name, value in values.items()}
        if self._map is not None:
            values = self._map(values)
        item = values.get(ITEM)  # a search job's own mapping brings the original's here
        if len(values) == 65 and not (values.keys() - COLUMNS.keys()):
            raw = _GET(values)
        else:
            values, extra = self._complete(values)
            raw = _GET(values)
        try:
            return self._assemble(raw, extra, item)
        except TypeError:  # a nested value where text is expected cannot be looked up: as its JSON text it can
            plain = tuple(plain_text(cell) if isinstance(cell, (dict, list)) else cell for cell in raw)
            return self._assemble(plain, extra, item)

    def _complete(self, values: dict[str, object]) -> tuple[dict[str, object], dict[str, object] | None]:
        """All 65 columns under Microsoft's spelling, and the rest apart, without nulls."""
        whole = _TEMPLATE | values
        if len(whole) == 65:
            return whole, None
        extra: dict[str, object] = {}
        for name in sorted(whole.keys() - COLUMNS.keys()):
            value = whole.pop(name)
            known = self._spelling.get(name)
            if known is None:
                known = self._spelling[name] = _CASEFOLDED.get(name.lower(), name)
            if known in COLUMNS and whole[known] is None:
                whole[known] = value
            elif value is not None and name not in _DROPPED:
                text = self.cells.text(value)[0]
                extra[storable(name)[0]] = value if isinstance(value, (bool, int)) else text
        return whole, extra or None

    def _assemble(self, raw: tuple, extra: dict[str, object] | None, item: object) -> Built:
        blocks = self._blocks
        machine = self._machines.get(raw[:10]) or blocks.machine(raw[:10])
        change = self._changes.get(raw[10:12]) or blocks.change(raw[10:12])
        host = machine.ids[0]
        file_raw = (host, *raw[12:17])
        file = self._files.get(file_raw) or blocks.file(file_raw)
        request = self._requests.get(raw[17:23]) or blocks.request(raw[17:23])
        registry_raw = (host, *raw[23:30])
        registry = self._registries.get(registry_raw) or blocks.registry(registry_raw)
        actor = self._actors.get(raw[36:39]) or blocks.actor(raw[36:39])
        image = self._images.get(raw[39:56]) or blocks.image(raw[39:56])
        process_raw = (host, image.ids[0], actor.ids[0], *raw[30:36])
        process = self._processes.get(process_raw) or blocks.process(process_raw, image, actor)
        forms = machine.forms | change.forms | file.forms | request.forms | registry.forms
        forms |= actor.forms | image.forms | process.forms
        flags = machine.flags | change.flags | file.flags | request.flags | registry.flags
        flags |= actor.flags | image.flags | process.flags
        if change.extra:
            extra = {**(extra or {}), **change.extra}
        return self._finish(raw, (machine, change, file, request, registry, process, actor, image), forms, flags, extra, item)

    def _finish(self, raw: tuple, parts: tuple, forms: int, flags: int, extra: dict | None, item: object) -> Built:
        machine, change, file, request, registry, process, actor, image = parts
        time, size, md5, sha256_text, sha1, old_data, new_data, last_access, billed = raw[56:]
        cells = self.cells
        time, flag = cells.time("TimeGenerated", time)
        if time is None:
            raise ValueError("it has no TimeGenerated")
        flags |= flag
        if size is not None and type(size) is not int:
            size = cells.number("FileSize", size)
        elif size is not None and not -(1 << 63) <= size < 1 << 63:
            raise ValueError("FileSize is beyond 64 bits")
        sha256_text, sha1, md5, content, form, flag = self._hashes(sha256_text, sha1, md5, size)
        forms, flags = forms | form, flags | flag
        if old_data is not None or new_data is not None:
            (old_data, one), (new_data, two) = cells.text(old_data), cells.text(new_data)
            flags, forms = flags | one | two, forms | empty("OldValueData", old_data) | empty("NewValueData", new_data)
        if last_access is not None:
            last_access, flag = cells.time("InitProcImageLastAccessTimeUtc", last_access)
            flags |= flag
        if billed is not None:
            billed = decimal(billed)
        flag_text = FLAGS[flags]
        m, c, f, r, p, i = machine.cells, change.cells, file.cells, registry.cells, process.cells, image.cells
        row = [m[0], time, *m[1:7], *c, f[0], f[1], f[2], size, f[3], f[4], md5, sha256_text, sha1, *request.cells, r[0], r[1],
               old_data, r[2], r[3], r[4], new_data, r[5], r[6], *p[:5], *actor.cells, *i[:7], last_access, *i[7:11], p[5],
               *i[11:], m[7], m[8], billed, m[9], forms >> PATH_FORM_SHIFT, extra, flag_text]
        key = [time[:23], m[1] or None, m[3] or None, *c, file.ids[3], file.ids[4], sha256_text or None, sha1 or None,
               md5 or None, size, registry.ids[2], r[6] or None, r[5] or None, new_data or None, r[3] or None, r[2] or None,
               old_data or None, registry.ids[3], p[0], process.ids[2], i[1] or None, *(cell or None for cell in actor.cells),
               *request_key(request.cells)]
        if self._apart is not None:
            key.append(self._apart)
        row_bytes = orjson.dumps(row, option=orjson.OPT_SORT_KEYS) if extra else dumps(row)
        extra_text = None if extra is None else orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode()
        event = (time, machine.ids[0], change.ids[0], file.ids[0], registry.ids[0], content, process.ids[0], actor.ids[0],
                 file.ids[1], file.ids[2], request.ids[0], machine.ids[1], process.ids[1], registry.ids[1], f[1] or None, size,
                 old_data or None, new_data or None, last_access, billed, forms, extra_text, flag_text)
        return Built(row, sha256(dumps(key)).digest(), sha256(row_bytes).digest(), event,
                     storable(item)[0] if isinstance(item, str) and item else None)

    def _hashes(self, long: object, sha1: object, md5: object, size: int | None) -> tuple:
        """The canonical hashes, the number of their content, the proven empty ones and flags."""
        if long is None and sha1 is None and md5 is None:
            return None, None, None, None, 0, 0
        (long, one), (sha1, two), (md5, three) = map(self.cells.hash, (long, sha1, md5))
        content = self._content((long or None, sha1 or None, md5 or None, size)) if long or sha1 or md5 else None
        forms = empty("FileSha256", long) | empty("FileSha1", sha1) | empty("FileMd5", md5)
        return long, sha1, md5, content, forms, one | two | three

    def _content(self, hashes: tuple) -> int:
        number = self._contents.get(hashes)
        if number is None:
            if len(self._contents) >= CACHE >> self._blocks.entities.less:
                self._contents.clear()
            number = self._contents[hashes] = self.entities.add("contents", hashes)
        return number


def empty(column: str, cell: str | None) -> int:
    """The bit that says that a source proved this cell to be empty text."""
    return EMPTY_BIT[column] if cell == "" else 0


def request_key(cells: tuple) -> tuple:
    """A request's part of the match key."""
    name, domain, sid, address, port, source = (cell or None for cell in cells)
    return sid, domain, name, source, address, port
