"""Real recordings through the whole ingest: the same events from every shape, the facts a second program found, every byte back.

The recordings stay outside the project, in the folder that FIMFORENSICS_RECORDINGS names. What a case says of them is held
against the files themselves, read here with nothing but gzip, json and csv.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections import Counter
from contextlib import closing
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fimforensics import case as cases
from fimforensics.cli import main
from fimforensics.evidence import raw
from fimforensics.model import COLUMNS, MDC, TIME

duckdb = pytest.importorskip("duckdb")

ROWS = 1044  # of which 827 differ
PORTAL = "uac_fodhelper.portal.csv.gz"
UAC = ("uac_fodhelper.ndjson.gz", "uac_fodhelper.nulls.ndjson.gz", "uac_fodhelper.dirpath.ndjson.gz", "uac_fodhelper.az.json.gz",
       "uac_fodhelper.rest.json.gz", PORTAL)
DATASETS = ("uac_fodhelper", "proxylogon_exchange", "empire_run_keys", "purplesharp_ad_playbook")
ALL = (*UAC, *(f"{name}.ndjson.gz" for name in DATASETS[1:]), "sec4657_oldvalues.ndjson.gz")
FLEET = ("fleet/events.ndjson.gz", "fleet/events_linux_sensor_variant.ndjson.gz")
FLEET_ROWS = 9519


def run(*words: object) -> Result:
    """The command with these words."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*words: object) -> list[dict]:
    """What the command prints as JSON Lines; it must not fail."""
    result = run(*words)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


class Shelf:
    """Cases of some recordings in some order, each made once."""

    def __init__(self, recordings: Path, folder: Path) -> None:
        self._recordings, self._folder, self._made = recordings, folder, {}

    def case(self, *names: str) -> Path:
        """The case of these recordings, ingested in this order by one command."""
        if names not in self._made:
            case = self._folder / f"{len(self._made)}.db"
            made = told("ingest", case, *(self._recordings / name for name in names), "--date-order", "mdy", "--json")
            assert [row["source"] for row in made] == [Path(name).name for name in names]
            self._made[names] = case
        return self._made[names]


@pytest.fixture(scope="module")
def shelf(recordings, tmp_path_factory) -> Shelf:
    return Shelf(recordings, tmp_path_factory.mktemp("cases"))


def plain(recordings: Path, name: str) -> bytes:
    return gzip.decompress((recordings / name).read_bytes())


def view_rows(case: Path) -> list[dict]:
    with closing(sqlite3.connect(case)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f'SELECT * FROM "{MDC}"')]


