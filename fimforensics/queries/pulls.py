"""What a snapshot that came live says of its completeness, as values and as lines for people."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fimforensics.evidence import pulls
from fimforensics.text import visible


def told(connection: sqlite3.Connection, snapshot: int) -> dict[str, Any] | None:
    """A live snapshot's pull, with its slices; None for one that came from a file."""
    found = pulls.read(connection, snapshot)
    if found is None:
        return None
    names = ("source", "sha256", "size", "records", "new_events", "known_events", "rejects", "truncated")
    row = connection.execute(f"SELECT {', '.join(names)} FROM snapshots WHERE id = ?", (snapshot,)).fetchone()
    values = asdict(found)
    for name in ("filters", "recounted", "faults"):
        values[name] = json.loads(values[name]) if values[name] else None
    for one in values["slices"]:
        one["faults"] = json.loads(one["faults"])
    cells = dict(zip(names, row, strict=True))
    good = str(cells.pop("truncated") or "").partition(pulls.MADE_GOOD)[2].partition(";")[0]
    good_by = int(good) if good.isdecimal() and len(good) < 19 else None
    return {"snapshot": snapshot, **cells, **values, "made_good_by": good_by}


def lines(row: dict[str, Any]) -> Iterator[str]:
    """The pull in a few lines."""
    verdict = "complete" if row["complete"] else "INCOMPLETE"
    yield (f"{visible(row['source'])}: snapshot {row['snapshot']}, {verdict}: {row['rows']:,} rows of {row['expected']:,} that "
           f"the service counts, {row['new_events']:,} new events, {row['known_events']:,} known, {row['rejects']:,} rejects")
    if row["reason"]:
        yield f"  incomplete: {visible(row['reason'])}"
    if row["made_good_by"]:
        yield f"  made good by snapshot {row['made_good_by']}, which counted it again slice by slice and took what was there"
    begin = f"from {row['ingested_from']} on and " if row["ingested_from"] else ""
    yield f"  rows of {visible(row['filters']['table'])} that came in {begin}before {row['ingested_before']}" + _narrowed(row)
    yield (f"  {_some(len(row['slices']), 'slice')}, {row['size']:,} bytes, {_some(row['requests'], 'request')}"
           + (", on the way: " + ", ".join(f"{visible(kind)} {number:,}×" for kind, number in row["faults"].items())
              if row["faults"] else ""))
    if row["recounted"]:
        again = row["recounted"]
        yield (f"  recounted {_some(again['windows'], 'earlier window')}: {again['held']:,} rows held, "
               f"{again['counted']:,} counted now"
               + (f", {again['more']:,} showed late and were taken" if again["more"] else "")
               + (f", {again['gone']:,} are gone from the service" if again["gone"] else ""))


def _some(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"


def _narrowed(row: dict[str, Any]) -> str:
    told = [f"events from {row['since']} on"] if row["since"] else []
    told += [f"events before {row['until']}"] if row["until"] else []
    for name, word in (("computers", "machines"), ("path_prefixes", "paths below"), ("changes", "changes")):
        if row["filters"][name]:
            told.append(f"{word} {', '.join(map(visible, row['filters'][name]))}")
    return f"; only {'; '.join(told)}" if told else ""
