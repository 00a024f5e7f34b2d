"""The quick way of a JSON line into a row: what repeats byte for byte is not read again.

An export writes its keys in one order. A `Lane` learns from one line where the columns of a machine, a request, an image, an
account and a process lie side by side, cuts every line before the first key of each such stretch, and keeps what a stretch's
bytes mean; only the rest of a line is decoded each time. Why this is sound: `,"Key":` cannot stand inside a JSON text, each
stretch is read by itself as a whole object that gives the same bytes when written again, and no column is in two stretches.
Whatever is not plainly so gives None, and the ordinary way (`shapes`, `rows.Builder`) decides; both give the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec
import orjson

from fimforensics.blocks import ACCOUNT, CHANGE, FILE, IMAGE, MACHINE, PROCESS, REGISTRY, REQUEST, Block, Blocks, Cells, Entities
from fimforensics.model import COLUMNS, MAX_FIELD
from fimforensics.rows import FLAGS, SINGLE, Builder, decimal, empty, request_key
from fimforensics.schema import EMPTY_BIT, PATH_FORM_SHIFT

CACHE = 1 << 17
RECENT = 1 << 11
SHORTEST = 3  # columns of a stretch; fewer are decoded with the rest
_VARYING = (*CHANGE, *FILE, *REGISTRY, *SINGLE)
_KIND = dict.fromkeys(COLUMNS, "") | {name: kind for kind, names in (
    ("machine", MACHINE), ("request", REQUEST), ("image", IMAGE), ("account", ACCOUNT), ("process", PROCESS)) for name in names}
_ACTOR = ("image", "account", "process")
_GET = {kind: itemgetter(*names) for kind, names in (
    ("machine", MACHINE), ("request", REQUEST), ("image", IMAGE), ("account", ACCOUNT), ("process", PROCESS))}
_NOTHING = dict.fromkeys(COLUMNS)
_TAIL = re.compile(r":[0-5][0-9]\.[0-9]{7}Z\Z").match
_OLD, _NEW = EMPTY_BIT["OldValueData"], EMPTY_BIT["NewValueData"]
_dumps = msgspec.json.Encoder().encode  # of text, integers and null the same bytes as orjson's, in a tenth of the time
_PLAIN = frozenset((str, int, type(None), bool, float))
_WORDS = frozenset((str, type(None)))


def stretches(names: list[str]) -> list[tuple[str, list[str]]]:
    """A line's columns in order, cut into stretches of one kind; kind '' is for what is decoded each time."""
    runs = [(kind, list(run)) for kind, run in groupby(names, key=_KIND.__getitem__)]
    found: list[tuple[str, list[str]]] = []
    for at, (kind, run) in enumerate(runs):
        if len(run) < SHORTEST:
            near = [runs[other][0] for other in (at - 1, at + 1) if 0 <= other < len(runs) and len(runs[other][1]) >= SHORTEST]
            kind = next((one for one in near if kind == "process" and one in _ACTOR), "")
        if found and found[-1][0] == kind:
            found[-1][1].extend(run)
        else:
            found.append((kind, list(run)))
    return found


def _json(*cells: object) -> bytes:
    """Cells as they stand within a JSON array."""
    return _dumps(cells)[1:-1]


def _room(cache: dict) -> dict:
    """The cache, emptied where it is full."""
    if len(cache) >= CACHE:
        cache.clear()
    return cache


class _Machine(NamedTuple):
    host: int
    report: int
    forms: int
    flags: int
    first: bytes  # the row's JSON up to its time, and so on
    second: bytes
    third: bytes
    last: bytes
    key: bytes


class _Process(NamedTuple):
    process: int | None
    account: int | None
    report: int | None
    forms: int
    flags: int
    first: bytes
    second: bytes  # of the image up to its last access, and after
    third: bytes
    fourth: bytes
    fifth: bytes
    key: bytes


def learn(values: dict[str, object], told: object, builder: Builder) -> Lane | None:
    """A lane for lines laid out like the one that gave these values; None where there is nothing to gain or more to do."""
    names = list(values)
    if not builder.plain or not values.keys() <= COLUMNS.keys() or not any(kind for kind, _ in stretches(names)):
        return None
    return Lane(names, told, builder.cells, builder.entities)


