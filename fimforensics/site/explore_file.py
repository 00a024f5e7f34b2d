"""The explorer's picture in other forms: Cytoscape's JSON (the page's twin), and SVG and GraphML as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasette.utils.asgi import Request, Response
from markupsafe import Markup

from fimforensics.errors import Misuse, Problem
from fimforensics.exports import graphml
from fimforensics.site.explore_asked import written
from fimforensics.site.explore_layout import Picture, layout
from fimforensics.site.explore_page import ExplorePage, ask
from fimforensics.site.explore_svg import picture
from fimforensics.site.twins import Page, plain
from fimforensics.site.twins import answer as told
from fimforensics.text import visible


def cytoscape(page: object) -> Mapping[str, object]:
    """The answer in the words of Cytoscape.js, positions and all; beside it what the page says of the whole."""
    assert isinstance(page, ExplorePage)
    boxes = layout(page).at()
    nodes = [{"group": "nodes", "data": {
        "id": written(node.key), "kind": node.thing.kind, "name": node.thing.name, "short": node.thing.short,
        "host": node.thing.host, "table": node.thing.table, "number": node.thing.id, "time": node.time or None,
        "relations": node.links, "start": node.start, "expanded": node.opened, "pinned": node.pinned, "picked": node.picked,
        "more": plain(node.more)}, "position": {"x": boxes[node.key].x, "y": boxes[node.key].y}} for node in page.nodes]
    edges = [{"group": "edges", "data": {
        "id": f"e{at}", "source": written(edge.relation.subject), "target": written(edge.relation.object),
        "relation": edge.relation.relation, "basis": edge.relation.basis, "events": edge.relation.events,
        "first": edge.relation.first, "last": edge.relation.last, "way": edge.way}} for at, edge in enumerate(page.edges)]
    return {"elements": {"nodes": nodes, "edges": edges}, "address": page.state.query(), "truncated": page.truncated,
            "missed": page.missed, "way": page.way, "warnings": page.warnings,
            "unclear": page.unclear.name if page.unclear else None, "candidates": plain(page.candidates)}


async def answer(datasette: Any, request: Request) -> Response:
    """The picture as a file, SVG or GraphML as the address ends; without links, for they lead nowhere outside of the site."""
    form = request.url_vars["form"]
    try:
        page = await told(datasette, request, Page("explore.html", ask))
    except (Misuse, Problem) as error:
        return Response.text(error.line() + "\n", status=400)
    assert isinstance(page, ExplorePage)
    if not page.nodes:
        return Response.text("Nothing is asked: name a thing.\n", status=400)
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + str(picture(page, layout(page), False)) + "\n" if form == "svg" else \
        "".join(graphml.EXPORT.write(graph(page)))
    kind = "image/svg+xml" if form == "svg" else "application/graphml+xml"
    return Response(body, content_type=f"{kind}; charset=utf-8",
                    headers={"content-disposition": f'attachment; filename="graph.{form}"'})


def graph(page: ExplorePage) -> Any:
    """The picture as networkx has it, as `graph.of_traces` writes them."""
    from networkx import MultiDiGraph  # takes long to load, and only this asks for it

    made = MultiDiGraph()
    for node in page.nodes:
        made.add_node(_id(node.key), kind=node.thing.kind, name=visible(node.thing.name), start=node.start)
    for edge in page.edges:
        one = edge.relation
        made.add_edge(_id(one.subject), _id(one.object), f"{one.relation} {one.basis}" if one.basis else one.relation,
                      relation=one.relation, basis=visible(one.basis or ""), events=one.events, first=one.first, last=one.last)
    return made


def _id(key: tuple[str, int]) -> str:
    return f"{key[0].removeprefix('registry ')}:{key[1]}"


def drawn(page: ExplorePage) -> tuple[Picture, Markup]:
    """The picture for the page."""
    found = layout(page)
    return found, picture(page, found, True)
