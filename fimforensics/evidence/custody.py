"""The custody log: who did what to the case, when, where and with what result, each entry chained to the one before.

An entry's hash is the SHA-256 of the JSON array of its cells, the previous entry's hash among them; the first is chained to
64 zeros. The clock is the machine's own; its offset from UTC is told beside.
"""

from __future__ import annotations

import getpass
import json
import platform
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fimforensics import __version__

CELLS = ("time", "local_offset", "actor", "machine", "action", "arguments", "purpose", "object", "result", "tool", "previous")
FIRST = "0" * 64


def now() -> str:
    """The time, UTC, to the microsecond."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def tool() -> str:
    """This program and what it runs on."""
    return f"fimforensics {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})"


def actor() -> str:
    """The account that runs this program, as the machine names it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name for this uid, as in bare containers
        return "unknown"


def add(connection: Any, action: str, arguments: dict[str, object], result: str, *, purpose: str | None = None,
        subject: str | None = None) -> None:
    """Adds an entry, chained to the last one."""
    last = connection.execute("SELECT hash FROM custody_log ORDER BY id DESC LIMIT 1").fetchone()
    told = cells(action, arguments, result, purpose, subject, last[0] if last else FIRST)
    marks = ", ".join("?" * (len(CELLS) + 1))
    connection.execute(f"INSERT INTO custody_log ({', '.join(CELLS)}, hash) VALUES ({marks})", (*told, entry_hash(told)))


def cells(action: str, arguments: dict[str, object], result: str, purpose: str | None, subject: str | None,
          previous: str) -> list[str | None]:
    """The cells of an entry made here and now, in the order of CELLS."""
    return [now(), datetime.now().astimezone().strftime("%z"), actor(), platform.node(), action,
            json.dumps(arguments, sort_keys=True, ensure_ascii=False), purpose, subject, result, tool(), previous]


def entry_hash(cells: list) -> str:
    """The hash of an entry's cells, in the order of CELLS."""
    return sha256(json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")).hexdigest()


def broken(connection: Any) -> int | None:
    """The id of the first entry that does not follow from the one before, None where the chain is whole."""
    previous = FIRST
    for number, hashed, *cells in connection.execute(f"SELECT id, hash, {', '.join(CELLS)} FROM custody_log ORDER BY id"):
        if cells[-1] != previous or entry_hash(cells) != hashed:
            return number
        previous = hashed
    return None
