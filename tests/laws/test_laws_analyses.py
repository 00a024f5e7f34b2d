"""What the analyses say follows from the evidence alone: not from the order of ingest, not from how often they ran."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics import case as cases
from fimforensics.analyses import ANALYSES
from fimforensics.analyze import analyze
from fimforensics.queries.derived_digest import TABLES, derived_digests
from tests.analyses.building import change, made, rows, value

EXAMPLES = int(os.environ.get("FIMFORENSICS_EXAMPLES", "8"))
FILES = ("C:\\Windows\\System32\\a.dll", "C:\\Windows\\Temp\\t.exe", "C:\\inetpub\\wwwroot\\x.aspx", "/usr/bin/su", "/tmp/t")
KEY = "HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
ACTORS = ({"by": "C:\\Windows\\Temp\\t.exe", "pid": 5}, {"by": "/usr/bin/dpkg", "pid": 6, "account": "root"},
          {"by": "/usr/bin/scp", "pid": None, "account": "mallory"}, {"by": "w3wp.exe", "pid": 5, "started": None}, {"by": None})
HOSTS = st.sampled_from(("srv-1", "srv-2", "srv-3", "srv-4", "srv-5"))
MOMENTS = st.builds("{:02}T{:02}:{:02}".format, st.integers(1, 9), st.integers(0, 23), st.sampled_from((0, 1, 30)))
WORDS = st.sampled_from((None, "one", "two", "three"))


@st.composite
def changes(draw: st.DrawFn) -> dict:
    """One event of a small fleet: few files, contents and actors, so that they meet."""
    actor = draw(st.sampled_from(ACTORS))
    host, moment = draw(HOSTS), draw(MOMENTS)
    if draw(st.integers(0, 3)) == 0:
        what = draw(st.sampled_from(("RegistryValueSet", "RegistryValueSet", "RegistryValueDeleted", "RegistryKeyDeleted")))
        name = None if what == "RegistryKeyDeleted" else "up"
        return value(host, moment, KEY, name, draw(WORDS), what, old=draw(WORDS), **actor)
    path = draw(st.sampled_from(FILES))
    what = draw(st.sampled_from(("Created", "Modified", "Modified", "Deleted", "Renamed")))
    was = draw(st.sampled_from(FILES)) if what == "Renamed" else None
    return change(host, moment, path, what, None if what == "Deleted" else draw(WORDS), was=was, **actor)


def told(*sources: list[dict]) -> tuple[dict[str, str], list[list[tuple]]]:
    """The digests of all derived tables of a case of these sources, and their rows; the same when they are made again."""
    with tempfile.TemporaryDirectory(prefix="laws-") as folder:
        case = made(Path(folder), *sources)
        first = [rows(case, f"SELECT * FROM {table}") for table in TABLES]
        analyze(case, [analysis.name for analysis in reversed(ANALYSES)])
        assert [rows(case, f"SELECT * FROM {table}") for table in TABLES] == first
        with cases.reading(case) as connection:
            return derived_digests(connection), first


@settings(max_examples=EXAMPLES)
@given(st.lists(changes(), min_size=1, max_size=40), st.integers(1, 39))
def test_the_order_of_ingest_does_not_show(events: list[dict], cut: int) -> None:
    one, other = events[:cut], events[cut:] or events[:1]
    assert told(one, other)[0] == told(other, one)[0]


def test_the_tables_of_all_analyses_are_digested() -> None:
    assert {table for analysis in ANALYSES for table in analysis.tables} <= set(TABLES)
