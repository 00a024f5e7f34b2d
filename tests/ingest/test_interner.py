"""Ids of entities: the compiled memory gives the very ids, rows and labels that asking the case gives."""

from __future__ import annotations

from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics import interner, schema
from fimforensics.blocks import KINDS
from fimforensics.interner import ENTITIES, Interner
from fimforensics.native import native

TEXTS = st.sampled_from(["a", "A", "é", "", "b\0c", "x" * 70, "1"])
NUMBERS = st.sampled_from([0, 1, -1, 2**62, -(2**63)])


def _columns(kind: str) -> dict[str, tuple[str, bool]]:
    """What the case's table wants of each column: its type, and whether it may be unknown."""
    db = apsw.Connection(":memory:")
    db.execute(schema.ddl())
    return {name: (told, not needed) for _, name, told, needed, _, _ in db.execute(f"PRAGMA table_info({kind})")}


def _row(kind: str, known: dict[str, int]) -> st.SearchStrategy[tuple]:
    """A row of a kind whose references are local numbers that were told before."""
    columns, references, _, _ = ENTITIES[kind]
    wanted = _columns(kind)
    cells: list[st.SearchStrategy[Any]] = []
    for at, column in enumerate(columns):
        told, free = wanted[column]
        values: st.SearchStrategy[Any] = NUMBERS if told == "INTEGER" else TEXTS
        if at in references:
            values = st.integers(0, known[references[at]] - 1)
        cells.append(values | st.none() if free else values)
    return st.tuples(*cells)


@st.composite
def batches(draw: st.DrawFn) -> list[list[list[tuple]]]:
    """Batches as readings tell them: for each kind new rows, which may be the same as others under another number."""
    known = dict.fromkeys(KINDS, 0)
    told = []
    for turn in range(draw(st.integers(1, 3))):
        batch = []
        for kind in KINDS:
            rows = draw(st.lists(_row(kind, known), min_size=1 if turn == 0 else 0, max_size=6)) if all(
                known[other] for other in ENTITIES[kind][1].values()) else []
            known[kind] += len(rows)
            batch.append(rows)
        told.append(batch)
    return told


def _taken(told: list[list[list[tuple]]]) -> tuple:
    db = apsw.Connection(":memory:")
    db.execute(schema.ddl())
    interned = Interner(db)
    for batch in told:
        interned.take(batch)
    rows = {kind: db.execute(f"SELECT * FROM {kind} ORDER BY id").fetchall() for kind in KINDS}
    labels = db.execute("SELECT kind, entity, old FROM relabelled ORDER BY kind, entity, id").fetchall()
    return rows, {kind: list(ids) for kind, ids in interned.ids.items()}, {label[:2] for label in labels}


@pytest.mark.skipif(native is None, reason="nothing was compiled")
@settings(max_examples=40, deadline=None)
@given(batches())
def test_the_compiled_memory_gives_what_the_case_gives(told: list[list[list[tuple]]]) -> None:
    found = _taken(told)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(interner, "native", None)
        assert found == _taken(told)


@pytest.mark.skipif(native is None, reason="nothing was compiled")
def test_what_it_cannot_know_is_said() -> None:
    seen = native.Seen(bytes(32))  # type: ignore[union-attr]
    for wrong in (
        (0, [("k",)], (None, None), (0,), 1, 1),  # too few cells
        (0, [("k", 1.5)], (None, None), (), -1, 1),  # no text and no whole number
        (0, [("k", 2**64)], (None, None), (), -1, 1),
        (0, [(0, "n")], (bytes(0), None), (), -1, 1),  # a reference to nothing
        (0, [("k", "n")], (None, None), (2,), 1, 1),  # no such column
        (0, [("k", "n")], (None, None), (0,), 1, 2**32),  # no room for more
        (0, [("k", "\ud800")], (None, None), (), -1, 1),  # no text that could be stored
    ):
        with pytest.raises((ValueError, TypeError, OverflowError, IndexError)):
            seen.take(*wrong)
    with pytest.raises(ValueError, match="32 bytes"):
        native.Seen(b"short")  # type: ignore[union-attr]


def test_a_case_that_has_entities_is_asked_with_its_indexes() -> None:
    db = apsw.Connection(":memory:")
    db.execute(schema.ddl())
    first = Interner(db)
    first.take([[("k", "K")] if kind == "hosts" else [] for kind in KINDS])
    again = Interner(db)
    again.take([[("k", "A"), ("other", "other")] if kind == "hosts" else [] for kind in KINDS])
    assert list(again.ids["hosts"]) == [1, 2]
    assert db.execute("SELECT name FROM hosts ORDER BY id").fetchall() == [("A",), ("other",)]
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'files_key'").fetchone() == (1,)
