"""Rules on who acts and what is acted on: collectors, hosts with two names, reused pids, false extensions, deleted logs.

Names of files and programs are looked at once each; one round over the events then meets those that matter. What is told for
orientation only (info) is told once a host.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from fimforensics.analyses.actors.acts import acts
from fimforensics.analyses.actors.names import reused_pids, two_names
from fimforensics.analyses.contract import Analysis, Finding, Progress, Rule

RULES = (
    Rule("actor is the collector itself", 1, "info", None,
         "Changes were made by the software that watches the machine and reports these events.",
         "It keeps its own files and settings; such changes can mostly be left aside."),
    Rule("host with two names", 1, "info", None,
         "One machine reports under two names, or two hosts of the case may be one machine.",
         "A machine was renamed, or sources spell its name short and in full."),
    Rule("reused pid", 1, "info", None,
         "One process id stood for several processes of a host, so that a pid alone does not name one.",
         "Systems give the ids of ended processes to new ones; this is always so."),
    Rule("content does not fit the extension", 1, "medium", "T1036.008",
         "The sensor says that a file is a program or script though its name ends like a document's, or the other way round.",
         "Some software keeps programs under names of its own, and sensors tell types by the first bytes."),
    Rule("log or history removed", 1, "medium", "T1070",
         "A log or command history was deleted or emptied, though not by what rotates logs or by its own service.",
         "Somebody made room on a full disk, or removed a program with its logs."),
)


def _run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
    """No table is filled; the findings are all there is."""
    yield from acts(db)
    progress("actors", 1, 2)
    yield from two_names(db)
    yield from reused_pids(db)


ANALYSIS = Analysis("actors", "Who acted, and on what", (), (), _run, RULES)
