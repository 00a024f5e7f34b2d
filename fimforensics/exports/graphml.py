"""GraphML, by networkx: for Gephi, yEd, Cytoscape and most other tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fimforensics.exports.contract import Export, for_xml

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx


def write(graph: nx.MultiDiGraph) -> Iterator[str]:
    """The graph's lines."""
    yield "<?xml version='1.0' encoding='utf-8'?>\n"
    from networkx import generate_graphml

    for line in generate_graphml(for_xml(graph)):
        yield line + "\n"


EXPORT = Export("graphml", "GraphML, for most tools", "graphml", write)
