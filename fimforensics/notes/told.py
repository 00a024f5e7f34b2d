"""What the entries of a notes file come to: for each subject its stars, tags, comments and dispositions, and who said them.

The order of entries is that of their times, so it does not matter in which order files were merged. Nothing is dropped: what was
taken back stays, marked so. A person's later disposition replaces that person's earlier one and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fimforensics.notes.entry import Entry


@dataclass(frozen=True)
class Said:
    """One thing that somebody said: its text ('' for a star); `retracted` by whom and when, if it was taken back."""

    entry: str
    time: str
    actor: str
    text: str
    retracted: tuple[str, str] | None = None


@dataclass(frozen=True)
class Told:
    """All that is said of one subject, in order of time. `dispositions` are those that hold, one for each person."""

    kind: str
    subject: str
    name: str
    first: str
    last: str
    stars: tuple[Said, ...]
    tags: tuple[Said, ...]
    comments: tuple[Said, ...]
    dispositions: tuple[Said, ...]
    earlier: tuple[Said, ...]  # dispositions that their own speakers replaced
    retracted: tuple[Said, ...]  # stars, tags and dispositions taken back; comments taken back stand among the comments

    @property
    def conflict(self) -> bool:
        """Do people hold different opinions?"""
        return len({said.text for said in self.dispositions}) > 1

    @property
    def standing(self) -> bool:
        """Is anything left that was not taken back?"""
        return bool(self.stars or self.tags or self.dispositions or any(not said.retracted for said in self.comments))

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Its tags, each once, in the alphabet."""
        return tuple(sorted({said.text for said in self.tags}))


Key = tuple[str, str]  # kind and subject


def told(entries: Iterable[tuple[str, Entry]]) -> dict[Key, Told]:
    """Every subject that entries (each with its hash) speak of, the one that was spoken of last first."""
    by_subject: dict[Key, list[tuple[str, Entry]]] = {}
    for hashed, entry in sorted(entries, key=lambda one: (one[1].time, one[0])):
        by_subject.setdefault((entry.kind, entry.subject), []).append((hashed, entry))
    found = {key: of_subject(said) for key, said in by_subject.items()}
    return dict(sorted(found.items(), key=lambda one: one[1].last, reverse=True))


def of_subject(entries: list[tuple[str, Entry]]) -> Told:
    """What entries on one subject, in order of time, come to. Only who said something can take it back."""
    speakers = {hashed: entry.actor for hashed, entry in entries}
    taken = {entry.target: (entry.actor, entry.time) for _, entry in reversed(entries)
             if entry.action == "retract" and entry.target and speakers.get(entry.target) == entry.actor}
    kept: dict[str, list[Said]] = {"star": [], "tag": [], "comment": [], "disposition": []}
    gone: list[Said] = []
    for hashed, entry in entries:
        if entry.action == "retract":
            continue
        said = Said(hashed, entry.time, entry.actor, entry.value or "", taken.get(hashed))
        (gone if said.retracted and entry.action != "comment" else kept[entry.action]).append(said)
    latest = {said.actor: said for said in kept["disposition"]}
    standing = tuple(latest.values())
    last = entries[-1][1]
    earlier = tuple(said for said in kept["disposition"] if said not in standing)
    return Told(last.kind, last.subject, last.name, entries[0][1].time, last.time, _once(kept["star"]), tuple(kept["tag"]),
                tuple(kept["comment"]), standing, earlier, tuple(gone))


def _once(stars: list[Said]) -> tuple[Said, ...]:
    """A person's star counts once."""
    return tuple({said.actor: said for said in reversed(stars)}.values())[::-1]
