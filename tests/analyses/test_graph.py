"""The graph and its formats: what they hold, that hostile names stay text, that the same case gives the same bytes."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from building import change, made

from fimforensics import case as cases
from fimforensics import graph as graphs
from fimforensics.exports import EXPORTS
from fimforensics.queries import entities
from fimforensics.queries.trace import trace

HOSTILE = "/tmp/\"<b>&amp;\u202e]\\N\n\x1b;end --> n0\ufffe"
SHOWN = "/tmp/\"<b>&amp;\\u202e]\\N\\n\\x1b;end --> n0\ufffe"


def small(folder: Path, path: str = "/opt/x") -> Path:
    """Two changes of one file by one process."""
    return made(folder, [change("srv-1", time, path, content="x", by="/bin/cp", pid=1, started="08:00", account="srv-1\\root")
                         for time in ("08:00", "09:00")], analyses=("versions", "relations"))


def whole(case: Path) -> nx.MultiDiGraph:
    """The graph of the case."""
    with cases.reading(case) as db:
        found, more = graphs.of_case(db)
        assert not more
        return found


def written(name: str, graph: nx.MultiDiGraph) -> str:
    """The graph in a format."""
    return "".join(next(one for one in EXPORTS if one.name == name).write(graph))


def named(graph: nx.MultiDiGraph) -> list[tuple[str, str, str, int, str, str]]:
    """Edges by names."""
    name = graph.nodes(data="name")
    return sorted((name[one].partition("@")[0], data["relation"], name[other].partition("@")[0][:12], data["events"],
                   data["first"][11:16], data["last"][11:16]) for one, other, data in graph.edges(data=True))


def test_the_whole_case_is_its_relations(tmp_path: Path) -> None:
    assert named(whole(small(tmp_path))) == [
        ("srv-1:/opt/x", "had", "2d711642b726", 2, "08:00", "09:00"),
        ("srv-1:cp[1]", "modified", "srv-1:/opt/x", 2, "08:00", "09:00"),
        ("srv-1\\root", "ran", "srv-1:cp[1]", 2, "08:00", "09:00"),
    ]


def test_of_a_trace_only_its_steps(tmp_path: Path) -> None:
    with cases.reading(small(tmp_path)) as db:
        graph = graphs.of_traces(db, [trace(db, entities.resolve(db, "srv-1:/opt/x"), forward=False)])
    assert named(graph) == [("srv-1:cp[1]", "modified", "srv-1:/opt/x", 2, "09:00", "09:00"),
                            ("srv-1\\root", "ran", "srv-1:cp[1]", 2, "08:00", "08:00")]
    assert [data["name"] for _, data in graph.nodes(data=True) if data["start"]] == ["srv-1:/opt/x"]


def test_a_limit_is_told(tmp_path: Path) -> None:
    with cases.reading(small(tmp_path)) as db:
        found, more = graphs.of_case(db, 2)
    assert (found.number_of_edges(), more) == (2, True)


@pytest.mark.parametrize("name", [one.name for one in EXPORTS])
def test_equal_cases_give_equal_text_without_control_characters(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = (written(name, whole(small(tmp_path / folder, HOSTILE))) for folder in "ab")
    assert one == other
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", one) == []


def test_graphml_and_gexf_are_read_again_by_networkx(tmp_path: Path) -> None:
    graph = whole(small(tmp_path, HOSTILE))
    shown = f"srv-1:{SHOWN}".replace("\ufffe", "\\ufffe")
    again = nx.read_graphml(io.BytesIO(written("graphml", graph).encode()), force_multigraph=True)
    assert {data["name"] for _, data in again.nodes(data=True) if data["kind"] == "file"} == {shown}
    assert [(one, other, data["relation"], data["events"]) for one, other, data in again.edges(data=True)] == \
        [(one, other, data["relation"], data["events"]) for one, other, data in graph.edges(data=True)]
    text = written("gexf", graph)
    once_more = nx.read_gexf(io.BytesIO(text.encode()))
    assert {data["label"] for _, data in once_more.nodes(data=True) if data["kind"] == "file"} == {shown}
    assert len(ElementTree.fromstring(text).findall(".//{*}edge")) == graph.number_of_edges()


def test_cytoscape_is_json_that_networkx_reads(tmp_path: Path) -> None:
    graph = whole(small(tmp_path, HOSTILE))
    again = nx.cytoscape_graph(json.loads(written("cytoscape", graph)))
    assert [data["name"] for _, data in again.nodes(data=True)] == [data["name"] for _, data in graph.nodes(data=True)]
    assert again.number_of_edges() == graph.number_of_edges()


def test_dot_and_mermaid_keep_names_inside_their_quotes(tmp_path: Path) -> None:
    graph = whole(small(tmp_path, HOSTILE))
    dot = written("dot", graph)
    assert re.sub(r'"(\\.|[^"\\])*"', '""', dot).splitlines() == [
        "digraph case {", "  rankdir=LR;", *(f'  "" [label="", shape={shape}];' for shape in _shapes(graph)),
        *['  "" -> "" [label=""];'] * 3, "}"]
    for line in written("mermaid", graph).splitlines()[1:]:
        assert re.fullmatch(r'  n\d+(\["[^"<>&\\\[\]`]*"\]| -->\|"[^"<>&\\\[\]`]*"\| n\d+)', line), line


def _shapes(graph: nx.MultiDiGraph) -> list[str]:
    shapes = {"account": "house", "process": "ellipse", "file": "box", "content": "hexagon"}
    return [shapes[data["kind"]] for _, data in graph.nodes(data=True)]
