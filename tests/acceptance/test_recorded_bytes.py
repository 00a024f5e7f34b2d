"""Nothing is lost on the way: every recording comes back byte for byte, and every record lies at its locator."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from functools import cache
from itertools import groupby

import pytest

from fimforensics import case as cases
from fimforensics.evidence import raw
from tests.acceptance.recorded import ALL, FLEET, PORTAL, UAC, plain, run, seven


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
            "SELECT o.snapshot_id, o.offset, o.length, o.seq, e.time, m.computer FROM occurrences o "
            "JOIN events e ON e.id = o.event_id JOIN machine_reports m ON m.id = e.machine_report_id ORDER BY 1, 2"
        ).fetchall()
        sparse = max(1, len(placed) // 5000)  # asking the case for a record unpacks a megabyte: of large recordings some
        for snapshot, records in groupby(placed, key=lambda row: row[0]):
            name = names[snapshot - 1]
            file, end, count = plain(recordings, name), 0, 0
            for _, offset, length, seq, time, computer in records:
                record = file[offset : offset + length]
                assert offset >= end
                assert count % sparse or raw.raw_record(connection, seq) == record
                values = parsed(name, file, record)
                assert (own_time(values), values["Computer"]) == (time, computer)
                end, count = offset + length, count + 1
            assert count == connection.execute("SELECT records FROM snapshots WHERE id = ?", (snapshot,)).fetchone()[0]
        assert {row[0] for row in placed} == set(range(1, len(names) + 1))
