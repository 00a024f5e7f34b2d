"""GEXF 1.2, for Gephi; our own few lines, since networkx writes the day of making into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from fimforensics.exports.contract import Export, xml_text

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx

_NODE = (("kind", "string"), ("start", "boolean"))
_EDGE = (("relation", "string"), ("basis", "string"), ("events", "long"), ("first", "string"), ("last", "string"))


def write(graph: nx.MultiDiGraph) -> Iterator[str]:
    """The graph's lines."""
    yield '<?xml version="1.0" encoding="utf-8"?>\n<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'
    yield '<graph defaultedgetype="directed" mode="static">\n'
    for kind, attributes in (("node", _NODE), ("edge", _EDGE)):
        yield f'<attributes class="{kind}">\n'
        yield from (f'<attribute id="{name}" title="{name}" type="{type_}"/>\n' for name, type_ in attributes)
        yield "</attributes>\n"
    yield "<nodes>\n"
    for node, data in graph.nodes(data=True):
        yield f'<node id={_quoted(node)} label={_quoted(data["name"])}>{_values(data, _NODE)}</node>\n'
    yield "</nodes>\n<edges>\n"
    for at, (one, other, data) in enumerate(graph.edges(data=True)):
        yield (f'<edge id="{at}" source={_quoted(one)} target={_quoted(other)} label={_quoted(data["relation"])}>'
               f"{_values(data, _EDGE)}</edge>\n")
    yield "</edges>\n</graph>\n</gexf>\n"


def _values(data: dict, attributes: tuple[tuple[str, str], ...]) -> str:
    told = "".join(f'<attvalue for="{name}" value={_quoted(str(data[name]).lower() if type_ == "boolean" else data[name])}/>'
                   for name, type_ in attributes)
    return f"<attvalues>{told}</attvalues>"


def _quoted(value: object) -> str:
    return quoteattr(xml_text(value))


EXPORT = Export("gexf", "GEXF, for Gephi", "gexf", write)
