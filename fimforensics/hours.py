"""Hours that a folder tree from Azure has no folder for: no rows came, or the export lost them; the tree cannot tell which.

Data export rules write `y=2026/m=09/d=30/h=02/m=05/`, export jobs `timestamp=2026-09-30T02` or `year=/month=/day=/hour=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

_FORMS = (
    re.compile(r"(?:^|/)y=(\d{4})/m=(\d{1,2})/d=(\d{1,2})/h=(\d{1,2})(?:/|$)"),
    re.compile(r"(?:^|/)year=(\d{4})/month=(\d{1,2})/day=(\d{1,2})/hour=(\d{1,2})(?:/|$)"),
    re.compile(r"(?:^|/)timestamp=(\d{4})-(\d{2})-(\d{2})T(\d{2})(?:/|$)"),
)


def hour(path: str) -> datetime | None:
    """The hour that a path's folders name, None where they name none."""
    for form in _FORMS:
        if told := form.search(path):
            try:
                return datetime(*map(int, told.groups()))  # type: ignore[arg-type]
            except ValueError:
                return None
    return None


def tree_of(path: str) -> str | None:
    """The folder under which an Azure export wrote this file by the hour; None where the path names no hour."""
    if hour(path) is None:
        return None
    return next(path[:told.start()] for form in _FORMS if (told := form.search(path)))


def missing(paths: Iterable[str]) -> str | None:
    """A sentence on the hours between the first and the last of a tree that have no folder; None where there are none."""
    hours = sorted({found for path in paths if (found := hour(path)) is not None})
    if not hours:
        return None
    lacking, gaps = 0, []
    for one, other in pairwise(hours):
        gap = (other - one) // timedelta(hours=1) - 1
        if gap:
            lacking += gap
            start, end = one + timedelta(hours=1), other - timedelta(hours=1)
            gaps.append(f"{start:%Y-%m-%dT%H}" + (f" to {end:%Y-%m-%dT%H}" if gap > 1 else ""))
    if not lacking:
        return None
    told = ", ".join(gaps[:3]) + (f" and {len(gaps) - 3} more gaps" if len(gaps) > 3 else "")
    return f"no folder for {lacking} of {lacking + len(hours)} hours, without rows or lost: {told}"
