"""The quick way of a JSON line into a row: what repeats byte for byte is not read again.

An export writes its keys in one order. A `Lane` learns from one line where the columns of a machine, a request, an image, an
account and a process lie side by side, cuts every line before the first key of each such stretch, and keeps what a stretch's
bytes mean; only the rest of a line is decoded each time. Why this is sound: `,"Key":` cannot stand inside a JSON text, each
stretch is read by itself as a whole object that gives the same bytes when written again, and no column is in two stretches.
Whatever is not plainly so gives None, and the ordinary way (`shapes`, `rows.Builder`) decides; both give the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from operator import itemgetter

import orjson

from fimforensics.blocks import ACCOUNT, IMAGE, MACHINE, PROCESS, REQUEST, Block, Blocks, Entities
from fimforensics.cells import Cells
from fimforensics.model import COLUMNS
from fimforensics.rows import FLAGS, Builder, decimal, dumps, empty, request_key
from fimforensics.schema import PATH_FORM_SHIFT
from fimforensics.stretches import (
    ACTOR_KINDS,
    CACHE,
    IMAGE_KIND,
    KIND,
    MACHINE_KIND,
    REQUEST_KIND,
    SMALL,
    VARYING,
    Machine,
    Process,
    actor_pieces,
    cells_in,
    data_forms,
    fragment,
    image_pieces,
    key_of,
    prove,
    room,
    stretches,
)

LONGEST = 128 << 10  # bytes of a line; cells of a longer one may be over the limits, which the ordinary way knows
RECENT, PROCESSES = 1 << 11, 1 << 17  # processes come again all over an export, and their lines are the longest to read
_TAIL = re.compile(r":[0-5][0-9]\.[0-9]{7}Z\Z").match
_WORDS = frozenset((str, type(None)))
_EXACT = _WORDS | {int, bool}


def learn(values: dict[str, object], told: object, builder: Builder) -> Lane | None:
    """A lane for lines laid out like the one that gave these values; None where there is nothing to gain or more to do."""
    names = list(values)
    if not builder.plain or not values.keys() <= COLUMNS.keys() or not any(kind for kind, _ in stretches(names)):
        return None
    return Lane(names, told, builder.cells, builder.entities)


class Lane:
    """Rows and events from lines that are laid out as one line was; one for each layout and each builder's columns."""

    def __init__(self, names: list[str], told: object, cells: Cells, entities: Entities) -> None:
        self._told, self.cells, self.entities = told, cells, entities
        self.blocks = Blocks(cells, entities, keep=False)
        held = stretches(names)
        borders = [*(b',"%b":' % run[0].encode() for _, run in held[1:]), b""]
        self.layout = [(border, bool(kind), run) for (kind, run), border in zip(held, borders, strict=True)]
        self._steps: list[tuple[bytes, dict[bytes, int] | None, frozenset[str]]] = [
            (border, {} if stable else None, frozenset(run)) for border, stable, run in self.layout]
        stable = [run for kind, run in held if kind]
        self.loose = [name for kind, run in held if not kind for name in run if KIND[name]]
        self._template = dict.fromkeys((*VARYING, *self.loose))
        self._get = itemgetter(*self._template)
        self.places = {kinds: [at for at, run in enumerate(stable) if any(KIND[name] in kinds for name in run)]
                        for kinds in (MACHINE_KIND, REQUEST_KIND, ACTOR_KINDS, IMAGE_KIND)}
        self._machine_key, self._request_key, self._process_key, self._image_key = map(self._key, self.places)
        self._machines: dict[object, Machine] = {}
        self._requests: dict[object, tuple] = {}
        self._processes: dict[tuple, Process] = {}
        self._images: dict[object, tuple] = {}
        self._actors: dict[tuple, tuple] = {}
        self._sources: dict[object, bytes] = {}
        self._changes: dict[tuple, Block] = {}
        self._files: dict[tuple, Block] = {}
        self._registries: dict[tuple, Block] = {}
        self._contents: dict[tuple, tuple] = {}
        self._minutes: dict[str, int] = {}
        self._recent: dict[bytes, dict[str, object]] = {}
        self._count, self._room = 0, room(entities.less)

    def _key(self, kinds: tuple[str, ...]) -> Callable[[list[int], tuple], object]:
        return key_of(self.places[kinds], [len(VARYING) + at for at, name in enumerate(self.loose) if KIND[name] in kinds])

    def read(self, line: bytes) -> tuple[bytes, bytes, tuple] | None:
        """The match key, row hash and event of a line, or None where it is not plainly like the others."""
        try:
            return self._read(line)
        except (ValueError, TypeError, KeyError):  # the ordinary way finds the reason, or a value
            return None

    def _read(self, line: bytes) -> tuple[bytes, bytes, tuple] | None:
        find, at, last = line.find, 1, len(line) - 1
        if last > LONGEST or line[:1] != b"{" or line[last] != 125:  # }
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
        if dumps(values) != text:
            return None
        template = self._template
        if len(values) != len(template):
            values = template | values
            if len(values) != len(template):
                return None
        return self._assemble(self._get(values), numbers, parts)

    def _number(self, part: bytes, cache: dict[bytes, int], names: frozenset[str]) -> int:
        """A number of its own for a stretch's bytes, once they are proven; ValueError where they cannot be."""
        prove(part, names)
        self._count += 1
        self._room(cache, PROCESSES)[part] = self._count
        return self._count

    def values(self, kinds: tuple[str, ...], raw: tuple, parts: Sequence[bytes]) -> dict[str, object]:
        """What the record says in the columns of these kinds (and of what lies among them)."""
        values: dict[str, object] = {}
        if self.loose:
            loose = raw[len(VARYING):]
            if not _EXACT.issuperset(map(type, loose)):
                raise ValueError("not plain")
            values.update(zip(self.loose, loose, strict=True))
        for at in self.places[kinds]:
            values |= self._decoded(parts[at])
        return values

    def _decoded(self, part: bytes) -> dict[str, object]:
        """What a stretch says; that of an image is long, and comes again with every process."""
        found = self._recent.get(part)
        if found is None:
            if len(self._recent) >= RECENT:
                self._recent.clear()
            found = self._recent[part] = orjson.loads(b"{%b}" % part.removeprefix(b","))
        return found

    def new_machine(self, raw: tuple, parts: Sequence[bytes]) -> Block:
        """A machine's block, where the record is of the lane's table."""
        values = self.values(MACHINE_KIND, raw, parts)
        if values.get("Type") != self._told:
            raise ValueError("of another table")
        return self.blocks.machine(cells_in(MACHINE, values))

    def _machine(self, key: object, raw: tuple, parts: Sequence[bytes]) -> Machine:
        cells, forms, ids, flags, _ = self.new_machine(raw, parts)
        found = Machine(ids[0], ids[1], forms, flags, b"[%b,\"" % fragment(cells[0]), b"\",%b," % fragment(*cells[1:7]),
                        b"%b," % fragment(*cells[7:9]), b",%b," % fragment(cells[9]),
                        b"\",%b," % fragment(cells[1] or None, cells[3] or None))
        self._room(self._machines)[key] = found
        return found

    def new_request(self, raw: tuple, parts: Sequence[bytes]) -> tuple:
        """A request's number, forms, flags, and pieces of row and key."""
        cells, forms, ids, flags, _ = self.blocks.request(cells_in(REQUEST, self.values(REQUEST_KIND, raw, parts)))
        return ids[0], forms, flags, b",%b," % fragment(*cells), b"%b]" % fragment(*request_key(cells))

    def new_actor(self, raw: tuple) -> tuple:
        """An account's block and pieces."""
        return actor_pieces(self._block({}, raw, self.blocks.actor, 0))

    def new_process(self, host: int, numbers: list[int], raw: tuple, parts: Sequence[bytes]) -> Process:
        """A process with its image and account, which are remembered."""
        values = self.values(ACTOR_KINDS, raw, parts)
        raw_actor = cells_in(ACCOUNT, values)
        actor = self._actors.get(raw_actor)
        if actor is None:
            actor = self._room(self._actors)[raw_actor] = self.new_actor(raw_actor)
        seen = self._image_key(numbers, raw)
        image = self._images.get(seen)
        if image is None:
            image = self._room(self._images)[seen] = image_pieces(self.blocks.image(cells_in(IMAGE, values)))
        blocks = image[0], actor[0]
        process = self.blocks.process((host, blocks[0].ids[0], blocks[1].ids[0], *cells_in(PROCESS, values)), *blocks)
        p, (instance, report, created) = process.cells, process.ids
        return Process(
            instance, blocks[1].ids[0], report, blocks[0].forms | blocks[1].forms | process.forms,
            blocks[0].flags | blocks[1].flags | process.flags, b",%b," % fragment(*p[:5]),
            self._room(self._sources).setdefault(p[5], b",%b" % fragment(p[5])), b",%b," % fragment(p[0], created), image, actor)

    def _block(self, cache: dict[tuple, Block], raw: tuple, make: Callable[[tuple], Block], first: int) -> Block:
        if not _WORDS.issuperset(map(type, raw[first:])):  # as keys of a cache, 1 and true would be one
            raise ValueError("not plain")
        found = self._room(cache, SMALL if cache is self._registries else CACHE)[raw] = make(raw)
        return found

    def new_content(self, raw: tuple) -> tuple:
        """The canonical hashes of a content, its number and the proven empty ones; raw = (MD5, SHA-256, SHA-1, size)."""
        size = raw[3]
        if not _WORDS.issuperset(map(type, raw[:3])) or (size is not None and not -(1 << 63) <= size < 1 << 63):
            raise ValueError("not plain")
        (md5, one), (long, two), (sha1, three) = map(self.cells.hash, raw[:3])
        number = self.entities.add("contents", (long or None, sha1 or None, md5 or None, size)) if long or sha1 or md5 else None
        forms = empty("FileMd5", md5) | empty("FileSha256", long) | empty("FileSha1", sha1)
        return number, md5, long, sha1, forms, one | two | three

    def _time(self, column: str, text: object) -> tuple[str, int]:
        """A canonical time and its flags; ValueError where there is none."""
        if type(text) is not str:
            raise ValueError("no time")
        found, flags = self.cells.time(column, text)
        if found is None:
            raise ValueError("no time")
        if found == text:
            self._room(self._minutes)[text[:16]] = flags
        return found, flags

    def _access(self, text: object) -> tuple[str | None, bytes, int]:
        """When an image was last read, as a cell and as JSON, and its flags."""
        if text is None or text == "":
            return None, b"null", 0
        found, flags = self._time("InitProcImageLastAccessTimeUtc", text)
        return found, b'"%b"' % found.encode(), flags

    def _assemble(self, raw: tuple, numbers: list[int], parts: list[bytes]) -> tuple[bytes, bytes, tuple]:
        """Looks the blocks up, in the order in which the ordinary way makes them."""
        size = raw[15]
        if (type(size) is not int and size is not None) or type(raw[14]) is not str:
            raise ValueError("not plain")
        seen = self._machine_key(numbers, raw)
        machine = self._machines.get(seen) or self._machine(seen, raw, parts)
        blocks, host = self.blocks, machine[0]
        key = raw[:2]
        change = self._changes.get(key) or self._block(self._changes, key, blocks.change, 0)
        key = (host, *raw[2:7])
        file = self._files.get(key) or self._block(self._files, key, blocks.file, 1)
        seen = self._request_key(numbers, raw)
        request = self._requests.get(seen) or self._room(self._requests).setdefault(seen, self.new_request(raw, parts))
        key = (host, *raw[7:14])
        registry = self._registries.get(key) or self._block(self._registries, key, blocks.registry, 1)
        key = (host, self._process_key(numbers, raw))
        process = self._processes.get(key) or self._room(self._processes, PROCESSES).setdefault(
            key, self.new_process(host, numbers, raw, parts))
        key = (raw[16], raw[17], raw[18], size)
        content = self._contents.get(key) or self._room(self._contents, SMALL).setdefault(key, self.new_content(key))
        return self._finish(raw, machine, change, file, request, registry, process, content)

    def _finish(self, raw: tuple, machine: Machine, change: Block, file: Block, request: tuple, registry: Block, process: Process,
                content: tuple) -> tuple[bytes, bytes, tuple]:
        """The row's and the key's JSON out of the blocks' pieces, their hashes, and the event; as `rows.Builder` makes them."""
        _, _, _, _, time, size, _, _, _, old, new, access, billed = raw[10:23]
        host, machine_report, forms, flags, m0, m1, m2, m3, machine_key = machine
        c, change_forms, change_ids, change_flags, extra = change
        f, file_forms, (file_id, spelled, old_path, joined, old_joined), file_flags, _ = file
        request_id, request_forms, request_flags, q, request_key = request
        (r0, r1, r2, r3, r4, r5, r6), registry_forms, (value, report, hive, old_hive), registry_flags, _ = registry
        process_id, account, process_report, process_forms, process_flags, p0, p1, process_key, image, actor = process
        _, i0, i1, i2, image_key = image
        _, a0, actor_key = actor
        content_id, md5, long, sha1, content_forms, content_flags = content
        forms |= change_forms | file_forms | request_forms | registry_forms | process_forms | content_forms
        flags |= change_flags | file_flags | request_flags | registry_flags | process_flags | content_flags
        given, odd = time, self._minutes.get(time[:16])
        if odd is None or len(time) != 28 or _TAIL(time, 16) is None:
            time, odd = self._time("TimeGenerated", time)
        flags |= odd
        if old is not None or new is not None:
            forms |= data_forms(old, new)
        access, last, odd = (time, b'"%b"' % time.encode(), odd) if access == given else self._access(access)
        flags |= odd
        billed = str(billed) if type(billed) is int else decimal(billed)
        flag_text, extra_text = FLAGS[flags], None
        end = b"%d,null,null]" % (forms >> PATH_FORM_SHIFT)
        if extra or flag_text:
            extra_text = orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode() if extra else None
            end = b"%d,%b,%b]" % (forms >> PATH_FORM_SHIFT, (extra_text or "null").encode(), dumps(flag_text))
        row = b"".join((
            m0, time.encode(), m1, dumps((*c, f[0], f[1], f[2], size, f[3], f[4], md5, long, sha1))[1:-1], q,
            dumps((r0, r1, old, r2, r3, r4, new, r5, r6))[1:-1], p0, a0, i0, last, i1, p1, i2, m2,
            b"null" if billed is None else b'"%b"' % billed.encode(), m3, end))
        key = b"".join((b'["', time[:23].encode(), machine_key, dumps((
            *c, joined, old_joined, long or None, sha1 or None, md5 or None, size, hive, r6 or None, r5 or None, new or None,
            r3 or None, r2 or None, old or None, old_hive))[1:-1], process_key, image_key, actor_key, request_key))
        event = (time, host, change_ids[0], file_id, value, content_id, process_id, account, spelled, old_path, request_id,
                 machine_report, process_report, report, f[1] or None, size, old or None, new or None, access, billed, forms,
                 extra_text, flag_text)
        return sha256(key).digest(), sha256(row).digest(), event
