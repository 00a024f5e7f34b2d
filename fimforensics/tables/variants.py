"""Search-job (`…_SRCH`) and restored (`…_RST`) copies of any table.

A search job stamps its rows with the time it ran and keeps the event's time in `_OriginalTimeGenerated`; a restored table
keeps the time. A search job's rows have new ids too, so that overlapping jobs tell the same row only by `_OriginalItemId`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from fimforensics.tables.table import Table, Values, words

SEARCH, RESTORED = "_SRCH", "_RST"
ORIGINAL = words("_OriginalTimeGenerated _OriginalType _OriginalItemId")
_TIME = "_OriginalTimeGenerated"


def searched(base: Table) -> Table:
    """The table as a search job writes it: the event's own time and id stand in their places, the job's as `_SearchJob…`."""
    name = base.name + SEARCH
    return replace(
        base,
        name=name,
        columns=base.columns | ORIGINAL,
        key_columns=base.key_columns - {"TimeGenerated"} | {_TIME},
        to_mdc=partial(_undo_search, base=base, name=name),
        times={
            **{column: place for column, place in base.times.items() if place != "TimeGenerated"},
            **{_TIME: "TimeGenerated", "TimeGenerated": "_SearchJobTime"},
        },
        also={},
    )


def restored(base: Table) -> Table:
    """The table as a restore brings it back: nothing but its name differs."""
    name = base.name + RESTORED
    return replace(base, name=name, to_mdc=partial(_named, base=base, name=name))


def _undo_search(values: Values, base: Table, name: str) -> Values:
    out = dict(values)
    if out.get(_TIME) in (None, ""):
        raise ValueError("a search job's record without _OriginalTimeGenerated: its TimeGenerated is the time of the job")
    if "TimeGenerated" in out:
        out["_SearchJobTime"] = out["TimeGenerated"]
    out["TimeGenerated"] = out.pop(_TIME)
    if out.get("_OriginalItemId"):
        if "_ItemId" in out:
            out["_SearchJobItemId"] = out["_ItemId"]
        out["_ItemId"] = out.pop("_OriginalItemId")
    return _named(out, base, name)


def _named(values: Values, base: Table, name: str) -> Values:
    """The record by its base table's mapping, with the copy's own name as `Type` where it has none."""
    out = values if values.get("Type") else {**values, "Type": name}
    return base.to_mdc(out) if base.to_mdc else dict(out)
