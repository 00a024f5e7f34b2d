"""The picture of hash-change lanes, made on the server: the same versions give the same bytes.

Known content is a solid bar in its content's own row, what is not known is hatched, what is not there is hollow: it reads without
colour. A line leads from bar to bar; a bar with a triangle is a content that came back.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from markupsafe import Markup, escape

from fimforensics.site.axis import Axis, axis, label, moment
from fimforensics.site.lanes import ABSENT, OTHERS, UNKNOWN, Lanes, Period
from fimforensics.text import visible

WIDTH, LEFT, RIGHT = 1000, 178, 980
LEAD, TAIL = 24, 40  # room for what was before, and for what is still so
ROW, BAR, TOP, FOOT = 20, 11, 7, 40
HATCH = ('<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
               '<path class="hatch" d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5"/></pattern></defs>')


def draw(told: Lanes, named: str) -> Markup:
    """The picture; `named` says what it shows to those who do not see it."""
    times = sorted({time for one in told.periods for time in (one.since, one.until) if time}
                   | ({told.end} if told.end else set()))
    if not times:
        return Markup("")
    scale = axis(map(moment, times), LEFT + LEAD, RIGHT - TAIL)
    bottom = TOP + ROW * len(told.lanes)
    return frame(bottom, named, HATCH, *_rows(told), *cuts(scale, bottom), *_steps(told, scale), *_bars(told, scale),
                 *ticks(scale, times, bottom))


def frame(bottom: int, named: str, *parts: str) -> Markup:
    """The picture around its parts, in which all text is escaped already."""
    return Markup("".join((f'<svg class="lanes" viewBox="0 0 {WIDTH} {bottom + FOOT}" role="img" '
                           f'aria-label="{shown(named)}">', *parts, "</svg>")))


def shown(text: str) -> str:
    """Text as it may stand in the picture: what is hidden visible, what is markup escaped."""
    return str(escape(visible(text)))


def band(at: int) -> str:
    """The paper behind every second row."""
    return f'<rect class="band" x="0" y="{TOP + ROW * at}" width="{WIDTH}" height="{ROW}"/>' if at % 2 else ""


def _rows(told: Lanes) -> Iterator[str]:
    for at, lane in enumerate(told.lanes):
        y, known = TOP + ROW * at + 14, bool(lane.letter)
        yield band(at)
        yield (f'<text class="letter" x="8" y="{y}">{lane.letter}</text>' if known else "") + (
            f'<text class="{"told" if known else "quiet"}" x="{34 if known else 8}" y="{y}">{shown(lane.label)}</text>')


def cuts(scale: Axis, bottom: int) -> Iterator[str]:
    """The marks where a long gap is cut short."""
    for at in scale.cuts:
        x = (scale.places[at] + scale.places[at + 1]) / 2
        yield ('<g><title>A long time in which nothing changed is cut short here</title>'
               f'<path class="cut" d="M{x - 2.5:.1f} {TOP}V{bottom + 5}M{x + 2.5:.1f} {TOP}V{bottom + 5}"/></g>')


def _ends(one: Period, scale: Axis) -> tuple[float, float]:
    left = scale.x(moment(one.since)) if one.since else float(LEFT)
    return left, max(scale.x(moment(one.until)) if one.until else float(RIGHT), left + 1.5)


def _steps(told: Lanes, scale: Axis) -> Iterator[str]:
    """The lines from one period to the next, where it is another lane."""
    for before, after in pairwise(told.periods):
        if before.lane != after.lane:
            yield (f'<path class="step" d="M{_ends(after, scale)[0]:.1f} {TOP + ROW * before.lane + ROW // 2}'
                   f'V{TOP + ROW * after.lane + ROW // 2}"/>')


def _bars(told: Lanes, scale: Axis) -> Iterator[str]:
    for one in told.periods:
        lane, y = told.lanes[one.lane], TOP + ROW * one.lane + (ROW - BAR) // 2
        left, right = _ends(one, scale)
        looks = _LOOKS.get(lane.kind) or f'class="k-{one.lane % 3}"'
        back = f'<path class="back" d="M{left:.1f} {y}l4 -5h-8z"/>' if one.back else ""
        still = f'<path class="still" d="M{right:.1f} {y}l6 {BAR / 2}l-6 {BAR / 2}"/>' if one.until is None else ""
        yield (f'<g><title>{shown(one.told)}</title><rect {looks} x="{left:.1f}" y="{y}" width="{right - left:.1f}" '
               f'height="{BAR}"/>{back}{still}</g>')


_LOOKS = {ABSENT: 'class="none"', UNKNOWN: 'class="dim" fill="url(#hatch)"', OTHERS: 'class="mixed"'}


def ticks(scale: Axis, times: list[str], bottom: int) -> Iterator[str]:
    """The axis, with the times at which something happened, as many as have room; `times` in order, as the axis has them."""
    by_moment = {moment(time): time for time in times}
    yield f'<path class="axis" d="M{LEFT} {bottom}H{RIGHT}"/>'
    for at in scale.labels():
        day, clock = label(by_moment[scale.moments[at]])
        x = scale.places[at]
        yield (f'<path class="axis" d="M{x} {bottom}v5"/><text class="tick" x="{x}" y="{bottom + 18}">{shown(day)}</text>'
               f'<text class="tick" x="{x}" y="{bottom + 32}">{shown(clock)}</text>')
