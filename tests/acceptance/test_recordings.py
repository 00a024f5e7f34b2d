"""Real recordings through the whole ingest: the same events from every shape, and the facts that a second program found."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from fimforensics import case as cases
from fimforensics.model import COLUMNS, TIME
from tests.acceptance.recorded import (
    DATASETS,
    FLEET,
    FLEET_ROWS,
    PORTAL,
    ROWS,
    UAC,
    emptied,
    run,
    sorted_rows,
    told,
    truth,
    view_rows,
)

duckdb = pytest.importorskip("duckdb")

# ---- the same events from every shape (must show 2)


@pytest.mark.parametrize("name", UAC)
def test_each_shape_alone_gives_the_same_events_field_by_field(shelf, recordings, name) -> None:
    case, expected = shelf.case(name), truth(recordings, UAC[0])
    assert len(expected) == ROWS and len(set(sorted_rows(expected))) == 827
    found = view_rows(case)
    assert tuple(found[0]) == tuple(COLUMNS)
    if name == PORTAL:  # CSV has one way to write nothing, so that 8 values set to '' are not proven
        assert sum(row["NewValueData"] == "" for row in expected) == 8
        expected = emptied(expected)
    assert sorted_rows(found) == sorted_rows(expected)


@pytest.mark.parametrize("name", UAC[1:])
def test_events_prints_the_same_for_each_shape(shelf, name) -> None:
    def printed(case: Path) -> list[dict]:
        rows = told("events", case, "--json", "--limit", 10 * ROWS)
        return [{column: value for column, value in row.items() if column != "id"} for row in rows]

    one, other = printed(shelf.case(UAC[0])), printed(shelf.case(name))
    assert len(one) == ROWS and all(row["snapshots"] == [1] for row in one)
    if name == PORTAL:
        one = emptied(one)
    assert other == one


def test_the_portal_csv_alone_is_refused_for_its_dates(recordings, tmp_path) -> None:
    result = run("ingest", tmp_path / "case.db", recordings / PORTAL)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1 and PORTAL in result.stderr and "--date-order mdy" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_others_of_the_command_are_taken(recordings, tmp_path) -> None:
    result = run("ingest", tmp_path / "case.db", *(recordings / name for name in UAC), "--json")
    assert result.exit_code == 1 and len(result.stderr.splitlines()) == 1 and PORTAL in result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["source"] for row in rows] == list(UAC[:-1])
    assert [(row["records"], row["events"], row["known"], row["rejects"]) for row in rows] == [
        (ROWS, ROWS, 0, 0),
        *[(ROWS, 0, ROWS, 0)] * 4,
    ]
    later = told("ingest", tmp_path / "case.db", recordings / PORTAL, "--date-order", "mdy", "--json")
    assert [(row["id"], row["events"], row["known"]) for row in later] == [(6, 0, ROWS)]


ORDERS = (UAC, UAC[::-1], (*UAC[3:], *UAC[:3]), (UAC[2], UAC[5], UAC[0], UAC[4], UAC[1], UAC[3]))


def digests(case: Path) -> dict[str, str]:
    info = told("info", case, "--json", "--digest")[0]
    return {name: info[name] for name in ("events_digest", "case_digest")}


@pytest.mark.parametrize("order", ORDERS)
def test_all_six_in_one_case_give_the_events_once(shelf, recordings, order) -> None:
    case = shelf.case(*order)
    rows = told("events", case, "--json", "--limit", 10 * ROWS)
    assert len(rows) == ROWS and all(row["snapshots"] == [1, 2, 3, 4, 5, 6] for row in rows)
    assert sorted_rows(view_rows(case)) == sorted_rows(truth(recordings, UAC[0]))
    assert digests(case) == digests(shelf.case(*ORDERS[0]))
    with closing(cases.open_read(case)) as connection:
        told_of = Counter(row[0] for row in connection.execute("SELECT event_id FROM occurrences"))
    assert set(told_of.values()) == {6} and len(told_of) == ROWS


def test_a_case_of_all_shapes_tells_the_events_of_the_finest(shelf) -> None:
    assert digests(shelf.case(*UAC))["events_digest"] == digests(shelf.case(UAC[0]))["events_digest"]
    assert digests(shelf.case(*UAC))["events_digest"] != digests(shelf.case(PORTAL))["events_digest"]


def test_the_same_bytes_again_are_there_already(shelf, recordings) -> None:
    case = shelf.case(*UAC)
    before = digests(case)
    again = told("ingest", case, *(recordings / name for name in UAC), "--date-order", "mdy", "--json")
    assert [(row["id"], row["already"]) for row in again] == [(number, True) for number in range(1, 7)]
    assert digests(case) == before


# ---- facts that a second program found (must show 3)


def in_duckdb(rows: list[dict]):
    """A connection with the rows as table t, its datetime columns cast to TIMESTAMP."""
    pyarrow = pytest.importorskip("pyarrow")
    kinds = {name: pyarrow.int64() if kind == "long" else pyarrow.string() for name, kind in COLUMNS.items()}
    held = pyarrow.table({name: pyarrow.array([row[name] for row in rows], kind) for name, kind in kinds.items()})
    connection = duckdb.connect()
    connection.register("held", held)
    shown = ", ".join(
        f'CAST("{name}" AS TIMESTAMP) AS "{name}"' if kind == TIME else f'"{name}"' for name, kind in COLUMNS.items()
    )
    connection.execute(f"CREATE TABLE t AS SELECT {shown} FROM held")
    return connection


def as_answer(found: list[tuple], answer: object) -> object:
    """A result in the form in which the answer is written: a number or text, one row, or name -> count."""
    if isinstance(answer, dict):
        assert len(dict(found)) == len(found)
        return dict(found)
    assert found
    return list(found[0]) if isinstance(answer, list) else found[0][0]


@pytest.mark.parametrize(
    ("dataset", "names"),
    [*((name, (f"{name}.ndjson.gz",)) for name in DATASETS), (DATASETS[0], UAC)],
    ids=[*DATASETS, f"{DATASETS[0]} in six shapes"],
)
def test_facts(shelf, recordings, dataset, names) -> None:
    facts = [fact for fact in json.loads((recordings / "answers.json").read_text("utf-8")) if fact["dataset"] == dataset]
    assert len(facts) >= 9
    with closing(in_duckdb(view_rows(shelf.case(*names)))) as connection:
        found = {fact["id"]: as_answer(connection.execute(fact["sql"]).fetchall(), fact["answer"]) for fact in facts}
    assert found == {fact["id"]: fact["answer"] for fact in facts}


def test_every_dataset_of_facts_is_asked(recordings) -> None:
    assert {fact["dataset"] for fact in json.loads((recordings / "answers.json").read_text("utf-8"))} == set(DATASETS)


@pytest.mark.parametrize("name", ["sec4657_oldvalues.ndjson.gz", "proxylogon_exchange.ndjson.gz", FLEET[0]])
def test_the_view_shows_every_cell_of_a_recording(shelf, recordings, name) -> None:
    assert sorted_rows(view_rows(shelf.case(name))) == sorted_rows(truth(recordings, name))


def test_the_fleet(shelf) -> None:
    """Two tellings of one fleet: what was created is told as modified by the other, so only the rest are the same events."""
    one, both = told("info", shelf.case(FLEET[0]), "--json")[0], told("info", shelf.case(*FLEET), "--json")[0]
    assert (one["events"], one["records"], one["known"], one["rejects"]) == (FLEET_ROWS, FLEET_ROWS, 0, 0)
    created = sum(row["ChangeType"] == "Created" for row in view_rows(shelf.case(FLEET[0])))
    assert 0 < created < FLEET_ROWS
    assert (both["events"], both["records"], both["known"]) == (FLEET_ROWS + created, 2 * FLEET_ROWS, FLEET_ROWS - created)
