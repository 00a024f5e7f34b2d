"""Instants as whole numbers of 100 ns since the year 1, as Kusto counts them: no digit of a bound is ever rounded."""

from __future__ import annotations

from datetime import datetime, timedelta

from fimforensics.model import Reading
from fimforensics.times import canonical

SECOND = 10_000_000
_FIRST = datetime(1, 1, 1)
STEPS = {"1d": 86_400 * SECOND, "1h": 3_600 * SECOND, "1m": 60 * SECOND, "1s": SECOND, "1ms": SECOND // 1000}


def ticks(text: str) -> int:
    """The instant that a time tells; UTC where it names no zone. ValueError for what is no time."""
    whole = canonical(text, None, Reading("UTC"))
    seconds = (datetime.fromisoformat(whole[:19]) - _FIRST) // timedelta(seconds=1)
    return seconds * SECOND + int(whole[20:27])


def iso(instant: int) -> str:
    """The instant as text with 7 figures after the point."""
    seconds, rest = divmod(instant, SECOND)
    return f"{(_FIRST + timedelta(seconds=seconds)).isoformat()}.{rest:07d}Z"
