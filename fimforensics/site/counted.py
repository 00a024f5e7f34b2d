"""How many events fit the conditions of a table's page, out of the rollup of whole days instead of row by row.

Datasette counts on every page. Conditions on host, change and time are those that leave millions of rows, and just these the
rollup `event_counts` knows; of a day that is not whole the rows are counted by their index.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_COUNT = re.compile(r"select count\(\*\) from events where (.+?)\s*", re.DOTALL)
_EQUAL = re.compile(r'"(host_id|change_id)" = :(p\d+)')
_TIME = re.compile(r'"time" (>=|>|<|<=) :(p\d+)')
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:T[0-9:.]{0,16}Z?)?")
_OTHER_SIDE = {">=": "<", ">": "<=", "<": ">=", "<=": ">"}
_END = "U"  # after every time of a day, which go on with a T


@dataclass(frozen=True)
class Conditions:
    """Numbers by column, and times in the order of the address: an operator and a time."""

    equal: tuple[tuple[str, int], ...]
    times: tuple[tuple[str, str], ...]


def conditions(sql: str, values: object) -> Conditions | None:
    """What a count's statement asks, if the rollup can answer it."""
    match = _COUNT.fullmatch(sql)
    if match is None or not isinstance(values, Mapping):
        return None
    equal, times = [], []
    for part in match[1].split(" and "):
        found, value = _EQUAL.fullmatch(part), ""
        if found is not None and (value := str(values.get(found[2]))).isdecimal() and len(value) < 18:
            equal.append((found[1], int(value)))
        elif (found := _TIME.fullmatch(part)) is not None and _DAY.fullmatch(value := str(values.get(found[2]))):
            times.append((found[1], value))
        else:
            return None
    return Conditions(tuple(equal), tuple(times))


def count(connection: sqlite3.Connection, asked: Conditions) -> int:
    """How many events fit."""
    equal = [f"{column} = {value}" for column, value in asked.equal]
    cut = sorted({time[:10] for _, time in asked.times if len(time) > 10})
    whole = [*equal, *(f"day NOT IN ({', '.join('?' * len(cut))})" for _ in cut[:1]), *_days(asked)]
    days = [time[:10] for _, time in asked.times]
    total: int = connection.execute(f"SELECT coalesce(sum(events), 0) FROM event_counts WHERE {' AND '.join(whole) or '1'}",
                                    (*cut, *days)).fetchone()[0]
    return total + sum(_of_day(connection, asked, day, equal) for day in cut)


def _of_day(connection: sqlite3.Connection, asked: Conditions, day: str, equal: list[str]) -> int:
    """How many events fit of a day of which times leave only a part; where one time does, the smaller part is counted."""
    borders = [(sign, time) for sign, time in asked.times if len(time) > 10 and time[:10] == day]
    sign, time = borders[0]
    times, whole = asked.times, 0
    if len(borders) == 1 and (time[11:13] < "12") == (sign[0] == ">"):
        rest = Conditions(asked.equal, tuple(one for one in asked.times if one != borders[0]))
        days = [*equal, "day = ?", *_days(rest)]
        whole = connection.execute(f"SELECT coalesce(sum(events), 0) FROM event_counts WHERE {' AND '.join(days)}",
                                   (day, *(other[:10] for _, other in rest.times))).fetchone()[0]
        if not whole:
            return 0
        times = ((_OTHER_SIDE[sign], time),)
    lower = max([(day, False), *((one, said == ">") for said, one in times if said[0] == ">")])
    upper = min([(day + _END, True), *((one, said == "<") for said, one in times if said[0] == "<")],
                key=lambda one: (one[0], not one[1]))
    # only the narrowest of both sides: given more, SQLite may look for another and read the whole day
    rows = [*equal, f"time {'>' if lower[1] else '>='} ?", f"time {'<' if upper[1] else '<='} ?"]
    part: int = connection.execute(f"SELECT count(*) FROM events WHERE {' AND '.join(rows)}", (lower[0], upper[0])).fetchone()[0]
    return whole - part if times is not asked.times else part


def _days(asked: Conditions) -> Iterator[str]:
    """The conditions on times as such on days; those days are left out that a time cuts."""
    for sign, time in asked.times:
        # A day by itself lies before all of its times; a time is no border of the other days.
        yield "day >= ?" if sign[0] == ">" else "day < ?" if len(time) == 10 else "day <= ?"
