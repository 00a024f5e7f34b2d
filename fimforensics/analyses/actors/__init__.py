"""Rules on who acts and what is acted on: collectors, hosts with two names, reused pids, false extensions, deleted logs.

Names of files and programs are looked at once each; one round over the events then meets those that matter. What is told for
orientation only (info) is told once a host.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from fimforensics.analyses.actors.acts import acts
from fimforensics.analyses.actors.names import reused_pids, two_names
from fimforensics.analyses.contract import Analysis, Finding, Progress
from fimforensics.queries.rules import rules_of

RULES = rules_of("actors")


def _run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
    """No table is filled; the findings are all there is."""
    yield from acts(db)
    progress("actors", 1, 2)
    yield from two_names(db)
    yield from reused_pids(db)


ANALYSIS = Analysis("actors", "Who acted, and on what", (), (), _run, RULES)
