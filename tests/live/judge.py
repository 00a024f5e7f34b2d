"""The second judge: Microsoft's own KQL parser, run in node over all queries at once, with the workspace's tables declared.

The package `@kusto/language-service-next` (MIT) is no part of the project: `make` fetches it into `.node` where there is npm.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / ".node" / "node_modules" / "@kusto" / "language-service-next"


@dataclass(frozen=True)
class Verdict:
    """What the parser says of a query."""

    complaints: tuple[str, ...]
    literals: tuple[str, ...]  # the values of its string literals, in order
    columns: tuple[tuple[str, str], ...]  # of its answer: name, type


def missing() -> str | None:
    """Why the parser cannot be asked here, or None where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    return None if (PACKAGE / "package.json").exists() else "Microsoft's KQL parser is not in .node (`make` fetches it by npm)"


def needed() -> None:
    """Without the parser a test is skipped, and fails where CI=true."""
    reason = missing()
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def judge(queries: Sequence[str], tables: Mapping[str, Mapping[str, str]]) -> list[Verdict]:
    """A verdict on each query; `tables` are names → columns → types."""
    schemas = {name: "(" + ", ".join(f"['{column}']: {kind}" for column, kind in columns.items()) + ")"
               for name, columns in tables.items()}
    asked = json.dumps({"tables": schemas, "queries": list(queries)})
    ran = subprocess.run(["node", str(Path(__file__).with_name("judge.js")), str(PACKAGE)], input=asked.encode(),
                         capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    return [Verdict(tuple(one["complaints"]), tuple(one["literals"]), tuple((name, kind) for name, kind in one["columns"]))
            for one in json.loads(ran.stdout)]
