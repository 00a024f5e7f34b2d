"""Times the analyses beside peers that do a part of the same work, at several sizes, and the questions asked of the result.

The relations are told event by event to networkx, and the versions of files found by pandas' group-by, each in a process of its
own over the same case. `trace` and `history` are asked of every case, the same number of entities each, the median of the
fastest rounds; beside it stands how much they answer, for their time should grow with the answer only. No figure is ever
asserted: machines differ.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
ASKED, ROUNDS, TRIED = 60, 5, 20_000
ALIKE = range(6, 11)  # events of an entity, where entities are chosen that are alike in all cases
ASKED_OF = {"file": ("files", "file_id"), "process": ("processes", "process_id"), "account": ("accounts", "account_id")}


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


def milliseconds(case: Path) -> dict[str, tuple[float, float]]:
    """What `trace` and `history` take for one entity, and how many steps or versions they give: medians over ASKED entities.

    Chosen twice: any, of which a larger case knows more; and such as have about as many events in every case.
    """
    with cases.reading(case) as connection:
        found = {}
        for (kind, (table, column)), alike in itertools.product(ASKED_OF.items(), (False, True)):
            chosen = list(itertools.islice(_chosen(connection, kind, table, column, alike), ASKED))
            if len(chosen) < ASKED:
                continue  # of accounts few have so few events
            told = f"of a {kind} with {ALIKE.start} to {ALIKE.stop - 1} events" if alike else f"of any {kind}"
            found[f"trace {told}"] = _median(connection, chosen, _trace)
            if kind == "file":
                found[f"history {told}"] = _median(connection, chosen, _history)
        return found


def _chosen(connection: sqlite3.Connection, kind: str, table: str, column: str, alike: bool) -> Iterator[Entity]:
    """Entities at random, the same ranks in every case; none twice."""
    last = connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0
    for number in random.Random(7).sample(range(1, last + 1), min(last, TRIED)):
        events = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM events WHERE {column} = ? LIMIT {ALIKE.stop})",
                                    (number,)).fetchone()[0]
        if not alike or events in ALIKE:
            yield Entity(kind, number, name(connection, kind, number))


def _trace(connection: sqlite3.Connection, entity: Entity) -> int:
    return len(trace.trace(connection, entity).steps)


def _history(connection: sqlite3.Connection, entity: Entity) -> int:
    return len(history.history(connection, entity).versions)


def _median(connection: sqlite3.Connection, entities: list[Entity], ask: Callable[[sqlite3.Connection, Entity], int]
            ) -> tuple[float, float]:
    """Milliseconds and size of the answer; of each entity the fastest of ROUNDS."""
    spent, given = [], []
    for entity in entities:
        rounds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            size = ask(connection, entity)
            rounds.append(time.perf_counter() - began)
        spent.append(min(rounds) * 1000)
        given.append(size)
    return statistics.median(spent), statistics.median(given)


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
        yield from (f"  {question}: {taken:.2f} ms, {size:g} rows" for question, (taken, size) in asked[events].items())
    first, last = sizes[0], sizes[-1]
    if peers_at in spent and last != peers_at:
        yield f"CPU per event, {last:,} to {peers_at:,}: {spent[last] / spent[peers_at]:.2f}"
    for question in (one for one in asked[first] if one in asked[last]):
        (little, few), (much, many) = asked[first][question], asked[last][question]
        yield f"{question}, {last:,} to {first:,}: {much / little:.2f} times as long, for {many / max(few, 1):.2f} times the rows"


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
