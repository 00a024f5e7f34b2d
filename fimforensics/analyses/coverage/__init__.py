"""Coverage: which host was reporting when, and what was changed while nobody could see it.

A host's silence is measured against its own rhythm, for a quiet host is not a silent one; what the rest of the fleet sent
meanwhile tells whether the collection as a whole had stopped. Times before 1980 and after 2100 are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from fimforensics.analyses.contract import Analysis, Finding, Progress
from fimforensics.analyses.coverage.hosts import hosts
from fimforensics.analyses.coverage.silences import found
from fimforensics.analyses.coverage.unseen import unseen
from fimforensics.queries.rules import rules_of

_DAYS = "INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?, ?)"
_SILENCES = "INSERT INTO silences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
    """Fills both tables; the findings are of changes under a silence."""
    seen = []
    for host, days in hosts(db, progress):
        db.cursor().executemany(_DAYS, days)
        seen.append(host)
    seen.sort(key=lambda host: host.key)
    silences = list(found(db, seen))
    db.cursor().executemany(_SILENCES, (silence.row(number) for number, silence in enumerate(silences, 1)))
    return unseen(db, silences)


ANALYSIS = Analysis(
    name="coverage",
    title="Which host was reporting when",
    tables=("coverage", "silences"),
    needs=("versions",),
    run=run,
    rules=rules_of("coverage"),
)
