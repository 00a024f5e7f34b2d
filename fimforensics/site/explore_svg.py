"""The explorer's picture as SVG: equal answers give equal bytes, in the page and as a file.

Colours and shapes are those of a trace (`trace_svg`). In a page each thing links to the same picture with that thing told beside
it, and has a knob that expands or collapses it; a file has no links. No script, no style.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup, escape

from fimforensics.queries.trace_moments import ALL_TIME
from fimforensics.queries.trace_steps import COUNTED, Key
from fimforensics.queries.trace_words import label
from fimforensics.site.explore_asked import written
from fimforensics.site.explore_layout import ELBOW, HIGH, WIDE, Box, Picture
from fimforensics.site.explore_page import Edge, ExplorePage, More, Node
from fimforensics.site.trace_svg import SHAPES, clock, inert, shortened

PALE = ' opacity=".18"'  # later than the slider says; in a page the style sheet does that
DENSE = 80  # things beyond which relations are told on hover and in the tables only
MANY = 150  # things beyond which each has one link: to be chosen, and expanded beside
NAME, KIND = 208, 196  # room for a box's two lines, in tenths of a letter


def picture(page: ExplorePage, drawn: Picture, links: bool) -> Markup:
    """The SVG of a picture, with links in it or as a file."""
    return Markup("\n".join(_parts(page, drawn, links)))


def told(text: str) -> str:
    """A text of the case as it may stand in the picture. Everything that is not a number or ours goes through here."""
    return str(escape(inert(text)))


def _parts(page: ExplorePage, drawn: Picture, links: bool) -> Iterator[str]:
    dense = len(page.nodes) > DENSE
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" class="trace explore{" dense" if dense else ""}" role="group" '
           f'aria-label="Graph of {len(page.nodes):,} things and {len(page.edges):,} relations" width="{drawn.width}" '
           f'height="{drawn.height}" viewBox="0 0 {drawn.width} {drawn.height}" '
           'font-family="system-ui, Segoe UI, Noto Sans, Liberation Sans, sans-serif">')
    yield '<rect class="ground" width="100%" height="100%" fill="#ffffff"/>'
    boxes, until = drawn.at(), page.state.at or ALL_TIME
    for edge in sorted(page.edges, key=lambda edge: (edge.way, edge.tree)):  # so that no line runs over a word
        yield _edge(edge, boxes, until, dense, links)
    for box in drawn.boxes:
        if isinstance(box.item, More):
            yield _more(box, box.item, boxes[box.of], links)
    for box in drawn.boxes:
        if isinstance(box.item, Node):
            yield _node(page, box, box.item, until, links)
    yield "</svg>"


def _edge(edge: Edge, boxes: dict[Key, Box], until: str, dense: bool, links: bool) -> str:
    one, later = edge.relation, edge.relation.first > until
    subject, object_ = boxes[one.subject], boxes[one.object]
    line, tip, at = _line(edge, subject, object_)
    words = label(one.relation) + (f" ×{one.events:,}" if one.events > 1 else "")
    span = clock(one.first) + (f" to {clock(one.last)}" if one.last != one.first else "")
    known = f", known by {one.basis}" if one.basis else ""
    title = told(f"{_name(subject)} {words} {_name(object_)}, {span} UTC{known}")
    colour, wide = ("#b3480a", "2.5") if edge.way else ("#6b7478", "1")
    classes = f'edge{" way" if edge.way else ""}{"" if edge.tree else " across"}{" later" if later else ""}'
    dashes = "" if edge.tree or edge.way else ' stroke-dasharray="5 4"'
    return (f'<g class="{classes}" data-time="{told(one.first)}"{PALE if later and not links else ""}><title>{title}</title>'
            f'<path class="line" d="{line}" fill="none" stroke="{colour}" stroke-width="{wide}"{dashes}/>'
            f'<path class="tip" d="{tip}" fill="{colour}"/>{_words(at, words, one.first) if at and not dense else ""}</g>')


def _words(at: tuple[int, int], words: str, time: str) -> str:
    """A relation and its time beside the thing that it led to, on the colour of the ground."""
    ground = 'stroke="#ffffff" stroke-width="3" paint-order="stroke"'
    return (f'<text class="told" x="{at[0]}" y="{at[1] - 5}" font-size="11.5" fill="#1d2326" {ground}>'
            f'{told(shortened(words, 190))}</text><text class="when" x="{at[0]}" y="{at[1] + 13}" font-size="10.5" '
            f'fill="#565f63" {ground}>{told(clock(time)[:19])}</text>')


def _name(box: Box) -> str:
    return box.item.thing.name if isinstance(box.item, Node) else ""


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


def _node(page: ExplorePage, box: Box, node: Node, until: str, links: bool) -> str:
    thing, later = node.thing, bool(node.time) and node.time > until
    signs = [(word, name) for word, name, on in (
        ("start", "starting point", node.start), ("open", "expanded", node.opened), ("pinned", "pinned", node.pinned),
        ("picked", "one end of the way", node.picked), ("chosen", "chosen", page.on is node)) if on]
    title = told(", ".join([f"{thing.kind} {thing.name}", *([f"{clock(node.time)} UTC"] if node.time else []),
                            *(name for _, name in signs)]))
    body = f"<title>{title}</title>{_box(box, node)}"
    if links:
        body = f'<a href="?{escape(page.state.query(on=node.key))}" data-go="on" aria-label="{title}">{body}</a>'
    classes = " ".join(["node", f"k-{thing.kind.partition(' ')[0]}", *(word for word, _ in signs), *(["later"] if later else [])])
    return (f'<g class="{classes}" data-key="{written(node.key)}" data-time="{told(node.time)}"'
            f'{PALE if later and not links else ""}>{body}{_pin(box) if node.pinned else ""}{_knob(page, box, node, links)}</g>')


def _box(box: Box, node: Node) -> str:
    """What is seen of a thing: its kind as a mark and in words, its short name, its host."""
    thing, x, y = node.thing, box.x, box.y
    fill, colour = "#f1efe9" if node.opened else "#ffffff", "#b3480a" if node.picked else "#565f63"
    name = told(shortened(inert(thing.short), NAME - 20 * node.pinned - 18 * node.start))
    kind = told(shortened(inert(f"{thing.kind} on {thing.host}" if thing.host else thing.kind),
                          KIND if node.opened or node.links else KIND + 40))
    bold = ' font-weight="650"' if node.start else ""
    return (f'<rect class="box" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="5" fill="{fill}" stroke="{colour}" '
            f'stroke-width="{3 if node.start or node.picked else 1}"/><g transform="translate({x + 9} {y + 15})">'
            f'{SHAPES[thing.kind]}</g><text class="name" x="{x + 33}" y="{y + 20}" font-size="12.5" fill="#1d2326"{bold}>{name}'
            f'</text><text class="kind" x="{x + 33}" y="{y + 36}" font-size="10.5" fill="#565f63">{kind}</text>')


def _pin(box: Box) -> str:
    return f'<path class="pin" d="M{box.x + WIDE - 16} {box.y + 4}h6v6l3 3h-5v6l-1 2-1-2v-6h-5l3-3z" fill="#b3480a"/>'


def _knob(page: ExplorePage, box: Box, node: Node, links: bool) -> str:
    """Expands or collapses; how many relations a closed thing has."""
    if not links or not (node.opened or node.links) or (len(page.nodes) > MANY and page.on is not node and not node.opened):
        return ""
    x, y = box.x + WIDE - 38, box.y + HIGH - 25
    words = "−" if node.opened else f"+{node.links}" if node.links < 100 else "99+"
    query = page.state.closed(node.key) if node.opened else page.state.opened(node.key)
    act = told(f"{'Collapse' if node.opened else 'Expand'} {node.thing.short}")
    return (f'<a class="knob" href="?{escape(query)}" data-go="open" aria-label="{act}"><rect x="{x}" y="{y}" width="38" '
            f'height="25" fill="transparent"/><rect class="pill" x="{x + 2}" y="{y + 5}" width="32" height="16" rx="8" '
            f'fill="#f1efe9" stroke="#565f63"/><text class="told" x="{x + 18}" y="{y + 16.5}" font-size="10.5" '
            f'text-anchor="middle" fill="#1d2326">{words}</text></a>')


def _more(box: Box, more: More, of: Box, links: bool) -> str:
    """What an expanded thing has beyond what is shown."""
    x, y, right = box.x, box.y + 8, box.x > of.x
    begin, end = (of.x + WIDE, x) if right else (x + WIDE, of.x)
    high, low = (of.y + HIGH // 2, y + 14) if right else (y + 14, of.y + HIGH // 2)
    turn = begin + ELBOW if right else end - ELBOW
    count = f"+{more.hidden:,} more" if more.hidden < COUNTED else f"+{COUNTED:,} or more"
    inside = (f'<rect class="box" x="{x}" y="{y}" width="{WIDE}" height="28" rx="14" fill="#ffffff" stroke="#565f63" '
              f'stroke-dasharray="4 3"/><text class="name" x="{x + 14}" y="{y + 18}" font-size="12" fill="#1d2326">{count}: '
              f'{label(more.relation)}</text>')
    if links:
        inside = f'<a href="?{escape(more.query)}" data-go="more">{inside}</a>'
    return (f'<g class="more"><path class="line" d="M{begin} {high}H{turn}V{low}H{end}" fill="none" stroke="#6b7478" '
            f'stroke-dasharray="4 3"/>{inside}</g>')
