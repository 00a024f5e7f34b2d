"""The compiled twin of a `segments.Lane`: what it is told of a layout, and the answers it asks for.

The native lane remembers blocks by their bytes; one that it never saw is made here, by the same code as the ordinary way, and
handed over as numbers and pieces of JSON. Where it has no answer, `segments.Lane` and then the ordinary way are asked.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import orjson

from fimforensics.blocks import ACCOUNT, IMAGE, PROCESS
from fimforensics.evidence.leaves import blocks_of
from fimforensics.model import COLUMNS, LONG, REAL
from fimforensics.paths import file_key
from fimforensics.rows import ITEM, decimal, dumps
from fimforensics.schema import EMPTY_BIT, PATH_FORM_SHIFT
from fimforensics.segments import Lane
from fimforensics.stretches import (
    ACTOR_KINDS,
    IMAGE_KIND,
    KIND,
    MACHINE_KIND,
    REQUEST_KIND,
    VARYING,
    Kinds,
    cells_in,
    fragment,
    image_pieces,
    prove,
)

NOTHING, TEXT, WHOLE, TRUTH, PART = 1, 2, 4, 8, 16  # kinds of cells, as native/cells.h numbers them
MOST, MOST_BYTES = 1 << 16, 24 << 20  # blocks of one kind that are remembered, and of the bytes by which they are known
Answer = tuple[tuple, int, int, tuple[bytes, ...], str | None]  # numbers, forms, flags, pieces of JSON, a text of the event


def _takes(name: str) -> int:
    """Which kinds of cells a column that is read anew may have."""
    if KIND[name]:
        return NOTHING | TEXT | WHOLE | TRUTH
    kind = COLUMNS[name]
    return NOTHING | (WHOLE if kind == LONG else WHOLE | TEXT | PART if kind == REAL else TEXT)


def swift(native: ModuleType, lane: Lane, case_key: bytes, snapshot: int, member: int, row: tuple[str, ...] | None = None) -> Any:
    """The native lane that gives what `lane` gives, and leaves of this member; None for a layout that it has no room for.

    With `row`, the columns of an answer, it reads rows: arrays of their cells in that order, the last perhaps `_ItemId`.

    The native lane numbers parts for itself, so `lane` must be asked by nobody else.
    """
    fresh = *VARYING, *lane.loose
    stable = [name for _, repeats, names in lane.layout if repeats for name in names]
    slots = {name: at for at, name in enumerate(dict.fromkeys((*fresh, *stable, *PROCESS, *ACCOUNT)))}
    columns = {name: (b'"%b":' % name.encode(), slot, _takes(name)) for name, slot in slots.items()}
    steps = tuple((border, repeats, tuple(map(columns.__getitem__, names)))
                  for border, repeats, names in lane.layout)
    groups = tuple((tuple(lane.places[kinds]), tuple(slots[name] for name in lane.loose if KIND[name] in kinds))
                   for kinds in (MACHINE_KIND, REQUEST_KIND, ACTOR_KINDS, IMAGE_KIND))
    leaves, less = blocks_of(case_key), lane.entities.less
    empty, process_empty = (tuple(EMPTY_BIT.get(name, 0) for name in names) for names in (VARYING, PROCESS))
    process, account = (tuple(slots[name] for name in names) for names in (PROCESS, ACCOUNT))
    bits = PATH_FORM_SHIFT, empty, process_empty, process, account, len(fresh)
    rows, item = row is not None, -1
    if row and row[-1] == ITEM:
        item = len(slots)
        steps += ((b"", False, ((b"", item, NOTHING | TEXT),)),)
    try:
        return native.Lane(steps, groups, Answers(lane), bits, leaves, (snapshot, member), MOST >> less, MOST_BYTES >> less, rows,
                           item)
    except ValueError:
        return None


class Answers:
    """Blocks that the native lane never saw; ValueError, TypeError or KeyError where a line is not plain."""

    def __init__(self, lane: Lane) -> None:
        self._lane, self._blocks = lane, lane.blocks
        self.add = lane.entities.add
        self._names = [frozenset(names) for _, _, names in lane.layout]

    def prove(self, stretch: int, part: bytes) -> None:
        """ValueError unless the bytes of a stretch are plain."""
        prove(part, self._names[stretch])

    def _raw(self, cells: bytes, kinds: Kinds) -> tuple:
        """Cells as `Lane` has them, of which only the loose ones of these kinds are told."""
        told = iter(orjson.loads(cells))
        return (*(None for _ in VARYING), *(next(told) if KIND[name] in kinds else None for name in self._lane.loose))

    def machine(self, _: int, numbers: tuple, parts: tuple, cells: bytes) -> Answer:
        """ids (host, machine report), pieces of the row in four places, piece of the key."""
        block = self._lane.new_machine(self._raw(cells, MACHINE_KIND), parts)
        c = block.cells
        pieces = fragment(c[0]), fragment(*c[1:7]), fragment(*c[7:9]), fragment(c[9]), fragment(c[1] or None, c[3] or None)
        return block.ids, block.forms, block.flags, pieces, None

    def request(self, _: int, numbers: tuple, parts: tuple, cells: bytes) -> Answer:
        """ids (request), pieces of row and key."""
        number, forms, flags, row, key = self._lane.new_request(self._raw(cells, REQUEST_KIND), parts)
        return (number,), forms, flags, (row, key[:-1]), None

    def process(self, host: int, numbers: tuple, parts: tuple, cells: bytes) -> Answer:
        """ids (process, account, report), six pieces of the row as they come in it, piece of the key."""
        found = self._lane.new_process(host, list(numbers), self._raw(cells, ACTOR_KINDS), parts)
        _, i0, i1, i2, image_key = found.image
        _, account, actor_key = found.actor
        pieces = found.first, account, i0, i1, found.source, i2, b"".join((found.key, image_key, actor_key))
        return (found.process, found.account, found.report), found.forms, found.flags, pieces, None

    def image(self, _: int, numbers: tuple, parts: tuple, cells: bytes) -> Answer:
        """ids (image), three pieces of the row, piece of the key, the path's comparison key; its name as text."""
        values = self._lane.values(IMAGE_KIND, self._raw(cells, IMAGE_KIND), parts)
        block, i0, i1, i2, key = image_pieces(self._blocks.image(cells_in(IMAGE, values)))
        name, path = block.cells[:2]
        return block.ids, block.forms, block.flags, (i0, i1, i2, key, file_key(path).encode() if path else b""), name or None

    def actor(self, _: int, cells: bytes) -> Answer:
        """ids (account), pieces of row and key."""
        block, row, key = self._lane.new_actor(tuple(orjson.loads(cells)))
        return block.ids, block.forms, block.flags, (row, key), None

    def change(self, _: int, cells: bytes) -> Answer:
        """ids (change), pieces of its cells and of what the record spelled otherwise, which is a text of the event too."""
        cell, forms, ids, flags, extra = self._blocks.change(tuple(orjson.loads(cells)))
        told = orjson.dumps(extra, option=orjson.OPT_SORT_KEYS) if extra else b"null"
        return ids, forms, flags, (fragment(*cell), told), told.decode() if extra else None

    def file(self, host: int, cells: bytes) -> Answer:
        """ids (file, path, original path), pieces before and after the size, piece of the key; the type as text."""
        c, forms, ids, flags, _ = self._blocks.file((host, *orjson.loads(cells)))
        return ids[:3], forms, flags, (fragment(*c[:3]), fragment(*c[3:]), fragment(*ids[3:])), c[1] or None

    def registry(self, host: int, cells: bytes) -> Answer:
        """ids (value, report), pieces before, between and after the data, and three of the key."""
        r, forms, ids, flags, _ = self._blocks.registry((host, *orjson.loads(cells)))
        pieces = (fragment(*r[:2]), fragment(*r[2:5]), fragment(*r[5:]), fragment(ids[2], r[6] or None, r[5] or None),
                  fragment(r[3] or None, r[2] or None), fragment(ids[3]))
        return ids[:2], forms, flags, pieces, None

    def content(self, _: int, cells: bytes) -> Answer:
        """ids (content), pieces of row and key."""
        size, *hashes = orjson.loads(cells)
        number, md5, sha256, sha1, forms, flags = self._lane.new_content((*hashes, size))
        return (number,), forms, flags, (fragment(md5, sha256, sha1), fragment(sha256 or None, sha1 or None, md5 or None)), None

    def minute(self, text: str) -> Answer:
        """The flags of a canonical time, which are those of its minute."""
        found, flags = self._lane.cells.time("TimeGenerated", text)
        if found != text:
            raise ValueError("not plain")
        return (), 0, flags, (), None

    def real(self, text: bytes) -> str | None:
        """A number with a fraction as `rows.decimal` writes it."""
        value = orjson.loads(text)
        if dumps(value) != text:
            raise ValueError("not plain")
        return decimal(value)
