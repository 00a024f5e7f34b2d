"""A pulled window as files for the case: the answers' bytes one after the other, and what proves that they are all.

A window's original is its slices' bodies in order, each followed by a line feed. Where the service's columns changed within a
window there is one file for each run of equal columns. The same ledger gives the same files.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from itertools import groupby
from pathlib import Path

from fimforensics.errors import Problem
from fimforensics.evidence.pulls import Pulled, PulledSlice
from fimforensics.live.instants import iso
from fimforensics.live.kql import Asked
from fimforensics.live.ledger import Entry, Ledger, sync_folder


def files(ledger: Ledger, number: int) -> list[tuple[Path, list[Entry]]]:
    """The window's files, made if they are not there yet, and the slices in each."""
    entries = ledger.entries(number, "done", "short")
    found = []
    for at, (_, group) in enumerate(groupby(entries, key=lambda one: one.columns)):
        path, held = ledger.folder / f"window-{number:04d}-{at + 1}.json", list(group)
        if not path.exists():
            _join(path, [(ledger.folder / (one.file or ""), one) for one in held])
        found.append((path, held))
    ledger.mark(number, state="placed")
    for entry in entries:
        (ledger.folder / (entry.file or "")).unlink(missing_ok=True)
    return found


def _join(path: Path, bodies: list[tuple[Path, Entry]]) -> None:
    new = path.with_suffix(".new")
    with new.open("wb") as out:
        for body, entry in bodies:
            try:
                with body.open("rb") as stream:
                    shutil.copyfileobj(stream, out, 1 << 20)
            except FileNotFoundError:
                raise Problem("the bytes of a slice are not there any more", where=str(body),
                              hint="Move the ledger's folder away and collect anew") from None
            out.write(b"\n")
            if body.stat().st_size != entry.bytes:
                raise Problem("the bytes of a slice are not those that came", where=str(body),
                              hint="Move the ledger's folder away and collect anew")
        out.flush()
        os.fsync(out.fileno())
    os.replace(new, path)
    sync_folder(path.parent)


def pulled(ledger: Ledger, row: dict, scope: str, asked: Asked, cloud: str, endpoint: str, held: list[Entry]) -> Pulled:
    """What the case keeps of a window's file: the figures of the window, and its slices with their places."""
    all_of_it = ledger.entries(row["id"], "done", "short", "cut")
    slices, offset = [], 0
    for one in held:
        slices.append(PulledSlice(offset, one.bytes, one.sha256 or "", one.query or "", one.got, one.expected, one.requests,
                                  one.depth, one.faults, one.reason))
        offset += one.bytes + 1
    return Pulled(
        ledger.id, row["id"], scope, cloud, endpoint, _iso(row["lower"]), iso(row["upper"]), _iso(asked.since),
        _iso(asked.until), filters(asked), row["expected"],
        sum(one.got for one in all_of_it if one.within == row["id"] and one.state != "cut"), row["reason"] is None, row["reason"],
        row["recounted"], row["requests"] + sum(one.requests for one in all_of_it), _faults(row, all_of_it), row["started"],
        row["finished"], tuple(slices))


def filters(asked: Asked) -> str:
    """What was asked of a table beside its span, as the case keeps it."""
    told = {"table": asked.table, "computers": asked.computers, "path_prefixes": asked.paths, "changes": asked.changes}
    return json.dumps(told, sort_keys=True)


def _iso(instant: int | None) -> str | None:
    return None if instant is None else iso(instant)


def _faults(row: dict, entries: list[Entry]) -> str:
    """What went wrong on the way, counted by kind."""
    found: Counter[str] = Counter(json.loads(row["faults"]))
    for one in entries:
        found.update(json.loads(one.faults))
    return json.dumps(dict(sorted(found.items())))
