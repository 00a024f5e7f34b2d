"""Where a rendered record's numbers end: 64 bits with a sign, whatever else is in the row."""

from __future__ import annotations

import pytest

from fimforensics.shapes.rendering import rendered


@pytest.mark.parametrize("other", [None, "x", 1.5, True])
@pytest.mark.parametrize(("number", "problem"), [
    (2**63 - 1, None), (-2**63, None), (2**63, "an integer beyond 64 bits in b"), (-2**63 - 1, "an integer beyond 64 bits in b"),
    (2**64, "an integer beyond 64 bits in b"),
])
def test_integers(other: object, number: int, problem: str | None) -> None:
    record = rendered(3, {"a": other, "b": number})
    assert (record.problem, record.values) == (problem, None if problem else {"a": "1.5" if other == 1.5 else other, "b": number})