def sorted_rows(rows: list[dict]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def seven(time: str) -> str:
    """A recorded time with seven figures."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}.{fraction.ljust(7, '0')}Z"


def truth(recordings: Path, name: str) -> list[dict]:
    """What the view must show of a recording in JSON Lines, from the file alone."""
    rows = []
    for line in plain(recordings, name).splitlines():
        row = dict.fromkeys(COLUMNS) | json.loads(line)
        for column, kind in COLUMNS.items():
            if kind == TIME and row[column]:
                row[column] = seven(row[column])
            elif column.lower().endswith(("md5", "sha1", "sha256")) and row[column]:
                row[column] = row[column].lower()
        rows.append(row)
    return rows


def emptied(rows: list[dict]) -> list[dict]:
    return [{name: None if value == "" else value for name, value in row.items()} for row in rows]


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
    assert [(row["records"], row["events"], row["known"], row["rejects"]) for row in rows] == [(ROWS, ROWS, 0, 0), *[(ROWS, 0, ROWS, 0)] * 4]
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
    shown = ", ".join(f'CAST("{name}" AS TIMESTAMP) AS "{name}"' if kind == TIME else f'"{name}"' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE t AS SELECT {shown} FROM held")
    return connection


def as_answer(found: list[tuple], answer: object) -> object:
    """A result in the form in which the answer is written: a number or text, one row, or name -> count."""
    if isinstance(answer, dict):
        assert len(dict(found)) == len(found)
        return dict(found)
    assert found
    return list(found[0]) if isinstance(answer, list) else found[0][0]


@pytest.mark.parametrize(("dataset", "names"), [*((name, (f"{name}.ndjson.gz",)) for name in DATASETS), (DATASETS[0], UAC)],
                         ids=[*DATASETS, f"{DATASETS[0]} in six shapes"])
def test_facts(shelf, recordings, dataset, names) -> None:
    facts = [fact for fact in json.loads((recordings / "answers.json").read_text("utf-8")) if fact["dataset"] == dataset]
    assert len(facts) >= 9
    with closing(in_duckdb(view_rows(shelf.case(*names)))) as connection:
        found = {fact["id"]: as_answer(connection.execute(fact["sql"]).fetchall(), fact["answer"]) for fact in facts}
    assert found == {fact["id"]: fact["answer"] for fact in facts}


def test_every_dataset_of_facts_is_asked(recordings) -> None:
    assert {fact["dataset"] for fact in json.loads((recordings / "answers.json").read_text("utf-8"))} == set(DATASETS)


# ---- nothing lost on the way: originals and locators (must show 4)


@pytest.mark.parametrize("names", [UAC, *((name,) for name in ALL[6:]), FLEET], ids=lambda names: names[0])
def test_originals_come_back_byte_for_byte(shelf, recordings, tmp_path, names) -> None:
    case = shelf.case(*names)
    for number, name in enumerate(names, 1):
        source = (recordings / name).read_bytes()
        assert run("original", case, number).stdout_bytes == source
        assert run("original", case, number, "-o", tmp_path / str(number)).exit_code == 0
        assert (tmp_path / str(number)).read_bytes() == source


@cache
def rest_columns(text: bytes) -> list[str]:
    return [column["name"] for column in json.loads(text)["tables"][0]["columns"]]


def parsed(name: str, file: bytes, record: bytes) -> dict:
    """A record's values, read by its file's own rules."""
    if name == PORTAL:
        header = next(csv.reader(io.StringIO(file.decode("utf-8-sig"))))
        return dict(zip(header, next(csv.reader(io.StringIO(record.decode(), newline=""))), strict=True))
    values = json.loads(record)
    return dict(zip(rest_columns(file), values, strict=True)) if isinstance(values, list) else values


def own_time(values: dict) -> str:
    """A record's own TimeGenerated, as a case writes it."""
    if "TimeGenerated" in values:
        return seven(values["TimeGenerated"])
    date, clock, half = values["TimeGenerated [UTC]"].replace(",", "").split()
    month, day, year = (int(part) for part in date.split("/"))
    hour, rest = clock.split(":", 1)
    return seven(f"{year}-{month:02}-{day:02}T{int(hour) % 12 + 12 * (half == 'PM'):02}:{rest}Z")


@pytest.mark.parametrize("names", [UAC, *((name,) for name in ALL[6:]), FLEET], ids=lambda names: names[0])
def test_every_record_lies_at_its_locator(shelf, recordings, names) -> None:
    with closing(cases.open_read(shelf.case(*names))) as connection:
        placed = connection.execute(
            "SELECT o.snapshot_id, o.offset, o.length, o.seq, e.time, m.computer FROM occurrences o JOIN events e ON e.id = o.event_id "
            "JOIN machine_reports m ON m.id = e.machine_report_id ORDER BY o.snapshot_id, o.offset").fetchall()
        sparse = max(1, len(placed) // 5000)  # asking the case for a record unpacks a megabyte: of large recordings some
        for snapshot, records in groupby(placed, key=lambda row: row[0]):
            name = names[snapshot - 1]
            file, end, count = plain(recordings, name), 0, 0
            for _, offset, length, seq, time, computer in records:
                record = file[offset:offset + length]
                assert offset >= end
                assert count % sparse or raw.raw_record(connection, seq) == record
                values = parsed(name, file, record)
                assert (own_time(values), values["Computer"]) == (time, computer)
                end, count = offset + length, count + 1
            assert count == connection.execute("SELECT records FROM snapshots WHERE id = ?", (snapshot,)).fetchone()[0]
        assert {row[0] for row in placed} == set(range(1, len(names) + 1))


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
