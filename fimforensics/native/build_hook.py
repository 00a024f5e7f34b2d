"""The part of hatchling's build that compiles the native module: in place for an editable install, else into the wheel.

Without a C compiler, or with FIMFORENSICS_PURE set, the wheel is as pure as ever.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_spec = importlib.util.spec_from_file_location("compiling", Path(__file__).with_name("compiling.py"))
assert _spec is not None and _spec.loader is not None
compiling = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(compiling)


class NativeHook(BuildHookInterface):
    """Adds the compiled module to what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs; `version` is "editable" or "standard"."""
        if self.target_name != "wheel" or os.environ.get("FIMFORENSICS_PURE"):
            return
        editable = version == "editable"
        self.folder = tempfile.TemporaryDirectory()
        made = compiling.compile_into(compiling.HERE if editable else Path(self.folder.name))
        if made is not None and not editable:
            build_data["force_include"][str(made)] = f"fimforensics/native/{made.name}"
        if made is not None:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when all is packed."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
