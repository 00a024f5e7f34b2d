"""A host's line of the heat map as SVG: one cell a column, its shade by the logarithm of the count, silences as a bar across.

Cells of one kind that follow each other without any event are one; so a map of quiet hosts stays small. The same data give the
same bytes.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup, escape

from fimforensics.queries.heat import Heat, Line, Silent
from fimforensics.text import visible

WIDE, HIGH = 10, 20  # of a cell, in units of the drawing
LEVELS = 5


def strip(line: Line, heat: Heat) -> Markup:
    """The drawing of one host."""
    cells = "".join(_cell(heat, line, kind, [at for at, _ in group]) for kind, group in groupby(
        enumerate(line.counts), key=lambda one: f"count {one[0]}" if one[1] else "none" if heat.inside[one[0]] else "outside"))
    silent = "".join(_silence(heat, one) for one in line.silences)
    return Markup('<svg class="heat-strip" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}{}'
                  "</svg>").format(
        len(heat.columns) * WIDE, HIGH, visible(told(line, heat)), Markup(cells), Markup(silent))


def told(line: Line, heat: Heat) -> str:
    """What the drawing shows, in one sentence."""
    silent = f", {len(line.silences):,} silence{'' if len(line.silences) == 1 else 's'}" if heat.silences_known else ""
    days = f"on {line.days_with_events:,} day{'' if line.days_with_events == 1 else 's'}"
    return f"{line.name} from {heat.first} to {heat.last}: {line.events:,} event{'' if line.events == 1 else 's'} {days}{silent}"


def level(count: int, most: int) -> int:
    """The shade of a cell, from 1 to that of the largest count, LEVELS: equal steps are equal factors."""
    return LEVELS if most < 2 else 1 + (count.bit_length() - 1) * (LEVELS - 1) // (most.bit_length() - 1)


def span(heat: Heat, first: int, last: int) -> str:
    """The days from one column to another, as people say them."""
    until = min(_day(heat.columns[last]) + timedelta(days=heat.step - 1), _day(heat.last)).isoformat()
    return heat.columns[first] if heat.columns[first] == until else f"{heat.columns[first]} to {until}"


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _cell(heat: Heat, line: Line, kind: str, at: list[int]) -> str:
    days = span(heat, at[0], at[-1])
    if not kind.startswith("count"):
        said = "no event" if kind == "none" else "no snapshot reaches here"
        return (f'<rect class="{kind}" x="{at[0] * WIDE}" width="{len(at) * WIDE}" height="{HIGH}">'
                f"<title>{days}: {said}</title></rect>")
    count, seen = line.counts[at[0]], line.observations[at[0]]
    said = f"{count:,} event{'' if count == 1 else 's'}" + (f", {seen:,} of them seen by a scan" if seen else "")
    return (f'<rect class="h{level(count, heat.most)}" x="{at[0] * WIDE}" width="{WIDE}" height="{HIGH}">'
            f"<title>{days}: {said}</title></rect>")


def _silence(heat: Heat, one: Silent) -> str:
    most = len(heat.columns) * WIDE
    left, right = (max(0.0, min(float(most), _place(heat, time))) for time in (one.since, one.until))
    kind = "silence" if one.kind == "silent" else "silence other"
    return (f'<rect class="{kind}" x="{left:.2f}" y="7" width="{max(right - left, 1):.2f}" height="6">'
            f"<title>{escape(visible(one.sentence))}</title></rect>")


def _place(heat: Heat, time: str) -> float:
    days = (_day(time[:10]) - _day(heat.first)).days
    seconds = int(time[11:13]) * 3600 + int(time[14:16]) * 60 + int(time[17:19])
    return (days + seconds / 86_400) / heat.step * WIDE
