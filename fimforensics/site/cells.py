"""One value of evidence as inert HTML: escapes visible, no links out, times and hashes easy to compare by eye.

A page is trusted less than its reader thinks: bidi marks reorder what is read, an address in a cell asks to be clicked.
So every text goes through `visible`, stands in `<bdi>`, and only rows of this case are linked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from markupsafe import Markup, escape

from fimforensics.site.tables import HASHES, foreign_keys
from fimforensics.site.zones import local
from fimforensics.text import visible

CUT = 300  # characters of a text in a table of many rows
LONGEST = 400  # characters of a name beside others; its own page has all
LINES = 20  # of JSON; more are set in columns
SHORT = 16  # characters that are never cut off by the width of a column
TITLE = 2000  # characters in a title
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z")
_HEX = re.compile(r"[0-9a-f]{32,128}(?:-\d+)?")
Value = object


def text(value: str, cut: int = CUT) -> Markup:
    """Text as a reader may trust it; longer than `cut` it ends with how much there is more.

    Where it is cut it may be drawn shorter still, on one line; then its title has it.
    """
    if cut and len(value) > cut:
        return Markup('<bdi class="text" title="{}">{}</bdi><i class="more">… {:,} characters in all</i>').format(
            visible(value[:TITLE]), visible(value[:cut]), len(value))
    if cut and len(value) > SHORT:
        return Markup('<bdi class="text" title="{0}">{0}</bdi>').format(visible(value))
    return Markup('<bdi class="text">{}</bdi>').format(visible(value))


def middle(value: str, most: int = 72) -> str:
    """A long name without its middle: exports lie in deep folders whose names differ at the end."""
    return value if len(value) <= most else f"{value[:most // 3]}…{value[len(value) - most + most // 3:]}"


def brief(value: object) -> object:
    """A text beside others: one that is longer than any name in earnest without its middle, so that it hides nothing else."""
    return middle(value, LONGEST) if isinstance(value, str) else value


def block(value: str) -> Markup:
    """Text over several lines, each line's controls visible; line ends stay line ends."""
    return Markup("\n").join(escape(visible(line)) for line in value.split("\n"))


def time(value: str, short: bool = False) -> Markup:
    """A canonical time with its fraction set back (if `short` without the zeros at its end); other text as text."""
    match = _TIME.fullmatch(value)
    if match is None:
        return text(value, 0)
    day, clock, fraction = match.groups()
    if short:
        fraction = (fraction or "").rstrip("0").rstrip(".")
    if there := local(value):
        return Markup('<time datetime="{0}" title="{0}">{1}<small>{2} {3}</small></time>').format(value, there[0], fraction or "",
                                                                                                there[1])
    return Markup(f'<time datetime="{value}">{day} {clock}<small>{fraction or ""}Z</small></time>')  # of figures and signs only


def moment(value: str) -> Markup:
    """A canonical time to the second, for sentences; other text as text."""
    match = _TIME.fullmatch(value)
    if match is None:
        return text(value, 0)
    if there := local(value):
        return Markup('<time datetime="{0}" title="{0}">{1} <small>{2}</small></time>').format(value, *there)
    # nothing but figures and signs of a time, so nothing to escape: a page has thousands
    return Markup(f'<time datetime="{value}" title="{value}">{match[1]} {match[2]}</time>')


def hexadecimal(value: str) -> Markup:
    """A hash: whole in the page, so that it can be searched, copied and printed, short on the screen."""
    return Markup('<code class="hash" title="{0}">{0}</code>').format(value)


def pretty_json(value: str) -> Markup:
    """A JSON text set out over lines; as text where it is none."""
    try:
        told = json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text(value, 0)
    many = " many" if told.count("\n") > LINES else ""
    return Markup('<pre class="json{}">{}</pre>').format(many, block(told))


def cell(value: Value, column: str, table: str | None, link: Callable[[str, object], str], cut: int = CUT,
         mark: Callable[[str, object], Markup] = lambda table, number: Markup("")) -> Markup | None:
    """The HTML of one cell, None where there is nothing to show.

    `link(table, id)` gives the address of a row, `mark` a sign beside it where somebody has notes on it.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return _labelled(value, column, table, link, cut, mark)
    if isinstance(value, bytes):
        return hexadecimal(value.hex()) if len(value) <= 64 else Markup("<i>{:,} bytes</i>").format(len(value))
    if column == "event_id" and table is None and isinstance(value, int):  # an answer to a question; tables have labels
        return Markup('<a href="{}">{}</a>{}').format(link("events", value), value, mark("events", value))
    if isinstance(value, int | float):
        return _number(value, column)
    told = str(value)
    if told == "":
        return Markup('<i class="empty">empty text</i>')
    if column in HASHES and _HEX.fullmatch(told):
        return hexadecimal(told)
    if len(told) < 40 and _TIME.fullmatch(told):
        return time(told, bool(cut))
    return text(told, cut)


def _number(value: float, column: str) -> Markup:
    grouped = isinstance(value, int) and column in _COUNTS
    return Markup('<span class="number">{}</span>').format(f"{value:,}" if grouped else value)


_COUNTS = frozenset(["events", "records", "new_events", "known_events", "rejects", "size", "file_size", "duration_ms", "files",
                     "count", "registry_values", "hosts"])


def _labelled(value: dict[str, object], column: str, table: str | None, link: Callable[[str, object], str],
              cut: int, mark: Callable[[str, object], Markup]) -> Markup:
    """A foreign key with its label: a link to the row it means."""
    other = foreign_keys().get((table or "", column))
    label, identity = value.get("label"), value.get("value")
    told = cell(label, "sha256" if column == "content_id" else "", None, link, cut) if label is not None else None
    shown = told or Markup("no. {}").format(identity)
    return Markup('<a href="{}">{}</a>{}').format(link(other, identity), shown, mark(other, identity)) if other else shown
