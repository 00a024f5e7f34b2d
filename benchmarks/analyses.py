"""Times the analyses beside peers that do a part of the same work, at several sizes, and the questions asked of the result.

The relations are told event by event to networkx, and the versions of files found by pandas' group-by, each in a process of its
own over the same case. `trace` and `history` are asked of the smallest and the largest case, the same number of entities each,
the median of several rounds; their time must not grow with the case. No figure is ever asserted: machines differ.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.run import Measured, made, measure, place
from fimforensics import case as cases
from fimforensics.queries import history, trace
from fimforensics.queries.entities import Entity, name

NETWORKX = """
import sqlite3, sys, networkx
graph = networkx.MultiDiGraph()
for account, process, change, file, value, content in sqlite3.connect(sys.argv[1]).execute(
        "SELECT account_id, process_id, change_id, file_id, registry_value_id, content_id FROM events"):
    thing = ("file", file) if file is not None else ("value", value)
    for subject, relation, target in ((("account", account), "ran", ("process", process)),
                                      (("process", process), change, thing), (thing, "had", ("content", content))):
        if subject[1] is None or target[1] is None:
            continue
        if graph.has_edge(subject, target, relation):
            graph[subject][target][relation]["events"] += 1
        else:
            graph.add_edge(subject, target, relation, events=1)
print(graph.number_of_edges())
"""
PANDAS = """
import sqlite3, sys, pandas
events = pandas.read_sql("SELECT e.file_id, e.time, e.match_key, c.change, k.sha256, e.file_size FROM events e "
                         "JOIN changes c ON c.id = e.change_id LEFT JOIN contents k ON k.id = e.content_id "
                         "WHERE e.file_id IS NOT NULL", sqlite3.connect(sys.argv[1]))
events = events.sort_values(["file_id", "time", "match_key"], kind="stable")
state = events["sha256"].fillna("").where(events["change"] != "Deleted", "-")
new = (state != state.groupby(events["file_id"]).shift()) | (events["change"] == "Renamed")
versions = events[new].assign(until=events["time"].groupby(events["file_id"]).shift(-1))
print(versions.groupby("file_id").size().sum())
"""
ASKED, ROUNDS = 60, 5


def ingested(folder: Path, events: int) -> Path:
    """The case of so many generated events, without analyses; made when the folder does not hold it."""
    case = folder / f"case-{events}.db"
    if not case.exists():
        subprocess.run([sys.executable, "-m", "fimforensics", "ingest", str(case), str(made(folder, events, False)),
                        "--no-analyze"], check=True, stdout=subprocess.DEVNULL)
    return case


def told(found: Measured, events: int, source: int) -> str:
    """One line of the table."""
    return (f"{found.name:28}{events:11,}{found.wall:9.1f}{found.cpu:9.1f}{found.cpu / events * 1e6:14.1f}"
            f"{found.memory / 1e6:11.0f}{found.size / 1e6:9.0f}{found.size / source:11.2f}")


def milliseconds(case: Path) -> dict[str, float]:
    """What `trace` and `history` take for one entity, the median over the same random choice of ranks."""
    chosen = random.Random(7)
    with cases.reading(case) as connection:
        last = connection.execute("SELECT max(id) FROM files").fetchone()[0]
        files = [Entity("file", number, name(connection, "file", number))
                 for number in (chosen.randrange(1, last + 1) for _ in range(ASKED))]
        return {"trace": _median(connection, files, _trace), "history": _median(connection, files, _history)}


def _trace(connection: sqlite3.Connection, entity: Entity) -> object:
    return trace.trace(connection, entity)


def _history(connection: sqlite3.Connection, entity: Entity) -> object:
    return history.history(connection, entity)


def _median(connection: sqlite3.Connection, entities: list[Entity], ask: object) -> float:
    spent = []
    for entity in entities:
        rounds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            ask(connection, entity)  # type: ignore[operator]
            rounds.append(time.perf_counter() - began)
        spent.append(min(rounds) * 1000)
    return statistics.median(spent)


def figures(folder: Path, sizes: list[int], peers_at: int) -> Iterator[str]:
    """The table and its ratios, line by line."""
    yield f"{'':28}{'events':>11}{'wall s':>9}{'CPU s':>9}{'us CPU/event':>14}{'memory MB':>11}{'size MB':>9}{'of source':>11}"
    spent, asked = {}, {}
    for events in sizes:
        case = ingested(folder, events)
        source = made(folder, events, False).stat().st_size
        ours = measure("analyze", [sys.executable, "-m", "fimforensics", "analyze", str(case)], case)
        spent[events] = ours.cpu / events
        yield told(ours, events, source)
        if events == peers_at:
            for peer, script in (("networkx, event by event", NETWORKX), ("pandas, versions of files", PANDAS)):
                found = measure(peer, [sys.executable, "-c", script, str(case)], case)
                yield told(found, events, source) + f"   analyze takes {ours.cpu / found.cpu:.2f} times its CPU"
        asked[events] = milliseconds(case)
        yield "  " + ", ".join(f"{question} {taken:.2f} ms" for question, taken in asked[events].items())
    first, last = sizes[0], sizes[-1]
    if peers_at in spent and last != peers_at:
        yield f"CPU per event, {last:,} to {peers_at:,}: {spent[last] / spent[peers_at]:.2f}"
    for question in asked[first]:
        yield f"{question}, {last:,} to {first:,}: {asked[last][question] / asked[first][question]:.2f}"


def main(arguments: list[str] | None = None) -> None:
    """Prints the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--peers-at", type=int, default=1_000_000, help="the size at which the peers run too")
    parser.add_argument("--folder", type=Path, help="keep the generated sources and cases there for the next run")
    parser.add_argument("--small", action="store_true", help="5,000 and 20,000 events, to see that it works")
    given = parser.parse_args(arguments)
    sizes, peers_at = ([5_000, 20_000], 20_000) if given.small else (given.sizes, given.peers_at)
    with place(given.folder) as folder:
        for line in figures(folder, sizes, peers_at):
            print(line, flush=True)


if __name__ == "__main__":
    main()
