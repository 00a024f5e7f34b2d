"""The JSON of Cytoscape and Cytoscape.js, one element a line, in ASCII; `value` is what networkx reads a node's id from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fimforensics.exports.contract import Export

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx


def write(graph: nx.MultiDiGraph) -> Iterator[str]:
    """The graph's lines."""
    yield '{"data": [], "directed": true, "multigraph": true, "elements": {"nodes": [\n'
    yield from _listed({"data": {"id": node, "value": node, **data}} for node, data in graph.nodes(data=True))
    yield '], "edges": [\n'
    yield from _listed({"data": {"id": f"e{at}", "source": one, "target": other, **data}}
                       for at, (one, other, data) in enumerate(graph.edges(data=True)))
    yield "]}}\n"


def _listed(elements: Iterable[dict]) -> Iterator[str]:
    for at, element in enumerate(elements):
        yield (",\n" if at else "") + json.dumps(element, ensure_ascii=True).replace("\x7f", "\\u007f")
    yield "\n"


EXPORT = Export("cytoscape", "JSON for Cytoscape and Cytoscape.js", "cyjs", write)
