"""What a reading is asked for, the batches in which it answers, and how a source's columns become Microsoft's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from fimforensics.cells import Cells
from fimforensics.errors import Refused
from fimforensics.evidence.originals import Chunker
from fimforensics.model import Reading
from fimforensics.tables import Table, fold_columns

BATCH = 4096
ORIGINAL = -1  # the target of chunks of the source itself; others are numbers of members


@dataclass(frozen=True)
class Task:
    """One source to be read, and where its records stand in the case."""

    path: str
    label: str
    snapshot: int
    first_seq: int
    case_key: bytes
    reading: Reading = field(default_factory=Reading)
    batch: int = BATCH
    skip: int = 0  # records that the case already holds
    stored: int = 0  # bytes of the original that the case already holds
    prefix: str | None = None  # their SHA-256
    frugal: bool = False  # remember less and send less at once; nothing else is otherwise

    @property
    def at_once(self) -> int:
        """Records that are sent at once, where nothing depends on it."""
        return min(self.batch, BATCH // 4) if self.frugal else self.batch


@dataclass(frozen=True)
class View:
    """A member seen through another way to open it."""

    name: str
    compressed: bool
    open: Callable[[], BinaryIO]


@dataclass
class Batch:
    """Records on their way into a message: runs of events, each (events, keys, checks, places) or (packed, first seq)."""

    runs: list[tuple] = field(default_factory=list)
    rejects: list = field(default_factory=list)
    leaves: bytearray = field(default_factory=bytearray)
    times: list[str] = field(default_factory=list)  # among them the first and the last

    def add(self, event: tuple, key: bytes, check: bytes, place: tuple) -> None:
        """An event that Python made."""
        if not self.runs or len(self.runs[-1]) == 2:
            self.runs.append(([], [], [], []))
        events, keys, checks, places = self.runs[-1]
        events.append(event)
        keys.append(key)
        checks.append(check)
        places.append(place)
        self.times.append(event[0])

    def packed(self, events: bytes, seq: int, first: str, last: str) -> None:
        """Events that the native lane made."""
        self.runs.append((events, seq))
        self.times += (first, last)


def chunked(target: int, chunker: Chunker, task: Task) -> Iterator[tuple]:
    """The message of the chunks that are ready; Refused where a stopped ingest was reading another file."""
    ready = chunker.ready()
    if target == ORIGINAL:
        for chunk in ready:
            if chunk.offset + chunk.length == task.stored and chunk.prefix != task.prefix:
                raise Refused("the file is not the one that the unfinished snapshot was reading: its beginning differs",
                              where=task.label, hint="Bring the file back as it was, or run: fimforensics ingest CASE --abandon")
        ready = [chunk for chunk in ready if chunk.offset >= task.stored]
    if ready:
        yield "chunks", target, [tuple(chunk) for chunk in ready]


def cells_of(table: Table, columns: Collection[str], zones: dict[str, str], reading: Reading) -> Cells:
    """The cells of a member whose columns state these zones; a column is known by its documented name and by Microsoft's."""
    names = fold_columns(columns)
    stated = {names.get(name, name): zone for name, zone in zones.items()}
    return Cells(stated | {table.times[name]: zone for name, zone in stated.items() if name in table.times}, reading)


def mapping(table: Table, columns: tuple[str, ...] | None) -> Callable[[dict], dict] | None:
    """How a record of `table` becomes Microsoft's columns: names in the documented spelling, then the table's own mapping."""
    spelled = {name: known for name, known in fold_columns(columns or ()).items() if name != known}
    to_mdc = table.to_mdc
    if columns is None and to_mdc is not None:
        def fold_each(values: dict) -> dict:
            return to_mdc({fold_columns((name,)).get(name, name): value for name, value in values.items()})
        return fold_each
    if not spelled:
        return to_mdc
    if to_mdc is None:
        return lambda values: {spelled.get(name, name): value for name, value in values.items()}
    return lambda values: to_mdc({spelled.get(name, name): value for name, value in values.items()})
