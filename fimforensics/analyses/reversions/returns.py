"""Contents that come back: A, something else, A again, read off the versions of one file or registry value after the other.

Nothing is said across a version of unknown content, nor where two contents have no kind of hash in common: only what is known to
be equal came back, and only what is known to differ was in between. An absence counts as something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

FLAPPING = 3  # so many returns to one content are a habit
KEPT = 20_000  # contents of one entity that are remembered; the oldest are forgotten
REWRITTEN = 60.0  # seconds in which one process that deletes and makes a file again has only written it


class Version(NamedTuple):
    """A version of a file or value; `hashes` tell its content by kind, all None where it is unknown or there is none.

    `event` is the one it begins with, or the one that told of it. An `empty` content never counts as one that came back. What
    no event tells of begins `unseen`, after `time`, and is known at `known`; of all others these are one.
    """

    entity: int
    absent: bool
    hashes: tuple[str | None, ...]
    content: int | None
    time: str
    event: int
    process: int | None
    account: int | None
    empty: bool = False
    unseen: bool = False
    known: str = ""


@dataclass(frozen=True)
class Return:
    """A content was left by `away` and was there again by `back`; `count` times in all, `dwell` seconds away on average.

    `origin` is the version that had it before.
    """

    origin: Version
    away: Version
    back: Version
    count: int
    dwell: float
    flapping: bool


def between(away: Version, back: Version) -> float:
    """Seconds between the loss of a content and its return, as far as known."""
    return seconds(back.known or back.time) - seconds(away.time)


def seconds(time: str) -> float:
    """A time of the case in seconds, for differences."""
    return datetime.fromisoformat(time[:26]).replace(tzinfo=UTC).timestamp()


def returns(versions: Iterable[Version]) -> Iterator[Return]:
    """The returns of every entity; `versions` come entity by entity, in order of time. A flapping entity gives one."""
    for _, life in groupby(versions, key=attrgetter("entity")):
        tally = _Tally()
        for pair in _pairs(life):
            tally.add(*pair)
        yield from tally.returns()


def _pairs(life: Iterable[Version]) -> Iterator[tuple[Version, Version, Version, str]]:
    """Each return of one entity: who had the content, who took its place, who brought it back, and the content."""
    left: dict[str, tuple[Version, Version]] = {}  # content → the version that had it, and the one that took its place
    kind, last, before = 0, "", None
    for version in life:
        if version.absent:
            key = ""
        elif version.hashes[kind] is not None:
            key = version.hashes[kind] or ""
        else:
            other = next((at for at, one in enumerate(version.hashes) if one is not None), None)
            left, last, key = {}, "", ""
            if other is None:
                continue
            kind, key = other, version.hashes[other] or ""
        if before is not None and last and last != key:
            left.pop(last, None)
            left[last] = (before, version)
            if len(left) > KEPT:
                del left[next(iter(left))]
        if key and key != last and key in left:
            origin, away = left.pop(key)
            if not version.empty and not _only_written(away, version):
                yield origin, away, version, key
        if key != last:
            last, before = key, version


def _only_written(away: Version, back: Version) -> bool:
    return away.absent and away.process is not None and away.process == back.process and (
        between(away, back) <= REWRITTEN)


class _Tally:
    """The returns of one entity, counted by content; only so many are kept as a list may show."""

    def __init__(self) -> None:
        self.first: list[tuple[Version, Version, Version, str]] = []
        self.told: dict[str, tuple[int, float, Version, Version]] = {}  # times, seconds together, first away, last back

    def add(self, origin: Version, away: Version, back: Version, key: str) -> None:
        """One more return."""
        if len(self.first) < 2 * FLAPPING * FLAPPING:
            self.first.append((origin, away, back, key))
        count, together, first, _ = self.told.get(key, (0, 0.0, away, back))
        self.told[key] = (count + 1, together + between(away, back), first, back)
        if len(self.told) > KEPT:
            for old in list(islice(self.told, KEPT // 2)):
                del self.told[old]

    def returns(self) -> Iterator[Return]:
        """One for the content it came back to most often, where that is a habit; else each."""
        most = max(self.told.values(), key=lambda told: told[0], default=None)
        if most and (most[0] >= FLAPPING or len(self.first) >= 2 * FLAPPING * FLAPPING):
            count, together, away, back = most
            yield Return(away, away, back, count, together / count, True)
            return
        for origin, away, back, key in self.first:
            yield Return(origin, away, back, self.told[key][0], between(away, back), False)
