"""Collecting live, tried hard and measured: rounds of random faults and kills, and what a row costs beside the SDK's own way.

A round (tests/live/rounds.py) runs the real command against a server that fails, lies, shows rows late and is asked by a process
that is killed again and again; in the end the case is held against the server row for row. Prints a table and ends with 1 where
one row is missing, twice, or called complete and is not. Costs are CPU seconds of whole processes in the same run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fimforensics.model import MDC
from tests.live.faults import LIES
from tests.live.rounds import LIMITS, Plan, Round, command, play
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import WORKSPACE, Limits, Workspace
from tests.live.world import Size, build

PEER_ROWS = 35_000  # of one query, as many as the collector aims at
# The SDK as its documentation shows it: every answer as rows of Python values. Nothing is kept.
PEER = """
import os, sys
from azure.core.pipeline.policies import RetryPolicy
from azure.identity import ClientSecretCredential
from azure.monitor.query import LogsQueryClient
endpoint, ca, workspace = sys.argv[1:4]
credential = ClientSecretCredential(*(os.environ["AZURE_" + word] for word in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")),
                                    authority=os.environ["AZURE_AUTHORITY_HOST"], disable_instance_discovery=True,
                                    connection_verify=ca)
client = LogsQueryClient(credential, endpoint=endpoint, audience="https://api.loganalytics.io", connection_verify=ca)
rows = sum(len(client.query_workspace(workspace, query, timespan=None).tables[0].rows) for query in sys.stdin.read().split("\\0"))
print(rows, next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
# The collector, which says what it cost up to the moment at which all rows lie in the ledger.
METER = """
import resource, sys
from fimforensics.live import collect
store = collect._store
def told(*words):
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
    print("ledger", usage.ru_utime + usage.ru_stime, int(peak) / 1024, file=sys.stderr)
    return store(*words)
collect._store = told
from fimforensics.cli import main
main(prog_name="fimforensics")
"""


@dataclass(frozen=True)
class Cost:
    """What one way took."""

    cpu: float  # seconds, of the process and those it started
    told: str


@contextmanager
def served(store: Store, limits: Limits) -> Iterator[tuple[LogServer, Path]]:
    """The store behind HTTPS, without faults, and an empty folder."""
    with tempfile.TemporaryDirectory(prefix="collect-") as name, LogServer(Workspace(store, limits), folder=Path(name)) as server:
        yield server, Path(name)


def cost(words: list[str], server: LogServer, text: str = "") -> Cost:
    """Runs a command to its end; RuntimeError with what it said where that was no good one."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as asked:
        asked.write(text)
        asked.seek(0)
        process = subprocess.Popen(words, env=server.environment(), stdin=asked, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = said.read()
    if process.returncode:
        raise RuntimeError(told[-2_000:])
    return Cost(usage.ru_utime + usage.ru_stime, told)


def peers_queries(store: Store) -> str:
    """Queries whose answers tile the table, by time."""
    found = _times(store)
    edges = [found[at] for at in range(PEER_ROWS, len(found), PEER_ROWS)]
    bounds = zip([None, *edges], [*edges, None], strict=True)
    return "\0".join(MDC + (f" | where TimeGenerated >= datetime({low})" if low else "")
                     + (f" | where TimeGenerated < datetime({high})" if high else "") for low, high in bounds)


def _times(store: Store) -> list[str]:
    """The times of all rows, in order, as text."""
    text = "left(strftime(\"TimeGenerated\", '%Y-%m-%dT%H:%M:%S.%n'), 27) || 'Z'"
    return [time for time, in store.connection.execute(f'SELECT {text} FROM "{MDC}" ORDER BY "TimeGenerated"').fetchall()]


def costs(rows: int) -> bool:
    """CPU for a row beside `query_workspace`, and memory with more slices; whether both are as they must be."""
    store = build(Size(rows, rows // 10))
    with served(store, Limits(requests=100_000)) as (server, folder):
        peer = cost([sys.executable, "-c", PEER, server.url, str(server.ca), WORKSPACE], server, peers_queries(store))
        ours = _metered(server, folder / "case.db")
    came, peak = map(int, peer.told.split()[-2:])
    assert came == rows, peer.told
    in_ledger = _ledger(ours)
    print(f"\n{rows:,} rows of 64 columns, in CPU seconds (microseconds a row; times less than query_workspace)")
    print(f"  query_workspace, rows only  {peer.cpu:6.1f}  ({peer.cpu / rows * 1e6:5.0f})         {peak / 1024:6.0f} MiB")
    for name, spent, memory in (("collect, into the ledger", in_ledger[0], f"  {in_ledger[1]:6.0f} MiB"),
                                ("collect, into the case", ours.cpu, "")):
        print(f"  {name:26}  {spent:6.1f}  ({spent / rows * 1e6:5.0f}; {peer.cpu / spent:4.1f} x){memory}")
    few, many = (_memory(store, rows, part) for part in (4, 1))
    print(f"  memory of the pull with slices of 2,000 rows: {few[1]:.0f} MiB for {few[0]}, {many[1]:.0f} MiB for {many[0]}")
    store.connection.close()
    return peer.cpu >= 4 * in_ledger[0] and peer.cpu >= 2 * ours.cpu and many[1] <= 1.2 * few[1]


def _metered(server: LogServer, case: Path, *more: str) -> Cost:
    words = command(server, case, *more)
    return cost([words[0], "-c", METER, *words[3:]], server)


def _ledger(found: Cost) -> tuple[float, float]:
    line = next(line for line in found.told.splitlines() if line.startswith("ledger "))
    return float(line.split()[1]), float(line.split()[2])


def _memory(store: Store, rows: int, part: int) -> tuple[str, float]:
    """Peak memory of a pull of a part of the rows, in small slices."""
    until = _times(store)[rows // part - 1]
    with served(store, LIMITS) as (server, folder):
        found = _metered(server, folder / "case.db", "--until", until)
        pulled = sum(asked.query.endswith("_ItemId = _ItemId") for asked in server.workspace.asked)
    return f"{pulled} slices", _ledger(found)[1]


def show(found: Round) -> None:
    """One line of the table."""
    lies = sum(found.faults[lie] for lie in LIES)
    faults = ", ".join(f"{number} {kind}" for kind, number in sorted(found.faults.items()))
    difference = found.difference
    assert difference is not None
    print(f"{found.plan.seed:4} {found.kills:5} {found.storing:7} {found.runs:4} {found.requests:8} "
          f"{found.faults.total() - lies:6} {lies:4} {found.late:5} "
          f"{found.first[0]:7} {found.server:7} {found.case:7} {difference.missing:7} {difference.twice:5} "
          f"{'yes' if found.complete else 'NO':8} {found.seconds:7.0f}  {faults}", flush=True)


def rounds(size: Size, plans: list[Plan]) -> bool:
    """Plays them all; whether each case holds exactly what the server holds and says so."""
    print(f"{size.rows:,} rows, {size.identical:,} of them one row in one instant; an answer holds {LIMITS.rows:,} rows, "
          f"{LIMITS.bytes:,} bytes")
    print("seed kills storing runs requests faults lies  late   first  server    case missing twice complete seconds  kinds",
          flush=True)
    good, store = True, build(size)
    for plan in plans:
        with tempfile.TemporaryDirectory(prefix="collect-") as folder:
            found = play(plan, store, Path(folder))
        show(found)
        good = good and not found.difference and found.complete
    store.connection.close()
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=20, help="how many rounds; 0 for none")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--kills", type=int, default=8, help="kills in a round, at the most")
    parser.add_argument("--storing", type=int, default=4, help="further kills, while the case takes in what was pulled")
    parser.add_argument("--lying", type=int, default=3, help="how many of further rounds have a server that lies")
    parser.add_argument("--cost", type=int, default=100_000, help="rows of the measurement; 0 for none")
    arguments = parser.parse_args()
    size = Size(arguments.rows, arguments.rows // 10)
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    plans = [Plan(size, seed, arguments.kills, arguments.storing) for seed in seeds]
    plans += [Plan(size, 1_000 + seed, 0, 0, 0.05, lies=LIES, lie_often=0.1) for seed in range(1, arguments.lying + 1)]
    good = rounds(size, plans) if plans else True
    if arguments.cost:
        good = costs(arguments.cost) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
