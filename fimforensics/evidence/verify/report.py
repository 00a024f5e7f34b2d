"""What a verification says: what was checked and how, what differs and where, and plainly what was not checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

# The layers in their order. Those of a seal compare with its statement; the others need no word but the case's own originals.
LAYERS = ("file", "signature", "schema", "integrity", "digests", "tree", "custody", "part", "originals", "records",
          "interpretation", "later custody", "time stamp")
OF_THE_FILE = frozenset(["file", "signature"])  # what a forger makes anew without touching a row
OF_THE_SEAL = frozenset(["file", "signature", "digests", "tree"])  # what a forger makes anew who replaces the whole seal
MOST = 20  # differences that one table tells of in full


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be. `row` is the row's id; the bytes are those of the record it rests on."""

    layer: str
    what: str
    table: str | None = None
    row: int | str | None = None
    column: str | None = None
    snapshot: int | None = None
    offset: int | None = None
    length: int | None = None

    def line(self) -> str:
        """The whole difference on one line."""
        place = [f"table {self.table}"] if self.table else []
        place += [f"row {self.row}"] if self.row is not None else []
        place += [f"column {self.column}"] if self.column else []
        if self.snapshot is not None:
            place.append(f"snapshot {self.snapshot}")
        if self.offset is not None:
            place.append(f"bytes {self.offset} to {self.offset + (self.length or 0)}")
        return f"{', '.join(place)}: {self.what}" if place else self.what


@dataclass
class Report:
    """What a verification found; filled as it goes."""

    checked: dict[str, list[str]] = field(default_factory=dict)  # layer → what was compared, and how
    differences: list[Difference] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    trust: list[str] = field(default_factory=list)  # on what the verdict rests
    facts: dict[str, Any] = field(default_factory=dict)

    def check(self, layer: str, how: str, found: Iterable[Difference] = ()) -> bool:
        """Notes that this was checked; whether it is whole."""
        self.checked.setdefault(layer, []).append(how)
        before = len(self.differences)
        self.differences += found
        return len(self.differences) == before

    def differ(self, *found: Difference) -> None:
        """Adds differences."""
        self.differences += found

    @property
    def whole(self) -> bool:
        """Does nothing differ?"""
        return not self.differences

    def of(self, layer: str) -> list[Difference]:
        """The differences of one layer."""
        return [one for one in self.differences if one.layer == layer]

    def as_object(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"whole": self.whole, **self.facts, "checked": self.checked,
                "differences": [{name: value for name, value in asdict(one).items() if value is not None}
                                for one in self.differences],
                "not_checked": self.unchecked, "trust": self.trust}
