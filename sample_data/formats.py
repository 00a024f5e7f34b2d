"""The four shapes in which the events leave Azure, each with what it loses or adds.

The portal's CSV cuts times to milliseconds and shows null as nothing, az makes text of every value, the query API gives
arrays, the data export leaves out what is empty and names every record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from fleet import LONGS, NAMES, TIMES, Row, guid

WORKSPACE = (f"/subscriptions/{guid('subscription hybrid')}/resourcegroups/rg-soc"
             "/providers/microsoft.operationalinsights/workspaces/soc")
PLAIN = re.compile("[0-9A-Za-z]*")


def portal_csv(rows: Iterable[Row]) -> bytes:
    """The portal's "Export to CSV": UTF-8 with BOM, CRLF, times of a US browser set to UTC."""
    lines = [[f"{name} [UTC]" if name in TIMES else name for name in NAMES]]
    lines += [[_us_time(str(row[name])) if name in TIMES and row[name] else _text(row[name]) for name in NAMES] for row in rows]
    return b"\xef\xbb\xbf" + "".join(",".join(map(_quoted, line)) + "\r\n" for line in lines).encode()


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _quoted(text: str) -> str:
    return text if PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'


def _us_time(stamped: str) -> str:
    year, month, day, hour = (int(part) for part in re.split("[-T:]", stamped)[:4])
    return f"{month}/{day}/{year}, {(hour + 11) % 12 + 1}{stamped[13:23]} {'AM' if hour < 12 else 'PM'}"


def billed(row: Row) -> int:
    """About what Azure would bill for a row."""
    return sum(len(_text(value).encode()) for value in row.values())


def query_answer(rows: Iterable[Row]) -> bytes:
    """The query API's answer, with the two billing columns, which a query shows when it names them."""
    kinds = {name: "datetime" if name in TIMES else "long" if name in LONGS else "string" for name in NAMES}
    columns = [{"name": name, "type": kind} for name, kind in {**kinds, "_BilledSize": "real", "_IsBillable": "string"}.items()]
    table = {"name": "PrimaryResult", "columns": columns,
             "rows": [[*(row[name] for name in NAMES), billed(row), "True"] for row in rows]}
    return json.dumps({"tables": [table]}, ensure_ascii=False, separators=(",", ":")).encode()


def az_json(rows: Iterable[Row]) -> bytes:
    """`az monitor log-analytics query -o json`: a list of objects in which every value is text."""
    objects = [{**{name: str(row[name]) for name in NAMES}, "TableName": "PrimaryResult"} for row in rows]
    return (json.dumps(objects, ensure_ascii=False, indent=2) + "\n").encode()


def export_tree(rows: Iterable[Row]) -> dict[str, bytes]:
    """A data export rule's folders of five minutes each; the fullest has an overflow file that begins with a retried line."""
    slots: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        time = str(row["TimeGenerated"])
        slot = f"y={time[:4]}/m={time[5:7]}/d={time[8:10]}/h={time[11:13]}/m={int(time[14:16]) // 5 * 5:02d}"
        record = {name: value for name, value in row.items() if value not in ("", None)}
        record |= {"_ItemId": guid(f"item {number} {time}"), "_Internal_WorkspaceResourceId": WORKSPACE}
        slots.setdefault(slot, []).append(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    fullest = max(slots, key=lambda slot: len(slots[slot]))
    found: dict[str, bytes] = {}
    for slot, lines in slots.items():
        place, half = f"export/WorkspaceResourceId={WORKSPACE}/{slot}", len(lines) // 2
        if slot == fullest:
            found[f"{place}/PT05M_1.json"] = "".join([lines[half - 1], *lines[half:]]).encode()
            lines = lines[:half]
        found[f"{place}/PT05M.json"] = "".join(lines).encode()
    return found
