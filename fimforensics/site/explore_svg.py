"""The explorer's picture as SVG: equal answers give equal bytes, in the page and as a file.

Colours and shapes are those of a trace (`trace_svg`). In a page each thing links to the same picture with that thing told beside
it, and has a knob that expands or collapses it; a file has no links. No script, no style.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import COUNTED, Key
from fimforensics.queries.trace_words import label
from fimforensics.site.explore_asked import written
from fimforensics.site.explore_layout import ELBOW, HIGH, WIDE, Box, Picture
from fimforensics.site.explore_page import Edge, ExplorePage, More, Node
from fimforensics.site.trace_svg import SHAPES, clock, inert, shortened

PALE = Markup(' opacity=".18"')  # later than the slider says; in a page the style sheet does that
DENSE = 80  # things beyond which relations are told on hover and in the tables only
NAME, KIND = 222, 208  # room for a box's two lines, in tenths of a letter


def picture(page: ExplorePage, drawn: Picture, links: bool) -> Markup:
    """The SVG of a picture, with links in it or as a file."""
    return Markup("\n").join(_parts(page, drawn, links))


def _parts(page: ExplorePage, drawn: Picture, links: bool) -> Iterator[Markup]:
    dense = len(page.nodes) > DENSE
    said = f"Graph of {len(page.nodes):,} things and {len(page.edges):,} relations"
    yield Markup('<svg xmlns="http://www.w3.org/2000/svg" class="trace explore{}" role="group" aria-label="{}" width="{}" '
                 'height="{}" viewBox="0 0 {} {}" font-family="system-ui, Segoe UI, Noto Sans, Liberation Sans, sans-serif">'
                 ).format(" dense" if dense else "", said, drawn.width, drawn.height, drawn.width, drawn.height)
    yield Markup('<rect class="ground" width="100%" height="100%" fill="#ffffff"/>')
    boxes, until = drawn.at(), page.state.at or ALL_TIME
    for edge in sorted(page.edges, key=lambda edge: (edge.way, edge.tree)):  # so that no line runs over a word
        yield _edge(edge, boxes, until, dense, links)
    for box in drawn.boxes:
        if isinstance(box.item, More):
            yield _more(box, box.item, boxes[box.of], links)
    for box in drawn.boxes:
        if isinstance(box.item, Node):
            yield _node(page, box, box.item, until, links)
    yield Markup("</svg>")


def _edge(edge: Edge, boxes: dict[Key, Box], until: str, dense: bool, links: bool) -> Markup:
    one = edge.relation
    subject, object_ = boxes[one.subject], boxes[one.object]
    line, tip, label_at = _line(edge, subject, object_)
    often = f" ×{one.events:,}" if one.events > 1 else ""
    words = label(one.relation) + often
    span = clock(one.first) + (f" to {clock(one.last)}" if one.last != one.first else "")
    known = f", known by {one.basis}" if one.basis else ""
    told = Markup("")
    if label_at and not dense:
        told = Markup('<text class="told" x="{0}" y="{1}" font-size="11.5" fill="#1d2326"{5}>{3}</text><text class="when" '
                      'x="{0}" y="{2}" font-size="10.5" fill="#565f63"{5}>{4}</text>').format(
            label_at[0], label_at[1] - 5, label_at[1] + 13, shortened(words, 190), clock(one.first)[:19],
            Markup(' stroke="#ffffff" stroke-width="3" paint-order="stroke"'))
    later = one.first > until
    return Markup(
        '<g class="edge{}{}{}" data-time="{}"{}><title>{}</title><path class="line" d="{}" fill="none" stroke="{}" '
        'stroke-width="{}"{}/><path class="tip" d="{}" fill="{}"/>{}</g>').format(
        " way" if edge.way else "", "" if edge.tree else " across", " later" if later else "", inert(one.first),
        PALE if later and not links else "",
        inert(f"{subject.item.thing.name} {words} {object_.item.thing.name}, {span} UTC{known}"),  # type: ignore[union-attr]
        line, "#b3480a" if edge.way else "#6b7478", "2.5" if edge.way else "1",
        "" if edge.tree or edge.way else Markup(' stroke-dasharray="5 4"'), tip, "#b3480a" if edge.way else "#6b7478", told)


def _line(edge: Edge, subject: Box, object_: Box) -> tuple[str, str, tuple[int, int] | None]:
    """The path of a relation, its tip at the object, and where it is labelled: beside the thing it led to."""
    left, right = (subject, object_) if subject.x <= object_.x else (object_, subject)
    x, y, to, down = left.x + WIDE, left.y + HIGH // 2, right.x, right.y + HIGH // 2
    tip = (f"M{to} {down}l-7-4v8z" if right is object_ else f"M{x} {y}l7-4v8z")
    if to - x < 2 * ELBOW:  # one above the other: around on the right
        out = max(x, right.x + WIDE) + 46
        tip = (f"M{right.x + WIDE} {down}l7-4v8z" if right is object_ else f"M{x} {y}l7-4v8z")
        return f"M{x} {y}C{out} {y} {out} {down} {right.x + WIDE} {down}", tip, None
    if not edge.tree or subject.moved or object_.moved:
        bend = max((to - x) // 2, 30)
        middle = ((x + to) // 2 - 40, (y + down) // 2) if edge.tree else None
        return f"M{x} {y}C{x + bend} {y} {to - bend} {down} {to} {down}", tip, middle
    parent = _parent(subject, object_)
    back = right.of == parent  # what it led to stands left
    turn = to - ELBOW if back else x + ELBOW
    return f"M{x} {y}H{turn}V{down}H{to}", tip, (x + 8 if back else turn + 6, y if back else down)


def _parent(subject: Box, object_: Box) -> Key:
    """Which of the two the other was found from."""
    item = object_.item
    return subject.of if isinstance(item, Node) and item.parent == subject.of else object_.of


def _node(page: ExplorePage, box: Box, node: Node, until: str, links: bool) -> Markup:
    thing, later = node.thing, bool(node.time) and node.time > until
    x, y = box.x, box.y
    marks = [word for word, on in (("starting point", node.start), ("expanded", node.opened), ("pinned", node.pinned),
                                   ("one end of the way", node.picked), ("chosen", page.on is node)) if on]
    kind = f"{thing.kind} on {thing.host}" if thing.host else thing.kind
    told = ", ".join([f"{thing.kind} {thing.name}", *([f"{clock(node.time)} UTC"] if node.time else []), *marks])
    inside = Markup(
        '<title>{}</title><rect class="box" x="{}" y="{}" width="{}" height="{}" rx="5" fill="{}" stroke="{}" stroke-width="{}"/>'
        '<g transform="translate({} {})">{}</g><text class="name" x="{}" y="{}" font-size="12.5" fill="#1d2326"{}>{}</text>'
        '<text class="kind" x="{}" y="{}" font-size="10.5" fill="#565f63">{}</text>').format(
        inert(told), x, y, WIDE, HIGH, "#f1efe9" if node.opened else "#ffffff", "#b3480a" if node.picked else "#565f63",
        3 if node.start or node.picked else 1, x + 9, y + 15, Markup(SHAPES[thing.kind]), x + 33, y + 20,
        Markup(' font-weight="650"') if node.start else "", shortened(inert(thing.short), NAME - 20 * node.pinned),
        x + 33, y + 36,
        shortened(inert(kind), KIND if node.opened or node.links else KIND + 40))
    body = Markup('<a href="?{}" data-go="on" aria-label="{}">{}</a>').format(
        page.state.query(on=node.key), inert(told), inside) if links else inside
    return Markup('<g class="node k-{}{}{}" data-key="{}" data-time="{}"{}>{}{}{}</g>').format(
        thing.kind.partition(" ")[0], "".join(f" {word}" for word, on in (
            ("start", node.start), ("open", node.opened), ("pinned", node.pinned), ("picked", node.picked),
            ("chosen", page.on is node)) if on), " later" if later else "", written(node.key), inert(node.time),
        PALE if later and not links else "", body,
        _pin(box) if node.pinned else "", _knob(page, box, node, links))


def _pin(box: Box) -> Markup:
    return Markup('<path class="pin" d="M{} {}h6v6l3 3h-5v6l-1 2-1-2v-6h-5l3-3z" fill="#b3480a"/>').format(
        box.x + WIDE - 16, box.y + 4)


def _knob(page: ExplorePage, box: Box, node: Node, links: bool) -> Markup:
    """Expands or collapses; how many relations a closed thing has."""
    if not links or not (node.opened or node.links):
        return Markup("")
    x, y = box.x + WIDE - 38, box.y + HIGH - 25
    words = "−" if node.opened else f"+{node.links}" if node.links < 100 else "99+"
    return Markup(
        '<a class="knob" href="?{}" data-go="open" aria-label="{}"><rect x="{}" y="{}" width="38" height="25" '
        'fill="transparent"/><rect class="pill" x="{}" y="{}" width="32" height="16" rx="8" fill="#f1efe9" stroke="#565f63"/>'
        '<text class="told" x="{}" y="{}" font-size="10.5" text-anchor="middle" fill="#1d2326">{}</text></a>').format(
        page.state.closed(node.key) if node.opened else page.state.opened(node.key),
        inert(f"{'Collapse' if node.opened else 'Expand'} {node.thing.short}"), x, y, x + 2, y + 5, x + 18, y + 16.5, words)


def _more(box: Box, more: More, of: Box, links: bool) -> Markup:
    """What an expanded thing has beyond what is shown."""
    x, y, right = box.x, box.y + 8, box.x > of.x
    begin, end = (of.x + WIDE, x) if right else (x + WIDE, of.x)
    high, low = (of.y + HIGH // 2, y + 14) if right else (y + 14, of.y + HIGH // 2)
    turn = begin + ELBOW if right else end - ELBOW
    words = f"+{more.hidden:,} more" if more.hidden < COUNTED else f"+{COUNTED:,} or more"
    words = f"{words}: {label(more.relation)}"
    inside = Markup('<rect class="box" x="{}" y="{}" width="{}" height="28" rx="14" fill="#ffffff" stroke="#565f63" '
                    'stroke-dasharray="4 3"/><text class="name" x="{}" y="{}" font-size="12" fill="#1d2326">{}</text>').format(
        x, y, WIDE, x + 14, y + 18, words)
    return Markup('<g class="more"><path class="line" d="M{} {}H{}V{}H{}" fill="none" stroke="#6b7478" stroke-dasharray="4 3"/>'
                  "{}</g>").format(begin, high, turn, low, end,
                                   Markup('<a href="?{}" data-go="more">{}</a>').format(more.query, inside) if links else inside)
