"""The formats in which a graph leaves the case: a new one is one file and one line here."""

from __future__ import annotations

from fimforensics.exports import cytoscape, dot, gexf, graphml, mermaid
from fimforensics.exports.contract import Export

__all__ = ["EXPORTS", "Export"]

EXPORTS: tuple[Export, ...] = (
    graphml.EXPORT,
    gexf.EXPORT,
    cytoscape.EXPORT,
    dot.EXPORT,
    mermaid.EXPORT,
)
