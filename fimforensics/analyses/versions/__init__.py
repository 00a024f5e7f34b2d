"""Versions: for every file the chain of its contents, for every registry value that of its data.

The events of a host are told once in order of time, files and registry apart. What a place holds at the moment is its one open
row; what ends a row writes it. A row is written only when nothing can change it any more, so its id is known to the row after
it, and rows are only ever appended. What a host leaves open is written when its last event is told, and forgotten.
"""

from __future__ import annotations

from fimforensics.analyses.contract import Analysis
from fimforensics.analyses.versions.told import run

ANALYSIS = Analysis(
    name="versions",
    title="Every content of every file, every data of every registry value",
    tables=("file_versions", "registry_versions"),
    needs=(),
    run=run,
)
