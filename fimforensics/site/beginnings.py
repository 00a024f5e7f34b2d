"""Where to begin: what a page that is asked for nothing offers to somebody who knows no name of the case yet."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from fimforensics.queries.findings_listed import Chosen, counted, listed

MOST = 6


@dataclass(frozen=True)
class Beginning:
    """A finding, and the thing it names by which it is followed, as an address writes it."""

    finding: int
    severity: str
    sentence: str
    of: str


def beginnings(connection: sqlite3.Connection) -> tuple[Beginning, ...]:
    """The gravest findings that name a thing that can be followed: a process before a file, a value, a content, an account."""
    of_severity: dict[str, int] = {}
    for (severity, _), number in counted(connection, Chosen()).items():
        of_severity[severity] = of_severity.get(severity, 0) + number
    found = []
    for one in listed(connection, Chosen(), of_severity, MOST):
        named = (("process", one.process_id), ("file", one.file_id), ("value", one.registry_value_id),
                 ("content", one.content_id), ("account", one.account_id))
        if of := next((f"{kind}#{number}" for kind, number in named if number is not None), None):
            found.append(Beginning(one.id, one.severity, one.sentence, of))
    return tuple(found)
