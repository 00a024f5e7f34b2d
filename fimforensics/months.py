"""Which figure of a date is the month: looked for in the dates of a whole member before its first record is read."""

from __future__ import annotations

from fimforensics import times
from fimforensics.errors import Refused
from fimforensics.model import COLUMNS, TIME, Opened, Reading
from fimforensics.tables import fold_columns


def proven(opened: Opened, reading: Reading, where: str) -> Reading:
    """The reading with the order that a time of the member proves, where its times are in figures; Refused where none does."""
    names = fold_columns(opened.columns or ())
    columns = [name for name in opened.columns or () if COLUMNS.get(names.get(name, name)) == TIME or name in ("Timestamp",)]
    example = None
    proofs = set()
    texts: list[str] = []
    for record in opened.records:
        if record.values is None:
            continue
        texts.extend(str(value) for value in map(record.values.get, columns) if isinstance(value, str))
        if texts and example is None and not times.needs_order(texts[0]):
            return reading
        example = example or (texts[0] if texts else None)
        if len(texts) > 20_000:
            proofs.add(_proof(texts, where))
            texts.clear()
    proofs.add(_proof(texts, where))
    proofs.discard(None)
    if len(proofs) > 1:
        raise Refused("some of its times can only be day/month, others only month/day", where=where,
                      hint="Export it again, or split it")
    if not proofs and example is not None:
        raise Refused(f"nothing in it proves which of the figures in {example.split(',')[0]} is the month", where=where,
                      hint="Say --date-order mdy (month first) or --date-order dmy (day first)")
    return Reading(reading.timezone, proofs.pop()) if proofs else reading


def _proof(texts: list[str], where: str) -> str | None:
    try:
        return times.order_proof(texts)
    except ValueError as error:
        raise Refused(str(error), where=where, hint="Export it again, or split it") from None
