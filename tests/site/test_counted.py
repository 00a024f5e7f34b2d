"""Counts out of the rollup are those that SQLite counts row by row; what it cannot know it leaves alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from conftest import Browser  # type: ignore[import-not-found]
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics.site.counted import conditions, count

TIMES = st.builds(lambda day, clock: f"2026-{day}{clock}", st.sampled_from(["09-01", "09-15", "10-05", "10-06", "10-12"]),
                  st.sampled_from(["", "T", "T10", "T10:06", "T12:00:30.5000000Z", "T15:30", "T23", "T10:05:00.0000000Z"]))
PARTS = st.lists(st.one_of(st.tuples(st.just('"host_id" ='), st.integers(1, 9).map(str)),
                           st.tuples(st.just('"change_id" ='), st.integers(1, 6).map(str)),
                           st.tuples(st.sampled_from(['"time" >=', '"time" >', '"time" <', '"time" <=']), TIMES)),
                 min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(parts=PARTS)
def test_it_counts_what_is_there(stories_case: Path, parts: list[tuple[str, str]]) -> None:
    sql = "select count(*) from events where " + " and ".join(f"{said} :p{at}" for at, (said, _) in enumerate(parts)) + " "
    values = {f"p{at}": value for at, (_, value) in enumerate(parts)}
    with closing(sqlite3.connect(stories_case)) as connection:
        asked = conditions(sql, values)
        assert asked is not None and count(connection, asked) == connection.execute(sql, values).fetchone()[0]


def test_what_it_does_not_know_is_counted_by_sqlite(noted_sample: Browser) -> None:
    for sql, values in (('select count(*) from events where "host_id" = :p0 or 1', {"p0": "1"}),
                        ('select count(*) from events where "host_id" = :p0', {"p0": "x"}),
                        ('select count(*) from events where "time" >= :p0', {"p0": "yesterday"}),
                        ('select count(*) from events where "account_id" = :p0', {"p0": "1"}),
                        ('select count(*) from files where "host_id" = :p0', {"p0": "1"}),
                        ('select count(*) from events where "host_id" = 1', ["1"])):
        assert conditions(sql, values) is None
    told = noted_sample.get("/case/events.json?change_id=1&time__gte=2026-09-02T10&_size=0").json()
    with closing(sqlite3.connect(noted_sample.served.databases["case"].path)) as connection:
        rows = connection.execute("SELECT count(*) FROM events WHERE change_id = 1 AND time >= '2026-09-02T10'").fetchone()[0]
    assert told["filtered_table_rows_count"] == rows
