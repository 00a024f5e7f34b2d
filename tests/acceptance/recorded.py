"""Real recordings and what must come of them: the command as a person runs it, and the truth from the files alone.

The recordings stay outside the project, in the folder that FIMFORENSICS_RECORDINGS names. What a case says of them is held
against the files themselves, read here with nothing but gzip and json.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from fimforensics.cli import main
from fimforensics.model import COLUMNS, MDC, TIME

ROWS = 1044  # of which 827 differ
PORTAL = "uac_fodhelper.portal.csv.gz"
UAC = (
    "uac_fodhelper.ndjson.gz",
    "uac_fodhelper.nulls.ndjson.gz",
    "uac_fodhelper.dirpath.ndjson.gz",
    "uac_fodhelper.az.json.gz",
    "uac_fodhelper.rest.json.gz",
    PORTAL,
)
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
