"""The compiled module where it was built, is of these very sources and is not switched off (FIMFORENSICS_PURE); else None.

It makes ingest quicker and changes nothing else: for all that it does there is Python that does the same.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from fimforensics.native.compiling import sources, stamp


def load() -> ModuleType | None:
    """The compiled module, or None."""
    if os.environ.get("FIMFORENSICS_PURE"):
        return None
    try:
        found = importlib.import_module("fimforensics.native._native")
    except ImportError:
        return None
    return found if not sources() or stamp() == found.SOURCES else None


native = load()
