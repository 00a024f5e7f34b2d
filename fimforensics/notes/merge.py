"""Two people's notes become one file: the entries that the one lacks are added to it, in their order, with where they came from.

Each entry keeps its speaker, its time and its own hash, so merging twice adds nothing, and a retraction still finds what it takes
back. Opinions that differ are not settled: both hold, and the pages and lists say that people differ.
"""

from __future__ import annotations

import json

from fimforensics.errors import Problem
from fimforensics.notes.book import Book


def merge(into: Book, other: Book) -> tuple[int, int]:
    """How many entries were added, and how many were there already; Problem where the other file is not whole."""
    if other.trouble:
        raise Problem(other.trouble, where=str(other.path), hint="Nothing was merged. Use another copy of it")
    known = {line.entry for line in into.lines}
    came = [(line.said, json.dumps({"notes": other.notes_id, "entry": line.id, "hash": line.hash, "before": line.merged},
                                   sort_keys=True)) for line in other.lines if line.entry not in known]
    if came:
        into.append(came)
    return len(came), len(other.lines) - len(came)