class Lane:
    """Rows and events from lines that are laid out as one line was; one for each layout and each builder's columns."""

    def __init__(self, names: list[str], told: object, cells: Cells, entities: Entities) -> None:
        self._told, self._cells, self._entities = told, cells, entities
        self._blocks = Blocks(cells, entities, keep=False)
        held = stretches(names)
        self._steps: list[tuple[bytes, dict[bytes, int] | None, frozenset[str]]] = [
            (border, {} if kind else None, frozenset(run)) for (kind, run), border in zip(
                held, [*(b',"%b":' % run[0].encode() for _, run in held[1:]), b""], strict=True)]
        stable = [run for kind, run in held if kind]
        self._loose = [name for kind, run in held if not kind for name in run if _KIND[name]]
        self._template = dict.fromkeys((*_VARYING, *self._loose))
        self._get = itemgetter(*self._template)
        self._machine_key, self._request_key, self._process_key, self._image_key = (
            self._key(kinds, stable) for kinds in (("machine",), ("request",), _ACTOR, ("image",)))
        self._machines: dict[object, _Machine] = {}
        self._requests: dict[object, tuple] = {}
        self._processes: dict[tuple, _Process] = {}
        self._images: dict[object, tuple] = {}
        self._actors: dict[tuple, Block] = {}
        self._changes: dict[tuple, Block] = {}
        self._files: dict[tuple, Block] = {}
        self._registries: dict[tuple, Block] = {}
        self._contents: dict[tuple, tuple] = {}
        self._minutes: dict[str, int] = {}
        self._recent: dict[bytes, dict[str, object]] = {}
        self._count = 0

    def _key(self, kinds: tuple[str, ...], stable: list[list[str]]) -> Callable[[list[int], tuple], object]:
        """What tells these kinds' columns apart: the numbers of their stretches, and their loose cells as JSON (1 is not true)."""
        places = [at for at, run in enumerate(stable) if any(_KIND[name] in kinds for name in run)]
        cells = [len(_VARYING) + at for at, name in enumerate(self._loose) if _KIND[name] in kinds]
        numbers = itemgetter(*places) if places else lambda _: None
        if not cells:
            return lambda found, _: numbers(found)
        loose = itemgetter(*cells)
        return lambda found, raw: (numbers(found), _dumps(loose(raw)))

    def read(self, line: bytes) -> tuple[bytes, bytes, tuple] | None:
        """The match key, row hash and event of a line, or None where it is not plainly like the others."""
        try:
            return self._read(line)
        except (ValueError, TypeError, KeyError):  # the ordinary way finds the reason, or a value
            return None

    def _read(self, line: bytes) -> tuple[bytes, bytes, tuple] | None:
        find, at, last = line.find, 1, len(line) - 1
        if last > MAX_FIELD or line[:1] != b"{" or line[last] != 125:  # a closing brace
            return None
        numbers: list[int] = []
        parts, varying = [], []
        for border, cache, names in self._steps:
            end = find(border, at) if border else last
            if end < 0:
                return None
            part = line[at:end]
            at = end
            if cache is None:
                varying.append(part)
            else:
                parts.append(part)
                numbers.append(cache.get(part) or self._number(part, cache, names))
        text = b"{%b}" % b"".join(varying).removeprefix(b",")
        values = orjson.loads(text)
        if _dumps(values) != text:
            return None
        template = self._template
        if len(values) != len(template):
            values = template | values
            if len(values) != len(template):
                return None
        return self._assemble(self._get(values), numbers, parts)

    def _number(self, part: bytes, cache: dict[bytes, int], names: frozenset[str]) -> int:
        """A number of its own for a stretch's bytes, once they are proven; ValueError where they cannot be."""
        text = b"{%b}" % part.removeprefix(b",")
        values = orjson.loads(text)
        if _dumps(values) != text or not values.keys() <= names or not _PLAIN.issuperset(map(type, values.values())):
            raise ValueError("not plain")
        self._count += 1
        _room(cache)[part] = self._count
        return self._count

    def _whole(self, raw: tuple, parts: list[bytes]) -> dict[str, object]:
        """The record's values, all columns."""
        whole = {**_NOTHING, **dict(zip(self._template, raw, strict=True))}
        for part in parts:
            whole.update(self._decoded(part))
        return whole

    def _decoded(self, part: bytes) -> dict[str, object]:
        """What a stretch says; that of an image is long, and comes again with every process."""
        found = self._recent.get(part)
        if found is None:
            if len(self._recent) >= RECENT:
                self._recent.clear()
            found = self._recent[part] = orjson.loads(b"{%b}" % part.removeprefix(b","))
        return found

    def _machine(self, key: object, raw: tuple, parts: list[bytes]) -> _Machine:
        values = self._whole(raw, parts)
        if values["Type"] != self._told:
            raise ValueError("of another table")
        cells, forms, ids, flags, _ = self._blocks.machine(_GET["machine"](values))
        found = _Machine(*ids, forms, flags, b"[%b,\"" % _json(cells[0]), b"\",%b," % _json(*cells[1:7]), b"%b," % _json(*cells[7:9]),
                         b",%b," % _json(cells[9]), b"\",%b," % _json(cells[1] or None, cells[3] or None))
        _room(self._machines)[key] = found
        return found

    def _request(self, key: object, raw: tuple, parts: list[bytes]) -> tuple:
        cells, forms, ids, flags, _ = self._blocks.request(_GET["request"](self._whole(raw, parts)))
        found = ids[0], forms, flags, b",%b," % _json(*cells), b"%b]" % _json(*request_key(cells))
        _room(self._requests)[key] = found
        return found

    def _process(self, key: tuple, numbers: list[int], raw: tuple, parts: list[bytes]) -> _Process:
        values = self._whole(raw, parts)
        raw_actor = _GET["account"](values)
        actor = self._actors.get(raw_actor) or self._block(self._actors, raw_actor, self._blocks.actor, 0)
        image_key = self._image_key(numbers, raw)
        known = self._images.get(image_key)
        if known is None:
            image = self._blocks.image(_GET["image"](values))
            i = image.cells
            known = _room(self._images)[image_key] = (
                image, b",%b," % _json(*i[:7]), b",%b" % _json(*i[7:11]), b",%b," % _json(*i[11:]), _json(i[1] or None))
        image, before, between, after, path = known
        process = self._blocks.process((key[0], image.ids[0], actor.ids[0], *_GET["process"](values)), image, actor)
        p = process.cells
        found = _Process(
            process.ids[0], actor.ids[0], process.ids[1], image.forms | actor.forms | process.forms, image.flags | actor.flags | process.flags,
            b",%b" % _json(*p[:5], *actor.cells), before, between, b",%b" % _json(p[5]), after,
            b",%b,%b,%b," % (_json(p[0], process.ids[2]), path, _json(*(cell or None for cell in actor.cells))))
        _room(self._processes)[key] = found
        return found

    def _block(self, cache: dict[tuple, Block], raw: tuple, make: Callable[[tuple], Block], first: int) -> Block:
        if not _WORDS.issuperset(map(type, raw[first:])):  # as keys of a cache, 1 and true would be one
            raise ValueError("not plain")
        found = _room(cache)[raw] = make(raw)
        return found

    def _content(self, raw: tuple) -> tuple:
        """The canonical hashes of a content, its number and the proven empty ones; raw = (MD5, SHA-256, SHA-1, size)."""
        size = raw[3]
        if not _WORDS.issuperset(map(type, raw[:3])) or (size is not None and not -(1 << 63) <= size < 1 << 63):
            raise ValueError("not plain")
        (md5, one), (long, two), (sha1, three) = map(self._cells.hash, raw[:3])
        number = self._entities.add("contents", (long or None, sha1 or None, md5 or None, size)) if long or sha1 or md5 else None
        found = number, md5, long, sha1, empty("FileMd5", md5) | empty("FileSha256", long) | empty("FileSha1", sha1), one | two | three
        _room(self._contents)[raw] = found
        return found

    def _time(self, column: str, text: object) -> tuple[str, int]:
        """A canonical time and its flags; ValueError where there is none."""
        if type(text) is not str:
            raise ValueError("no time")
        found, flags = self._cells.time(column, text)
        if found is None:
            raise ValueError("no time")
        if found == text:
            _room(self._minutes)[text[:16]] = flags
        return found, flags

    def _assemble(self, raw: tuple, numbers: list[int], parts: list[bytes]) -> tuple[bytes, bytes, tuple]:
        """Looks the blocks up, in the order in which the ordinary way makes them."""
        size = raw[15]
        if (type(size) is not int and size is not None) or type(raw[14]) is not str:
            raise ValueError("not plain")
        seen = self._machine_key(numbers, raw)
        machine = self._machines.get(seen) or self._machine(seen, raw, parts)
        blocks, host = self._blocks, machine[0]
        key = raw[:2]
        change = self._changes.get(key) or self._block(self._changes, key, blocks.change, 0)
        key = (host, *raw[2:7])
        file = self._files.get(key) or self._block(self._files, key, blocks.file, 1)
        seen = self._request_key(numbers, raw)
        request = self._requests.get(seen) or self._request(seen, raw, parts)
        key = (host, *raw[7:14])
        registry = self._registries.get(key) or self._block(self._registries, key, blocks.registry, 1)
        key = (host, self._process_key(numbers, raw))
        process = self._processes.get(key) or self._process(key, numbers, raw, parts)
        key = (raw[16], raw[17], raw[18], size)
        content = self._contents.get(key) or self._content(key)
        return self._finish(raw, machine, change, file, request, registry, process, content)

    def _finish(self, raw: tuple, machine: _Machine, change: Block, file: Block, request: tuple, registry: Block, process: _Process,
                content: tuple) -> tuple[bytes, bytes, tuple]:
        """The row's and the key's JSON out of the blocks' pieces, their hashes, and the event; as `rows.Builder` makes them."""
        _, _, _, _, time, size, _, _, _, old, new, access, billed = raw[10:23]
        host, machine_report, forms, flags, m0, m1, m2, m3, machine_key = machine
        c, change_forms, change_ids, change_flags, extra = change
        f, file_forms, (file_id, spelled, old_path, joined, old_joined), file_flags, _ = file
        request_id, request_forms, request_flags, q, request_key = request
        (r0, r1, r2, r3, r4, r5, r6), registry_forms, (value, report, hive, old_hive), registry_flags, _ = registry
        process_id, account, process_report, process_forms, process_flags, p0, i0, i1, p1, i2, process_key = process
        content_id, md5, long, sha1, content_forms, content_flags = content
        forms |= change_forms | file_forms | request_forms | registry_forms | process_forms | content_forms
        flags |= change_flags | file_flags | request_flags | registry_flags | process_flags | content_flags
        given, odd = time, self._minutes.get(time[:16])
        if odd is None or len(time) != 28 or _TAIL(time, 16) is None:
            time, odd = self._time("TimeGenerated", time)
        flags |= odd
        if old is not None or new is not None:
            forms |= _data_forms(old, new)
        if access is None or access == "":
            access, last = None, b"null"
        else:
            if access == given:
                access = time
            else:
                access, odd = self._time("InitProcImageLastAccessTimeUtc", access)
                flags |= odd
            last = b'"%b"' % access.encode()
        billed = str(billed) if type(billed) is int else decimal(billed)
        flag_text, extra_text = FLAGS[flags], None
        dumps = _dumps
        end = b"%d,null,null]" % (forms >> PATH_FORM_SHIFT)
        if extra or flag_text:
            extra_text = orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode() if extra else None
            end = b"%d,%b,%b]" % (forms >> PATH_FORM_SHIFT, (extra_text or "null").encode(), dumps(flag_text))
        row = b"".join((
            m0, time.encode(), m1, dumps((*c, f[0], f[1], f[2], size, f[3], f[4], md5, long, sha1))[1:-1], q,
            dumps((r0, r1, old, r2, r3, r4, new, r5, r6))[1:-1], p0, i0, last, i1, p1, i2, m2, b"null" if billed is None else b'"%b"' % billed.encode(), m3, end))
        key = b"".join((b'["', time[:23].encode(), machine_key, dumps((
            *c, joined, old_joined, long or None, sha1 or None, md5 or None, size, hive, r6 or None, r5 or None, new or None,
            r3 or None, r2 or None, old or None, old_hive))[1:-1], process_key, request_key))
        event = (time, host, change_ids[0], file_id, value, content_id, process_id, account, spelled, old_path, request_id, machine_report,
                 process_report, report, f[1] or None, size, old or None, new or None, access, billed, forms, extra_text, flag_text)
        return sha256(key).digest(), sha256(row).digest(), event


def _data_forms(old: object, new: object) -> int:
    """Which of a value's old and new data are proven empty; ValueError for what is no plain text."""
    for data in (old, new):
        if data is not None and (type(data) is not str or not data.isascii() or "\0" in data):
            raise ValueError("not plain")
    return (_OLD if old == "" else 0) | (_NEW if new == "" else 0)
