"""Makes the sample data: `python sample_data/make_sample_data.py [OUTPUT_FOLDER]`; the same bytes every time.

The story of `routine.py` and `incident.py` becomes rows, the rows become four exports that overlap as in real life, and
`answers.json` says what is in them, counted on the rows before anything was written. Standard library only.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fleet import DAY, HOST, HOSTS, TIMES, Dice, Row, hashes, moment, stamp
from formats import az_json, export_tree, portal_csv, query_answer
from incident import TROJAN, facts, incident
from routine import routine

SEED, DAYS = 20_260_907, 35
SILENT = ("log01", moment("2026-09-29 23:40:00"), moment("2026-10-01 23:40:00"))
AZ_UNTIL = moment("2026-10-11 06:00:00")  # the query of everything ran before the last day was over
PORTAL_FROM = moment("2026-09-28")
WEEK = (moment("2026-09-28"), moment("2026-10-05"))
STRUCK = {HOST[name].name for name in ("web01", "shop", "bld01", "fs01")}
FOLDERS = [("2026-09-29 20", 3), ("2026-09-30 00", 5), ("2026-10-03 02", 1)]  # the hours of the export that were copied


def story() -> list[Row]:
    """Every event in order of time; some rows stand there two or three times, for the sensor reported them so."""
    dice, rows = Dice(SEED), []
    name, since, until = SILENT
    for row in [*routine(DAYS, SEED), *incident(SEED + 1000)]:
        if row["Computer"] == name and stamp(since) <= str(row["TimeGenerated"]) < stamp(until):
            continue
        again = dice.below(190) < 3 and row["FileSha256"] != hashes(TROJAN)[1]
        rows += [row] * ((2 + (dice.below(6) == 0)) if again else 1)
    return sorted(rows, key=lambda row: (row["TimeGenerated"], row["Computer"], json.dumps(row)))


def key(row: Row) -> tuple[object, ...]:
    """Two rows are equal events when all their values are equal, times cut to milliseconds."""
    return tuple(value[:23] if name in TIMES and isinstance(value, str) else value for name, value in row.items())


def between(rows: Iterable[Row], since: int, until: int) -> list[Row]:
    """The rows of a half-open time."""
    return [row for row in rows if stamp(since) <= str(row["TimeGenerated"]) < stamp(until)]


def sources(rows: list[Row]) -> dict[str, list[Row]]:
    """What each export holds."""
    copied = [row for start, hours in FOLDERS
              for row in between(rows, moment(start + ":00:00"), moment(start + ":00:00") + hours * DAY // 24)]
    return {"portal/query_data.csv": between(rows, PORTAL_FROM, DAYS * DAY),
            "rest/answer.json": [row for row in between(rows, *WEEK) if row["Computer"] in STRUCK],
            "export": copied,
            "az/full.json.gz": between(rows, 0, AZ_UNTIL)}


def answers(rows: list[Row], held: dict[str, list[Row]], retried: int) -> dict[str, object]:
    """What someone who read the four exports should have counted."""
    counts = {name: Counter(map(key, part)) for name, part in held.items()}
    union: Counter[tuple[object, ...]] = Counter()
    for counted in counts.values():
        union |= counted  # the greater of both counts
    if union != Counter(map(key, rows)):
        raise AssertionError("the four exports together are not the story")
    seen = [str(row["TimeGenerated"]) for row in rows if row["Computer"] == SILENT[0]]
    since, until = stamp(SILENT[1]), stamp(SILENT[2])
    return {
        "rule": "equal values, times cut to ms = the same event; equal rows in one source count each (the same _ItemId once);"
                " over sources the greatest count holds",
        "events": union.total(), "distinct_events": len(union),
        "rows_equal_to_another": sum(count for count in union.values() if count > 1),
        "first": rows[0]["TimeGenerated"], "last": rows[-1]["TimeGenerated"],
        "sources": {name: {"records": len(part) + (retried if name == "export" else 0), "events": len(part),
                           "only_here": (union - _others(counts, name)).total(), "first": part[0]["TimeGenerated"],
                           "last": part[-1]["TimeGenerated"]} for name, part in held.items()},
        "hosts": {name: count for name, count in sorted(Counter(str(row["Computer"]) for row in rows).items())},
        "kinds": dict(sorted(Counter(f"{row['MonitoredEntityType']} {row['ChangeType']}" for row in rows).items())),
        "agentless_host": next(host.name for host in HOSTS if host.agentless),
        "silent": {"host": SILENT[0], "last_before": max(time for time in seen if time < since),
                   "first_after": min(time for time in seen if time >= until)},
        "incident": facts(rows)}


def _others(counts: dict[str, Counter[tuple[object, ...]]], name: str) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for other, counted in counts.items():
        if other != name:
            found |= counted
    return found


def packed(data: bytes) -> bytes:
    """gzip without a file name or a time, so that the bytes stay the same."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(data)
    return out.getvalue()


def files() -> dict[str, bytes]:
    """Every file of the sample data by its path below the folder."""
    rows = story()
    held = sources(rows)
    tree = export_tree(held["export"])
    retried = sum(data.count(b"\n") for data in tree.values()) - len(held["export"])
    told = json.dumps(answers(rows, held, retried), indent=1, ensure_ascii=False)
    return {"portal/query_data.csv": portal_csv(reversed(held["portal/query_data.csv"])),
            "rest/answer.json": query_answer(held["rest/answer.json"]), **tree,
            "az/full.json.gz": packed(az_json(held["az/full.json.gz"])), "answers.json": f"{told}\n".encode()}


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for path, data in files().items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


if __name__ == "__main__":
    main()
