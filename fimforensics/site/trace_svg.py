"""The picture of a trace as SVG: equal traces give equal bytes, in the page and as a file.

Each kind of thing has a colour, a shape and its name in words. Colours stand as attributes, so that the file shows them by
itself; in a page the style sheet goes over them (dark, print). No script, no style, no address but links within the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from markupsafe import Markup

from fimforensics.queries.trace_words import label
from fimforensics.site.trace_layout import Edge, Node, Picture, layout
from fimforensics.site.trace_page import Thing, TracePage
from fimforensics.text import visible

WIDE, HIGH, ACROSS, BETWEEN, EDGE = 196, 44, 136, 18, 12
ELBOW = 12  # where lines to several things part
NAME, KIND = 204, 240  # room for a node's two lines, in tenths of a letter
Link = Callable[[Thing], str]

SHAPES = {
    "file": '<path class="mark" d="M0 0h8l5 5v11H0z" fill="#2f7f8f"/>',
    "registry value": '<path class="mark" d="M4 1h8l4 7-4 7H4L0 8z" fill="#b0760f"/>',
    "process": '<circle class="mark" cx="8" cy="8" r="7.5" fill="#7a5ea8"/>',
    "account": '<path class="mark" d="M8 0a4 4 0 0 1 0 8 4 4 0 0 1 0-8zM0 16a8 7 0 0 1 16 0z" fill="#3a7a35"/>',
    "content": '<path class="mark" d="M8 0l8 8-8 8-8-8z" fill="#566a75"/>',
    "address": '<path class="mark" d="M8 1l8 14H0z" fill="#a04a5f"/>',
    "event": '<path class="mark" d="M0 3h16v10H0z" fill="#566a75"/>',
}


def picture(page: TracePage, link: Link | None = None) -> Markup:
    """The SVG of what a page tells; with links in it where `link` gives a thing's address."""
    return Markup("\n").join(_parts(page, layout(page), link))


def _parts(page: TracePage, drawn: Picture, link: Link | None) -> Iterator[Markup]:
    width = 2 * EDGE + drawn.columns * WIDE + (drawn.columns - 1) * ACROSS
    height = 2 * EDGE + drawn.rows * HIGH + (drawn.rows - 1) * BETWEEN
    assert page.start is not None
    said = f"Graph from {page.start.kind} {page.start.name}: {len(drawn.nodes)} things, {len(drawn.edges)} steps"
    yield Markup('<svg xmlns="http://www.w3.org/2000/svg" class="trace" role="group" aria-label="{}" width="{}" height="{}" '
                 'viewBox="0 0 {} {}" font-family="system-ui, Segoe UI, Noto Sans, Liberation Sans, sans-serif">').format(
        inert(said), width, height, width, height)
    yield Markup('<rect class="ground" width="100%" height="100%" fill="#ffffff"/>')
    nodes = {node.number: node for node in drawn.nodes}
    yield from (_edge(edge, nodes) for edge in drawn.edges)
    yield from (_node(node, link) for node in drawn.nodes)
    yield Markup("</svg>")


def _at(node: Node) -> tuple[int, int]:
    """The upper left corner of a node."""
    return EDGE + node.column * (WIDE + ACROSS), EDGE + node.row * (HIGH + BETWEEN)


def _edge(edge: Edge, nodes: dict[int, Node]) -> Markup:
    (left, top), (right, low) = _at(nodes[edge.before]), _at(nodes[edge.after])
    x, y, to, down = left + WIDE, top + HIGH // 2, right, low + HIGH // 2
    back = edge.before == edge.number  # the thing of this step stands left of what it led to
    turn = to - ELBOW if back else x + ELBOW
    text, level = (x + 6 if back else turn + 6), (y if back else down)
    words = label(edge.relation)
    return Markup(
        '<g class="edge{}" data-step="{}" data-time="{}"><title>{}</title>'
        '<path class="line" d="M{} {}H{}V{}H{}" fill="none" stroke="#6b7478"/><path class="tip" d="M{} {}l-7-4v8z" '
        'fill="#6b7478"/><text class="told" x="{}" y="{}" font-size="11.5" fill="#1d2326">{}</text>'
        '<text class="when" x="{}" y="{}" font-size="10.5" fill="#565f63">{}</text></g>').format(
        "" if edge.fits else " between", edge.number, inert(edge.time), f"{words}, {clock(edge.time)} UTC",
        x, y, turn, down, to, to, down, text, level - 5, words, text, level + 13, clock(edge.time)[:19])


def _node(node: Node, link: Link | None) -> Markup:
    x, y = _at(node)
    thing, begin = node.thing, node.number == 0
    again = "" if node.again is None else f"followed at step {node.again}" if node.again else "the start"
    kind = again or (f"{thing.kind} on {thing.host}" if thing.host else thing.kind)
    title = ", ".join(part for part in (f"{thing.kind} {thing.name}", f"{clock(node.time)} UTC" if node.time else "the start",
                                        again) if part)
    inside = Markup(
        '<title>{}</title><rect class="box" x="{}" y="{}" width="{}" height="{}" rx="5" fill="#ffffff" stroke="#565f63" '
        'stroke-width="{}"{}/><g transform="translate({} {})">{}</g><text class="name" x="{}" y="{}" font-size="12.5" '
        'fill="#1d2326"{}>{}</text><text class="kind" x="{}" y="{}" font-size="10.5" fill="#565f63">{}</text>').format(
        inert(title), x, y, WIDE, HIGH, 3 if begin else 1, Markup(' stroke-dasharray="4 3"') if again else "", x + 9, y + 14,
        Markup(SHAPES[thing.kind]), x + 34, y + 19, Markup(' font-weight="650"') if begin else "",
        shortened(inert(thing.short), NAME - 20 * begin), x + 34, y + 34, shortened(inert(kind), KIND))
    body = Markup('<a href="{}">{}</a>').format(link(thing), inside) if link else inside
    return Markup('<g class="node k-{}{}{}" data-step="{}" data-time="{}">{}</g>').format(
        thing.kind.partition(" ")[0], " start" if begin else "", "" if node.fits else " between", node.number,
        inert(node.time or ""), body)


def shortened(text: str, room: int) -> str:
    """Text for so many tenths of a letter's width, without its middle where it is longer."""
    widths = [20 if char >= "\u1100" else 14 if char.isupper() or char in "mwMW@%" else 6 if char in "iljtf.,:;|!'()[] " else 10
              for char in text]
    if sum(widths) <= room:
        return text
    left = right = 0
    room -= 10
    while room >= widths[left] and room >= widths[-1 - right]:
        if left <= right:
            room -= widths[left]
            left += 1
        else:
            room -= widths[-1 - right]
            right += 1
    return f"{text[:left]}…{text[len(text) - right:]}"


def clock(time: str) -> str:
    """A canonical time to the millisecond, for reading."""
    return inert(time)[:23].replace("T", " ").rstrip("Z")


def inert(text: str) -> str:
    """Text that a reader may trust, of characters that XML can hold."""
    return visible(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
