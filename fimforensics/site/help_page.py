"""Help: what the pages are for, what their words and signs mean, which keys there are; and the steps of the tour.

The tour on a case's page and this page say the same sentences, so that who has no JavaScript misses nothing.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from fimforensics.site.twins import Asked

# What a step tells of (a selector on a case's page, its first match), its heading, its sentence.
TOUR: tuple[tuple[str, str, str], ...] = (
    ("main h1 ~ .lead", "What this is",
     "How many events on how many hosts, from when to when, out of which exports. Each number leads to its rows. Notices in "
     "red above or below it say what may be missing."),
    ('section[aria-labelledby^="coverage-"]', "Could it have been seen?",
     "One line a host, one cell a day; darker is more events. A red bar is a silence: what happened then, nobody saw. No "
     "event is not no change."),
    ('section[aria-labelledby^="findings-"]', "Where to look first",
     "What rules found, the gravest first, each with its innocent explanation. A finding is an opinion and leads to the "
     "events it stands on."),
    ("figure[data-chart]", "When",
     "Drag over the bars, or move the two handles, to choose a time; the button shows its events."),
    ('nav[aria-label="Main"]', "Follow it",
     "Every file, process, account, hash and host has a page. On each of them, Trace tells what led to it and what came of "
     "it, and Explore opens the graph step by step. The address of a picture is all of it."),
    ("form.find", "Find it",
     "A path, a name, an account, an address, the beginning of a hash, or an event's number; all cases at once."),
    ("footer", "Trust it",
     "Nothing on these pages changes the case. Times are UTC; here you can have them shown in another zone. Hidden "
     "characters in evidence are written out. Evidence tells how to verify all of it."),
)
WORDS: tuple[tuple[str, str], ...] = (
    ("event",
     "one change of one file or registry value, at one time, on one host. An event found in two exports is one event with "
     "two occurrences."),
    ("version",
     "a period in which a file had one content, or a value one data. Hatched or “not known”: nobody reported it."),
    ("content",
     "what a file held, told by its hashes; the same content elsewhere is a link between hosts."),
    ("process",
     "one running program: host, pid and when it started. Weakly identified: its records lack one of these."),
    ("became",
     "a file with this content later ran as this process."),
    ("acted through",
     "an account or address for whom, over the network, a process acted."),
    ("finding",
     "what a rule says should be looked at; high, medium, low, info. An opinion, never evidence."),
    ("coverage",
     "when a host was reporting. A silence is longer without any event than is usual for it."),
    ("at once, in a chain",
     "how a content came to hosts: within minutes everywhere, as deployments do, or one after the other."),
    ("stale",
     "an analysis is older than the evidence; fimforensics analyze brings it up to date."),
    ("probably not the whole",
     "an export ends exactly at a cap, or its service said so."),
)
KEYS: tuple[tuple[str, str, str], ...] = (
    ("every page", "Tab, Shift+Tab",
     "to the next link or field; the first one skips to the content"),
    ("a trace", "+ − 0 s",
     "larger, smaller, the whole, the start"),
    ("the explorer", "arrows, Enter",
     "to the nearest thing in that direction, choose it"),
    ("the explorer", "e p w x",
     "expand or collapse, pin, one end of a way, leave out"),
    ("a slider", "arrows, Home, End",
     "to the next time, the first, the last"),
    ("where notes are kept", "s t c d n",
     "star or take it away, tag, comment, disposition of what the page is about; all notes; switched off in “Keys” below the "
     "forms"),
    ("the tour", "arrows, Escape",
     "next and back, end"),
)


@dataclass(frozen=True)
class HelpPage:
    """Everything the page tells."""

    tour: tuple[tuple[str, str, str], ...]
    words: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str, str], ...]


def ask(connection: sqlite3.Connection, asked: Asked) -> HelpPage:
    """The page; the same for every case."""
    return HelpPage(TOUR, WORDS, KEYS)


def tour() -> str:
    """The steps for the script."""
    return json.dumps(TOUR)
