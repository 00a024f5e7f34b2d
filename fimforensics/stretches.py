"""How a line of JSON falls into stretches of columns, and what is kept of each: pieces of the row's JSON, ready to be joined."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import orjson

from fimforensics.blocks import ACCOUNT, CHANGE, FILE, IMAGE, MACHINE, PROCESS, REGISTRY, REQUEST, Block
from fimforensics.model import COLUMNS
from fimforensics.rows import SINGLE, dumps
from fimforensics.schema import EMPTY_BIT

CACHE, SMALL = 1 << 16, 1 << 15  # how much is remembered of one kind; of what is long, less
SHORTEST = 3  # columns of a stretch; fewer are decoded with the rest
VARYING = (*CHANGE, *FILE, *REGISTRY, *SINGLE)
KIND = dict.fromkeys(COLUMNS, "") | {name: kind for kind, names in (
    ("machine", MACHINE), ("request", REQUEST), ("image", IMAGE), ("account", ACCOUNT), ("process", PROCESS)) for name in names}
Kinds = tuple[str, ...]
MACHINE_KIND: Kinds
REQUEST_KIND: Kinds
IMAGE_KIND: Kinds
ACTOR_KINDS: Kinds
MACHINE_KIND, REQUEST_KIND, IMAGE_KIND, ACTOR_KINDS = ("machine",), ("request",), ("image",), ("image", "account", "process")
_OLD, _NEW = EMPTY_BIT["OldValueData"], EMPTY_BIT["NewValueData"]
_PLAIN = frozenset((str, int, type(None), bool, float))
_WORDS = frozenset((str, type(None)))


def stretches(names: list[str]) -> list[tuple[str, list[str]]]:
    """A line's columns in order, cut into stretches of one kind; kind '' is for what is decoded each time."""
    runs = [(kind, list(run)) for kind, run in groupby(names, key=KIND.__getitem__)]
    found: list[tuple[str, list[str]]] = []
    for at, (kind, run) in enumerate(runs):
        if len(run) < SHORTEST:
            near = [runs[other][0] for other in (at - 1, at + 1) if 0 <= other < len(runs) and len(runs[other][1]) >= SHORTEST]
            kind = next((one for one in near if kind == "process" and one in ACTOR_KINDS), "")
        if found and found[-1][0] == kind:
            found[-1][1].extend(run)
        else:
            found.append((kind, list(run)))
    return found


def fragment(*cells: object) -> bytes:
    """Cells as they stand within a JSON array."""
    return dumps(cells)[1:-1]


def cells_in(names: tuple[str, ...], values: dict[str, object]) -> tuple:
    """The values of these columns; None where one is not there."""
    return tuple(map(values.get, names))


def key_of(places: list[int], cells: list[int]) -> Callable[[list[int], tuple], object]:
    """What tells two blocks apart: the numbers of their stretches, and their loose cells as JSON (1 is not true)."""
    numbers = itemgetter(*places) if places else lambda _: None
    if not cells:
        return lambda found, _: numbers(found)
    loose = itemgetter(*cells)
    return lambda found, raw: (numbers(found), dumps(loose(raw)))


def room(less: int) -> Callable[..., dict]:
    """What empties a cache where it is full (of CACHE, or so many): `less` as in `blocks.Entities`."""
    def emptied(cache: dict, size: int = CACHE) -> dict:
        if len(cache) >= size >> less:
            cache.clear()
        return cache

    return emptied


def prove(part: bytes, names: frozenset[str]) -> None:
    """ValueError unless a stretch's bytes are an object of plain values, as a writer of JSON writes it."""
    text = b"{%b}" % part.removeprefix(b",")
    values = orjson.loads(text)
    if dumps(values) != text or not values.keys() <= names or not _PLAIN.issuperset(map(type, values.values())):
        raise ValueError("not plain")


class Machine(NamedTuple):
    """A machine's numbers, flags, pieces of the row's JSON and piece of the key's."""

    host: int
    report: int
    forms: int
    flags: int
    first: bytes  # the row's JSON up to its time, and so on
    second: bytes
    third: bytes
    last: bytes
    key: bytes


class Process(NamedTuple):
    """The same of a process with its image and account."""

    process: int | None
    account: int | None
    report: int | None
    forms: int
    flags: int
    first: bytes
    source: bytes
    key: bytes
    image: tuple  # the image's block, its three pieces, and its piece of the key
    actor: tuple  # the account's block, its piece, and its piece of the key


def image_pieces(block: Block) -> tuple:
    """An image's block, the pieces of its cells up to its last access, up to the process's source, and after, and its path."""
    i = block.cells
    return block, b",%b," % fragment(*i[:7]), b",%b" % fragment(*i[7:11]), b",%b," % fragment(*i[11:]), fragment(i[1] or None)


def actor_pieces(block: Block) -> tuple:
    """An account's block, the piece of its cells, and that of the key."""
    return block, fragment(*block.cells), b",%b," % fragment(*(cell or None for cell in block.cells))


def data_forms(old: object, new: object) -> int:
    """Which of a value's old and new data are proven empty; ValueError for what is no plain text."""
    for data in (old, new):
        if data is not None and (type(data) is not str or not data.isascii() or "\0" in data):
            raise ValueError("not plain")
    return (_OLD if old == "" else 0) | (_NEW if new == "" else 0)
