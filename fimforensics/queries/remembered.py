"""Answers that look at whole tables, remembered as long as the case's evidence, snapshots and analyses stay as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer")
MOST = 64  # answers; the oldest is forgotten
_KNOWN: dict[tuple[str, str], Any] = {}
_STATE = ("SELECT * FROM case_info", "SELECT name, evidence_digest, finished FROM analyses ORDER BY name",
          "SELECT * FROM snapshots ORDER BY id", "SELECT max(id) FROM custody_log")


def remembered(connection: sqlite3.Connection, name: str, ask: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """What `ask` answers, asked once; `name` is of the question with all that it depends on. Who gets it must not change it."""
    state = _state(connection)
    if state is None:
        return ask(connection)
    if (name, state) not in _KNOWN:
        answer = ask(connection)
        while len(_KNOWN) >= MOST:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[name, state] = answer
    return _KNOWN[name, state]  # type: ignore[no-any-return]


def _state(connection: sqlite3.Connection) -> str | None:
    """A text that differs where anything differs that an answer rests on; None for a case without digest of its evidence."""
    if connection.execute("SELECT evidence_digest FROM case_info").fetchone()[0] is None:
        return None
    return repr([tuple(row) for sql in _STATE for row in connection.execute(sql)])
