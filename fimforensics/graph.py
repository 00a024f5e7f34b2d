"""The case as a graph for networkx: of relations as they are rolled up, or of what a trace found; never of raw events.

Nodes are `kind:number` with kind and name, edges carry relation, basis, events, first and last. Texts are made visible: what
steers a terminal or cannot stand in XML is an escape.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fimforensics.queries import entities
from fimforensics.queries.trace import Trace
from fimforensics.queries.trace_steps import Key
from fimforensics.text import visible

if TYPE_CHECKING:  # it takes long to load, and is only needed where a graph is made
    import networkx as nx

LIMIT = 200_000  # relations of a whole case, unless more are asked for


def of_case(db: sqlite3.Connection, limit: int = LIMIT) -> tuple[nx.MultiDiGraph, bool]:
    """All relations, and whether there are more than `limit`: then those first in the table."""
    from networkx import MultiDiGraph

    graph = MultiDiGraph()
    rows = db.execute("SELECT subject_kind, subject_id, relation, object_kind, object_id, basis, events, first, last "
                      "FROM relations ORDER BY id LIMIT ?", (limit + 1,))
    for at, (subject_kind, subject, relation, object_kind, object_, *rest) in enumerate(rows):
        if at == limit:
            return graph, True
        _edge(db, graph, (subject_kind, subject), relation, (object_kind, object_), *rest)
    return graph, False


def of_traces(db: sqlite3.Connection, traces: Iterable[Trace]) -> nx.MultiDiGraph:
    """The steps of traces, and where they start; each relation once, from its first step to its last."""
    from networkx import MultiDiGraph

    graph = MultiDiGraph()
    for found in traces:
        for key in found.things:
            graph.add_node(_node(db, graph, key), start=True)
        for step in found.steps:
            move = step.move
            _edge(db, graph, move.subject, move.relation, move.object, move.basis, move.events, move.time, move.time)
    return graph


def _edge(db: sqlite3.Connection, graph: nx.MultiDiGraph, subject: Key, relation: str, object_: Key, basis: str | None,
          events: int, first: str, last: str) -> None:
    one, other, key = _node(db, graph, subject), _node(db, graph, object_), f"{relation} {basis}" if basis else relation
    if graph.has_edge(one, other, key):
        known = graph.edges[one, other, key]
        known["first"], known["last"] = min(known["first"], first), max(known["last"], last)
        return
    graph.add_edge(one, other, key, relation=relation, basis=visible(basis or ""), events=events, first=first, last=last)


def _node(db: sqlite3.Connection, graph: nx.MultiDiGraph, key: Key) -> str:
    number = f"{key[0].removeprefix('registry ')}:{key[1]}"
    if number not in graph:
        graph.add_node(number, kind=key[0], name=visible(entities.name(db, *key)), start=False)
    return number
