"""The relations between things that are shown already.

A relation is found from either of its ends, so each kind of relation is looked for from that side on which fewer are: a busy
account's thousands are not looked through for the ten processes beside it. How many a thing has is told by the indexes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fimforensics.queries.graph_near import COLUMNS, INTO, OUT, Around, Relation, marks, merged, relation_of
from fimforensics.queries.trace_steps import Key

BETWEEN = 100  # relations of one kind at one side of a thing that are looked at
TOGETHER = 500  # relations of which all is asked for at once
_SIDES = (("subject", OUT), ("object", INTO))
_OTHER = {"subject": "object", "object": "subject"}
Counts = dict[str, dict[str, dict[Key, int]]]  # by relation and side, of each thing that has any; at most BETWEEN + 1


def among(around: Around, keys: Iterable[Key]) -> tuple[list[Relation], dict[Key, int], bool]:
    """The relations between shown things; how many each thing has; and whether one may be missing.

    One is missed only where both its ends have more than BETWEEN of its kind.
    """
    shown = {key: around.rows(key) for key in keys}
    known = {(key[0], number) for key, numbers in shown.items() for number in numbers}
    counts, degrees = _counted(around, shown)
    wanted: set[int] = set()
    missed = False
    for relation, sides in counts.items():
        if len(sides) < len(_SIDES):
            continue
        full = {side: any(many > BETWEEN for many in found.values()) for side, found in sides.items()}
        one = min(sides, key=lambda side: (full[side], sum(sides[side].values())))
        missed = missed or full[one]
        for side in (one, _OTHER[one]) if full[one] else (one,):
            for key in sides[side]:
                some = _beside(around, key[0], shown[key], side, relation)
                wanted.update(row for row, *other in some if tuple(other) in known)
    numbers = sorted(wanted)
    rows = merged(row for at in range(0, len(numbers), TOGETHER) for row in _rows(around, numbers[at:at + TOGETHER]))
    return sorted(rows, key=lambda one: (one.first, one.mark)), degrees, missed


def _counted(around: Around, shown: dict[Key, list[int]]) -> tuple[Counts, dict[Key, int]]:
    counts: Counts = {}
    degrees: dict[Key, int] = {}
    later = " AND last >= ?" if around.since else ""
    for key, numbers in shown.items():
        asked = [(side, relation) for side, may in _SIDES for relation in may.get(key[0], ())
                 if relation in around.relations and relation != "renamed to"]
        sql = ", ".join(
            f"(SELECT count(*) FROM (SELECT 1 FROM relations INDEXED BY relations_{side} WHERE {side}_kind = ? "
            f"AND {side}_id IN ({marks(numbers)}) AND relation = ? AND first <= ?{later} LIMIT {BETWEEN + 1}))"
            for side, _ in asked)
        narrowed = (around.until, around.since) if later else (around.until,)
        found = around.db.execute(f"SELECT {sql}", [
            value for _, relation in asked for value in (key[0], *numbers, relation, *narrowed)]).fetchone() if asked else ()
        degrees[key] = sum(found)
        for (side, relation), many in zip(asked, found, strict=True):
            if many:
                counts.setdefault(relation, {}).setdefault(side, {})[key] = many
    return counts, degrees


def _beside(around: Around, kind: str, numbers: list[int], side: str, relation: str) -> list[tuple[int, str, int]]:
    """A thing's relations of one kind at one side: each's number and its other end. Most are of no use, so no more is asked."""
    other = _OTHER[side]
    return around.db.execute(
        f"SELECT id, {other}_kind, {other}_id FROM relations INDEXED BY relations_{side} "
        f"WHERE {side}_kind = ? AND {side}_id IN ({marks(numbers)}) AND relation = ? AND first <= ? AND last >= ? "
        f"LIMIT {BETWEEN}",
        (kind, *numbers, relation, around.until, around.since)).fetchall()


def _rows(around: Around, numbers: Sequence[int]) -> list[Relation]:
    found = around.db.execute(f"SELECT {COLUMNS} FROM relations WHERE id IN ({marks(numbers)})", numbers).fetchall()
    return [relation_of(around, row) for row in found]
