"""What is said of a burst, and how loudly.

Medium is what is neither small, nor the work of installers, nor told by rows without an actor, as scans of a disk leave them
(what they report at once did not change at once). High is what ransomware leaves: most of the files with an ending
that the host never had, or a note in many folders beside a burst of changes. No installer's name calms that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice, takewhile

from fimforensics.analyses.bursts.burst import SAME_CONTENT, Burst
from fimforensics.analyses.bursts.minutes import minute
from fimforensics.analyses.bursts.usual import NONE, OTHERS
from fimforensics.analyses.contract import Finding
from fimforensics.paths import extension

RULE = "burst"
SMALL = 20  # paths; fewer are no medium finding
MARKED, MOST_OF_THEM, INSTALLED = 8, 0.5, 0.8
BEFORE, AFTER = 2, 10  # minutes around a burst in which a note belongs to it
WIDE = 10  # folders; a note in fewer is told with its burst only
NOTES = frozenset("txt html htm hta rtf url md pdf bmp png jpg".split())  # what people are meant to read


def sentence(burst: Burst, host: str, others: int, hosts: int) -> str:
    """One plain sentence; `others` are the other hosts with the same change set."""
    by = _by(burst)
    if burst.note:
        what = "the same content" if burst.kind == SAME_CONTENT else "a new file of the same name"
        named = f" as {burst.name}" if burst.name else ""
        return f"{host}: {what} came{named} into {burst.folders:,} folders within {_within(burst)}{by}."
    marked = f", {burst.marked:,} of them given the new ending .{burst.ending}" if _marked(burst) else \
        f", {burst.renames:,} renames among it" if burst.renames >= burst.paths / 2 else ""
    return (f"{host}: {_many(burst.paths, 'file')} in {_many(burst.folders, 'folder')} within {_within(burst)}{marked}{by}; "
            f"{_usually(burst)}{_wave(burst, others, hosts)}.")


def finding(burst: Burst, host: str, others: int, hosts: int, notes: Sequence[Burst]) -> Finding | None:
    """The finding of a burst with the note that came beside it (`notes` are the host's, in order of time).

    None for a note alone that is not wide, or that installers and programs may leave, and for what an installer did on several
    hosts alike: the table of bursts holds it with its sentence, but nobody has to look there.
    """
    told = sentence(burst, host, others, hosts)
    if burst.note:
        if burst.installed >= INSTALLED or burst.folders < WIDE or not _readable(burst):
            return None
        return Finding(RULE, told, burst.sample, "low", burst.host, None, None, burst.process, burst.account, burst.content)
    note = _beside(burst, notes)
    if note is None:
        severity = _severity(burst, others)
        return None if severity is None else Finding(RULE, told, burst.sample, severity, burst.host, None, None, burst.process,
                                                     burst.account)
    told = f"{told[:-1]}; {note.name} came into {note.folders:,} folders with it."
    return Finding(RULE, told, _together(burst, note), "high", burst.host, None, None, burst.process, burst.account, note.content)


def _together(burst: Burst, note: Burst) -> tuple[int, ...]:
    """The events of both, in order of time but for those of the note amid the burst's."""
    before = (note.first,) if note.since < burst.since else ()
    amid = (note.first,) if burst.since <= note.since <= burst.until else ()
    return (*before, *burst.sample[:-1], *amid, burst.last, *((note.last,) if note.until > burst.until else ()))


def _severity(burst: Burst, others: int) -> str | None:
    if _marked(burst):
        return "high"
    if burst.installed >= INSTALLED:
        return None if others else "low"
    if not burst.program:
        return "low"
    return "medium" if burst.paths >= SMALL else "low"


def _marked(burst: Burst) -> bool:
    return burst.marked >= MARKED and burst.marked >= MOST_OF_THEM * burst.paths


def _readable(note: Burst) -> bool:
    """Is it one name everywhere, of a kind that people are meant to read?"""
    return bool(note.name) and extension(note.name) in NOTES


def _beside(burst: Burst, notes: Sequence[Burst]) -> Burst | None:
    """The widest note that came with the burst, by the same program, where the burst changed what was there before."""
    if burst.existing < MOST_OF_THEM * burst.paths:
        return None
    begin, end = minute(burst.since) - BEFORE, minute(burst.until) + AFTER
    first = bisect_left(notes, begin, key=lambda one: minute(one.since))
    near = [one for one in takewhile(lambda one: minute(one.since) <= end, islice(notes, first, None))
            if _readable(one) and one.program == burst.program and one.installed < INSTALLED]
    return max(near, key=lambda one: (one.folders, one.name), default=None)


def _within(burst: Burst) -> str:
    minutes = minute(burst.until) - minute(burst.since) + 1
    return "one minute" if minutes == 1 else f"{minutes:,} minutes"


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"


def _by(burst: Burst) -> str:
    if not burst.program:
        return ", no event names who did it"
    person = f" ({burst.person})" if burst.person else ""
    return f", {'mostly ' if burst.share < 0.95 else ''}by {burst.program}{person}"


def _usually(burst: Burst) -> str:
    if not burst.program:
        return "if a scan of the disk found them, they changed at some time since the scan before"
    usual = f"{_many(round(burst.usual), 'file')} a minute"
    if burst.history == NONE:
        return "there is no history to compare it with"
    if burst.history == OTHERS:
        return f"this host has no history of its own, others usually change {usual}"
    return f"this host usually changes {usual} when it changes any"


def _wave(burst: Burst, others: int, hosts: int) -> str:
    if burst.installed >= INSTALLED:
        if others:
            return f"; an installer did it, and the same files changed on {others + 1:,} of {hosts:,} hosts: as patches do"
        return "; an installer did it"
    return f"; the same files changed on {others + 1:,} of {hosts:,} hosts within days" if others else ""
