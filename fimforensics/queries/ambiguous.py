"""A name that several things of a case bear: the Problem that says so, and which things they are."""

from __future__ import annotations

from collections.abc import Iterable

from fimforensics.errors import Problem


class Ambiguous(Problem):
    """Several things bear the name; `found` are their kinds and numbers, by kind and name, at most a few thousand."""

    def __init__(self, what: str, listed: Iterable[tuple[str, str, int]], *, hint: str) -> None:
        super().__init__(what, hint=hint)
        self.found = tuple((kind, number) for kind, _, number in listed)
