"""Moments: written as dates and times, or counted back from the newest event; never from the machine's clock."""

from __future__ import annotations

import pytest

from fimforensics import case as cases
from fimforensics.errors import Misuse, Problem
from fimforensics.queries.moments import moment, newest
from tests.analyses.building import change, made


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory):
    rows = [change("srv-1", "08:00", "C:\\a"), change("srv-1", "2026-10-14T06:30:05.1234567", "C:\\a"),
            change("srv-1", "9999-12-31T23:59", "C:\\a"), change("srv-1", "1601-01-01T00:00", "C:\\a")]
    with cases.reading(made(tmp_path_factory.mktemp("moments"), rows, analyses=None)) as found:
        yield found


@pytest.mark.parametrize(("text", "expected"), [
    ("2026-10-12", "2026-10-12T00:00:00.0000000Z"), ("2026-10-12T08:15", "2026-10-12T08:15:00.0000000Z"),
    ("2026-10-12 08:15:01", "2026-10-12T08:15:01.0000000Z"), ("2026-10-12T08:15:01.5Z", "2026-10-12T08:15:01.5000000Z"),
    ("2026-10-12T08:15:00+02:00", "2026-10-12T06:15:00.0000000Z"), ("2026-10-12T08:15+02:00", "2026-10-12T06:15:00.0000000Z"),
    ("2026-10-12T08:15Z", "2026-10-12T08:15:00.0000000Z"),
    ("-14d", "2026-09-30T06:30:05.1234567Z"), ("-6h", "2026-10-14T00:30:05.1234567Z"), ("-30m", "2026-10-14T06:00:05.1234567Z"),
    ("-2w", "2026-09-30T06:30:05.1234567Z"), ("-5s", "2026-10-14T06:30:00.1234567Z"), ("-0d", "2026-10-14T06:30:05.1234567Z")])
def test_moments(connection, text: str, expected: str) -> None:
    assert moment(connection, text, "--since") == expected


@pytest.mark.parametrize("text", ["", "lately", "2026-13-01", "12/10/2026", "-14", "14d", "-1y", "--1d", "-9999999w", "-1.5d",
                                  "now", "2026-10-12T08:15:00+99:00"])
def test_what_is_no_moment(connection, text: str) -> None:
    with pytest.raises(Misuse) as problem:
        moment(connection, text, "--until")
    assert problem.value.line().startswith("--until: ")


def test_the_newest_event_that_is_not_odd(connection) -> None:
    assert newest(connection) == "2026-10-14T06:30:05.1234567Z"


def test_nothing_to_count_from(tmp_path) -> None:
    with cases.reading(made(tmp_path, [change("srv-1", "9999-12-31T23:59", "C:\\a")], analyses=None)) as connection:
        assert newest(connection) is None
        with pytest.raises(Problem, match="the case has no event to count from"):
            moment(connection, "-1d", "--since")
