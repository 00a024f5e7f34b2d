"""Moments as people write them: `2026-10-12`, `2026-10-12T08:00+02:00`, or `-14d` counted from the newest event of the case.

Never from the clock of the machine: a case is looked at years later, on a laptop whose clock tells nothing of it.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime, timedelta

from fimforensics.errors import Misuse, Problem
from fimforensics.model import Reading
from fimforensics.times import canonical

EARLIEST, LATEST = "1980", "2101"  # what lies outside is kept as evidence, and measures nothing
HINT = "Write it as 2026-09-30, 2026-09-30T02:14:00Z, or -14d, -6h, -30m before the newest event"
_BACK = re.compile(r"-([0-9]{1,7})([wdhms])").fullmatch
_MINUTE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2})(Z|[+-][0-9:]+|)").fullmatch
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def newest(connection: sqlite3.Connection) -> str | None:
    """The time of the newest event whose time is not odd; None where there is none."""
    row = connection.execute("SELECT time FROM events WHERE time >= ? AND time < ? AND id < (SELECT events_end FROM case_info) "
                             "ORDER BY time DESC LIMIT 1", (EARLIEST, LATEST)).fetchone()
    return row[0] if row else None


def moment(connection: sqlite3.Connection, text: str, option: str) -> str:
    """The moment as a case writes times (UTC, 28 characters); Misuse names the option.

    A date is its first instant. Without an offset it is UTC.
    """
    if told := _BACK(text):
        return _before(connection, timedelta(**{_UNITS[told[2]]: int(told[1])}), text, option)
    text = text.removesuffix(" UTC")
    whole = text + "T00:00:00" if len(text) == 10 else f"{told[1]}:00{told[2]}" if (told := _MINUTE(text)) else text
    try:
        return canonical(whole, None, Reading("UTC", None))
    except ValueError:
        raise Misuse(f"{option}: not a time: {text!r}", hint=HINT) from None


def _before(connection: sqlite3.Connection, span: timedelta, text: str, option: str) -> str:
    last = newest(connection)
    if last is None:
        raise Problem(f"{option} {text}: the case has no event to count from")
    try:
        return (datetime.fromisoformat(last[:19]) - span).isoformat() + last[19:]
    except OverflowError:
        raise Misuse(f"{option}: {text} is before the year 1", hint=HINT) from None
