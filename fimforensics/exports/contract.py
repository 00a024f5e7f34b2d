"""What a format of graphs is: a name, an ending, and a function from a graph to text, a piece at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx


_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Export:
    """One member of the shelf; equal graphs give equal text, without times of making or other chance."""

    name: str
    title: str
    ending: str
    write: Callable[[nx.MultiDiGraph], Iterator[str]]


def xml_text(text: object) -> str:
    """A text for XML, where some characters cannot stand: those as escapes."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found.group()):04x}", str(text))


def label(graph: nx.MultiDiGraph, node: str) -> str:
    """What a node is called in a picture: its kind and name."""
    return f"{graph.nodes[node]['kind']}: {graph.nodes[node]['name']}"


def edge_label(data: dict) -> str:
    """What an edge is called in a picture."""
    return data["relation"] + (f" ×{data['events']:,}" if data["events"] > 1 else "")


def for_xml(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """A copy with texts that XML can hold."""
    from networkx import MultiDiGraph

    copy = MultiDiGraph()
    for node, data in graph.nodes(data=True):
        copy.add_node(xml_text(node), **_texts(data))
    for one, other, key, data in graph.edges(keys=True, data=True):
        copy.add_edge(xml_text(one), xml_text(other), xml_text(key), **_texts(data))
    return copy


def _texts(data: dict) -> dict:
    return {name: xml_text(value) if isinstance(value, str) else value for name, value in data.items()}
