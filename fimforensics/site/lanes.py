"""Hash-change lanes: one lane for each content a file had, or data a value had, and its periods in it.

The same content is the same lane again, so that a reversion is seen as a way back to it. What is not known and what is not there
have lanes of their own, below. At most MOST_LANES lanes and MOST_PERIODS periods are laid out; how much is left out is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fimforensics.queries.history import HASHES, against

MOST_LANES, MOST_PERIODS = 40, 400
KNOWN, OTHERS, UNKNOWN, ABSENT = "known", "others", "unknown", "absent"
_LABELS = {OTHERS: "other contents", UNKNOWN: "not known", ABSENT: "not there"}
_FIGURES, _LETTERS = 12, 18


@dataclass(frozen=True)
class Lane:
    """One row of the picture; `letter` names it in the picture and in the table of versions."""

    letter: str
    kind: str  # known, others, unknown, absent
    label: str
    hash: str | None
    content_id: int | None
    size: int | None
    data_event: int | None
    periods: int
    first: str | None
    last: str | None  # until when; None: still so
    returns: int  # how often it came back after something else was there


@dataclass(frozen=True)
class Period:
    """A time spent in one lane; without `since` it reaches back beyond what is told, without `until` it is still so."""

    lane: int
    version: int | None
    since: str | None
    until: str | None
    back: bool
    told: str


@dataclass(frozen=True)
class Lanes:
    """The picture's rows and periods in order of time; `end` is the time up to which anything of the host is known."""

    lanes: tuple[Lane, ...]
    periods: tuple[Period, ...]
    contents: int
    reverted: int
    left_out: int  # earlier periods that are not drawn
    joined: int  # contents that share the lane of others
    end: str | None


def lanes(versions: Sequence[dict], in_all: int, end: str | None, word: str = "content") -> Lanes:
    """The lanes of the versions of `history`, the newest MOST_PERIODS of them; `word` is `content` or `data`."""
    shown = versions[-MOST_PERIODS:]
    kinds = [_kind(one) for one in shown]
    groups = list(_groups(shown, kinds))
    contents = max((group for group in groups if group is not None), default=-1) + 1
    drawn = _drawn(groups, contents)
    rows: dict[tuple[str, int], list[int]] = {}
    for at, (kind, group) in enumerate(zip(kinds, groups, strict=True)):
        rows.setdefault(_row(kind, group, drawn), []).append(at)
    lead = _lead(shown, in_all)
    if lead:
        rows.setdefault((lead, 0), [])
    order = sorted(rows, key=lambda row: ((KNOWN, OTHERS, UNKNOWN, ABSENT).index(row[0]), row[1]))
    backs = set(_backs(groups))
    found = [_lane(at, row, [shown[number] for number in rows[row]], sum(number in backs for number in rows[row]), word)
             for at, row in enumerate(order)]
    periods = [Period(order.index((lead, 0)), None, None, shown[0]["since"], False, _LEADS[lead].format(word=word))] \
        if lead else []
    for at, (kind, group) in enumerate(zip(kinds, groups, strict=True)):
        lane = order.index(_row(kind, group, drawn))
        one = shown[at]
        periods.append(Period(lane, one["version"], one["since"], one["until"], at in backs,
                              _told(found[lane], one, at in backs)))
    return Lanes(tuple(found), tuple(periods), contents, len(backs), in_all - len(shown), contents - len(drawn), end)


def letter(at: int) -> str:
    """A, B, … Z, AA, AB, …"""
    return (letter(at // 26 - 1) if at >= 26 else "") + chr(65 + at % 26)


_LEADS = {UNKNOWN: "before the first event: {word} not known", ABSENT: "before the first event: not there"}


def _kind(version: dict) -> str:
    if version["state"] == "absent":
        return ABSENT
    known = version["data"] is not None if "data" in version else any(version[kind] for kind in HASHES)
    return KNOWN if known else UNKNOWN


def _groups(versions: Sequence[dict], kinds: Sequence[str]) -> Iterator[int | None]:
    """For each version the number of its content, in order of first appearance; None where it has none."""
    firsts: list[dict] = []
    told: dict[tuple, list[int]] = {}
    for version, kind in zip(versions, kinds, strict=True):
        if kind != KNOWN:
            yield None
            continue
        marks = [("data", version["data"])] if "data" in version else [(kind, version[kind]) for kind in HASHES if version[kind]]
        same = [number for mark in marks for number in told.get(mark, ()) if against(firsts[number], version) == "same"]
        number = min(same, default=len(firsts))
        if number == len(firsts):
            firsts.append(version)
        for mark in marks:
            if number not in told.setdefault(mark, []):
                told[mark].append(number)
        yield number


def _drawn(groups: Sequence[int | None], contents: int) -> dict[int, int]:
    """The contents with lanes of their own: those that were there most often, then the latest; numbered as they came."""
    often = Counter(group for group in groups if group is not None)
    chosen = sorted(range(contents), key=lambda group: (-often[group], -group))[:MOST_LANES]
    return {group: at for at, group in enumerate(sorted(chosen))}


def _row(kind: str, group: int | None, drawn: dict[int, int]) -> tuple[str, int]:
    if group is None:
        return kind, 0
    return (KNOWN, drawn[group]) if group in drawn else (OTHERS, 0)


def _lead(shown: Sequence[dict], in_all: int) -> str | None:
    """The lane of the time before the first version; None where that is an earlier version, or its begin is not known."""
    if not shown or in_all > len(shown) or shown[0]["since"] is None:
        return None
    return ABSENT if shown[0]["before"] == "absent" else UNKNOWN


def _backs(groups: Sequence[int | None]) -> Iterator[int]:
    """Where a content comes back after another one, or after nothing, was there."""
    seen: set[int] = set()
    for at, group in enumerate(groups):
        if group is not None and group in seen and groups[at - 1] != group:
            yield at
        if group is not None:
            seen.add(group)


def _lane(at: int, row: tuple[str, int], held: Sequence[dict], returns: int, word: str) -> Lane:
    kind = row[0]
    one = held[0] if kind == KNOWN else {}
    told = next((one[name] for name in HASHES if one.get(name)), None)
    label = _LABELS[kind].replace("contents", word + "s" if word == "content" else word) if kind != KNOWN else \
        told[:_FIGURES] if told else _short(one["data"])
    first, last = (held[0]["since"], held[-1]["until"]) if held else (None, None)
    return Lane(letter(at) if kind == KNOWN else "", kind, label, told, one.get("content_id"), one.get("size"),
                one.get("data_event"), len(held), first, last, returns)


def _short(data: str) -> str:
    return "(empty)" if data == "" else data if len(data) <= _LETTERS else \
        f"{data[:_LETTERS // 3]}…{data[len(data) - _LETTERS + _LETTERS // 3 + 1:]}"  # long data mostly differ at the end


def _told(lane: Lane, version: dict, back: bool) -> str:
    """What the picture says where one points at a period."""
    since = version["since"][:19].replace("T", " ") if version["since"] else "nobody knows when"
    until = f"until {version['until'][:19].replace('T', ' ')}" if version["until"] else "still so"
    return f"{lane.letter + ' ' if lane.letter else ''}{lane.label}, from {since}, {until}{'; back again' if back else ''}"
