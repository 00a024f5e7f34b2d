"""The plan of the house, which tests/test_house.py holds: floors, shelves, who may write, how long things may grow."""

from __future__ import annotations

# A module or package of fimforensics → its floor; the longest name that fits counts. Imports go to lower floors only.
FLOORS = {
    "": 1, "errors": 1, "model": 1, "text": 1, "times": 1, "paths": 1, "hours": 1, "schema": 1, "sql": 1, "arrivals": 1,
    "places": 1, "programs": 1, "native": 1, "readonly": 1, "opening": 2, "blame": 2,
    "shapes": 2, "tables": 2, "exports": 2, "evidence": 2, "evidence.raw": 2, "queries": 2, "task": 2, "cells": 2,
    "blocks": 2, "rows": 2, "stretches": 2, "segments": 2, "swift": 2, "months": 2, "interner": 2, "store": 2,
    "case": 3, "lanes": 3, "reading": 3, "pipeline": 3, "stream": 3, "sources": 3, "derived": 3, "settle": 3, "snapshot": 3,
    "ingest": 3,
    "replay": 3, "graph": 3, "notes": 3, "passwords": 3, "site": 3, "seal": 3,
    "working": 3, "parts": 3,
    "certify": 4, "evidence.verify": 4, "analyses": 4, "analyze": 4, "detections": 4, "reports": 4, "live": 4, "serve": 4,
    "cli": 5, "__main__": 6,
}
PLUGINS = "datasette_plugins"
PLUGIN_FLOOR = 4
# Who may lean on a neighbour of the same floor.
BESIDE: dict[str, set[str]] = {
    "places": {"paths"}, "programs": {"places", "paths"}, "arrivals": {"programs"},
    "times": {"errors", "model"}, "schema": {"model"}, "evidence.raw": {"shapes"}, "queries": {"evidence"},
    "task": {"cells", "evidence", "tables"}, "interner": {"blocks"}, "store": {"interner", "blocks", "rows"},
    "reading": {"lanes"}, "pipeline": {"reading"},
    "blocks": {"cells", "tables"}, "rows": {"blocks", "cells"}, "stretches": {"rows", "blocks"},
    "segments": {"stretches", "rows", "blocks", "cells"},
    "months": {"tables"}, "swift": {"segments", "stretches", "rows", "blocks", "evidence"},
    "stream": {"pipeline"}, "sources": {"pipeline"}, "settle": {"reading"},
    "snapshot": {"sources", "settle", "derived"}, "ingest": {"case", "sources", "snapshot", "stream", "pipeline", "derived"},
    "seal": {"case"}, "replay": {"case", "ingest", "reading", "settle", "derived"}, "analyze": {"analyses"},
    "evidence.verify": {"analyses", "analyze"}, "site": {"notes", "passwords"},
    "certify": {"evidence.verify"}, "working": {"case"}, "parts": {"case", "settle", "derived", "seal"},
}
# Shelves: members know nothing of each other; only these helpers are for all of them.
SHELVES: dict[str, set[str]] = {
    "shapes": {"strict_json", "json_look", "lines", "window", "headers", "rendering", "containers", "transcode", "answers"},
    "tables": {"table", "synonyms", "xdr"}, "analyses": {"contract"}, "detections": set(),
    "exports": {"contract"}, "reports": set(),
}
WRITERS = {"case", "store", "pipeline", "snapshot", "settle", "derived", "ingest", "replay", "analyze", "seal", "working",
           "parts"}
# ↑ a page writes nothing
MAX_FILE, MAX_FUNCTION = 300, 40
LONG_FILES: dict[str, int] = {  # path → the lines it may have, with the reason beside it
    "docs/verify.py": 480,  # one file by design: whoever checks us carries nothing else
}
LONG_FUNCTIONS: dict[str, int] = {}  # path:function → likewise
