"""How a content spread, as a picture made on the server: a row for each host in order of arrival, time from left to right.

A stair is a chain from host to host, a straight drop came at once. The dot is the arrival; the bar behind it shows how long a
file of that host is known to have had the content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from fimforensics.site.axis import Axis, axis, moment
from fimforensics.site.lanes_svg import LEAD, LEFT, RIGHT, ROW, TAIL, TOP, band, cuts, frame, shown, ticks

MOST_HOSTS = 40
_LETTERS = 26


@dataclass(frozen=True)
class Arrived:
    """One host: when the content came, whether a file still has it (`until` None) or until when it did."""

    host: str
    time: str
    until: str | None
    known: bool  # how long it stayed is known


def draw(hosts: Sequence[Arrived], named: str) -> Markup:
    """The picture of at most MOST_HOSTS hosts."""
    drawn = hosts[:MOST_HOSTS]
    times = sorted({one.time for one in drawn} | {one.until for one in drawn if one.until and one.known})
    if not times:
        return Markup("")
    scale = axis(map(moment, times), LEFT + LEAD, RIGHT - TAIL)
    bottom = TOP + ROW * len(drawn)
    return frame(bottom, named, *cuts(scale, bottom), *_rows(drawn, scale), *_way(drawn, scale), *ticks(scale, times, bottom))


def _rows(hosts: Sequence[Arrived], scale: Axis) -> Iterator[str]:
    for at, one in enumerate(hosts):
        y, x = TOP + ROW * at, scale.x(moment(one.time))
        yield f'{band(at)}<text class="told" x="8" y="{y + 14}">{shown(_short(one.host))}</text>'
        if one.known:
            end = scale.x(moment(one.until)) if one.until else float(RIGHT)
            yield f'<rect class="held" x="{x:.1f}" y="{y + 7}" width="{max(end - x, 1.5):.1f}" height="{ROW - 14}"/>'


def _way(hosts: Sequence[Arrived], scale: Axis) -> Iterator[str]:
    """The way from arrival to arrival, and the arrivals on it."""
    places = [(scale.x(moment(one.time)), TOP + ROW * at + ROW // 2) for at, one in enumerate(hosts)]
    for (x, y), (after, below) in pairwise(places):
        yield f'<path class="step" d="M{x:.1f} {y}H{after:.1f}V{below}"/>'
    for one, (x, y) in zip(hosts, places, strict=True):
        until = "how long it stayed is not known" if not one.known else "still there" if one.until is None else \
            f"until {one.until[:19].replace('T', ' ')}"
        told = f"{one.host}, {one.time[:19].replace('T', ' ')}, {until}"
        yield f'<g><title>{shown(told)}</title><circle class="k-0" cx="{x:.1f}" cy="{y}" r="4.5"/></g>'


def _short(host: str) -> str:
    return host if len(host) <= _LETTERS else host[:_LETTERS - 1] + "…"
