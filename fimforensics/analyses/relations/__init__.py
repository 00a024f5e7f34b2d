"""The graph of what happened, rolled up: who ran, changed, held and became what, how often, first and last (`relations`).

Words: account `ran` process; process (or account, where no process is known) `created`, `modified`, `renamed`, `deleted` or
`set` file or registry value; file `had` content; file `became` process; request account or address `acted through` process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import apsw

from fimforensics.analyses.contract import Analysis, Finding, Progress
from fimforensics.analyses.relations import became, ran, rolled, scripts


def run(db: apsw.Connection, progress: Progress) -> Iterable[Finding]:
    """Fills `relations`; its findings come when the indexes are there."""
    steps = (rolled.ran, rolled.changed, rolled.had, became.became, rolled.acted)
    for done, step in enumerate(steps):
        progress("relations", done, len(steps))
        step(db)
    return _findings(db)


def _findings(db: apsw.Connection) -> Iterator[Finding]:
    yield from ran.findings(db)
    yield from scripts.findings(db)


ANALYSIS = Analysis("relations", "Who ran, changed, held and became what", ("relations",), ("versions",), run,
                    (ran.RAN, scripts.SCRIPT))
