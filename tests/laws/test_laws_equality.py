"""The same changes are the same case: whatever the order of sources, of records, of batches, the shapes and the portions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.bench import FEW, Bench, bench, digest, rows
from tests.laws.drawn_tables import EVERYTHING, Row, several_tables, tables
from tests.laws.tables_as_shapes import FINE, PARTIAL, SHAPES, Shape, json_lines, rest_json


def written(at: Bench, named: list[tuple[Shape, list[Row]]]) -> list:
    """The tables as sources; one whose bytes are there already is left out."""
    held = {shape.write(table): shape.name for shape, table in named}
    return [at.source(f"{number} {name}", data) for number, (data, name) in enumerate(held.items())]


@FEW
@given(several_tables(bad=True), st.data())
def test_order_of_sources(made: list[list[Row]], data: st.DataObject) -> None:
    with bench() as at:
        sources = written(at, [(data.draw(st.sampled_from((*SHAPES, PARTIAL))), table) for table in made])
        one = digest(at.case(*sources))
        order = data.draw(st.permutations(sources))
        assert digest(at.case(*order))["case_digest"] == one["case_digest"]
        case = at.new()
        for source in reversed(order):
            at.case(source, at=case)
        assert digest(case)["case_digest"] == one["case_digest"]


@FEW
@given(several_tables(bad=True), st.data())
def test_order_of_declared_parts(made: list[list[Row]], data: st.DataObject) -> None:
    with bench() as at:
        sources = written(at, [(data.draw(st.sampled_from((*SHAPES, PARTIAL))), table) for table in made])
        one, other = (digest(at.case(*order, parts=True)) for order in (sources, data.draw(st.permutations(sources))))
        assert (one["events_digest"], one["case_digest"]) == (other["events_digest"], other["case_digest"])


@FEW
@given(several_tables(bad=True), st.data())
def test_size_of_batches_and_transactions(made: list[list[Row]], data: st.DataObject) -> None:
    with bench() as at:
        sources = written(at, [(data.draw(st.sampled_from((*SHAPES, PARTIAL))), table) for table in made])
        found = [digest(at.case(*sources, batch=size, commit=commit)) for size, commit in ((4096, 65536), (1, 1), (2, 4), (3, 2))]
        assert all(one == other for one, other in pairwise(found))


@FEW
@given(tables(bad=True), st.sampled_from(SHAPES), st.data())
def test_order_of_records(table: list[Row], shape: Shape, data: st.DataObject) -> None:
    with bench() as at:
        orders = [table, table[::-1], sorted(table, key=str), data.draw(st.permutations(table))]
        found = [
            digest(at.case(at.source(str(number), shape.write(order))))["events_digest"] for number, order in enumerate(orders)
        ]
        assert len(set(found)) == 1


@FEW
@given(tables(bad=True), st.lists(st.integers(1, 7), max_size=2), st.data())
def test_one_export_in_parts(table: list[Row], cuts: list[int], data: st.DataObject) -> None:
    ends = sorted({cut for cut in cuts if cut < len(table)})
    parts = [table[start:end] for start, end in zip([0, *ends], [*ends, None], strict=True)]
    with bench() as at:
        whole = at.case(at.source("whole", json_lines(table)))
        held = [(data.draw(st.sampled_from(FINE)).write(part)) for part in parts]
        sources = [at.source(f"part-{number}", piece) for number, piece in enumerate(held)]
        if len(set(held)) == len(held):  # the very same bytes are the same file, and never taken twice
            assert digest(at.case(*sources, parts=True))["events_digest"] == digest(whole)["events_digest"]
            for number, piece in enumerate(held):
                at.source(f"tree/y=2026/m=03/d=04/h=05/m=0{number}/PT05M.json", piece)
            assert digest(at.case(at.folder / "sources" / "tree"))["events_digest"] == digest(whole)["events_digest"]


@FEW
@given(tables(), st.sampled_from(FINE), st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3), st.data())
def test_one_table_in_several_shapes(table: list[Row], fine: Shape, others: list[Shape], data: st.DataObject) -> None:
    with bench() as at:
        alone = digest(at.case(at.source("alone", json_lines(table))))["events_digest"]
        sources = written(at, [(fine, table), *((shape, data.draw(st.permutations(table))) for shape in others)])
        assert digest(at.case(*data.draw(st.permutations(sources))))["events_digest"] == alone


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_each_shape_is_tried_on_one_table(shape: Shape) -> None:
    """So that each shape is looked at in every run, whatever is drawn above."""
    table = EVERYTHING
    with bench() as at:
        case = at.case(at.source("source", shape.write(table)))
        assert rows(case, "SELECT records, rejects, partial_columns FROM snapshots") == [(len(table), 0, 0)]
        fine = digest(at.case(at.source("fine", rest_json(table))))["events_digest"]
        assert (digest(case)["events_digest"] == fine) is shape.fine
        at.case(at.source("fine", rest_json(table)), at=case)
        assert digest(case)["events_digest"] == fine
