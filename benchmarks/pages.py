"""How long the pages of cases take over HTTP, one client, beside stock Datasette on the same file and on a wide table.

    python benchmarks/pages.py CASE [LARGER] [--times 40] [--stock] [--wide]

For each kind of page: one request that is not counted, then `--times` requests, each for another thing of its kind chosen at
random (the same ranks in every case). Median and 95th percentile in milliseconds of whole answers, and what they should be; with
a larger case the ratio of both. CPU is what the server spent on all requests of a kind, by request: on a busy machine it tells
more than the clock. Stock Datasette (`--stock`) suggests no facets, for with its defaults a page of a million events takes
seconds; `--wide` gives it the same events in one table as Microsoft has them, with an index on each column that is filtered.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

FAST, MIDDLE, SLOW = 100, 300, 1000  # milliseconds
PATIENCE = 120  # seconds until a server answers
WORDS = ("module-00010", "srv-005", "user017", "svc0", "contoso", "drivers", "Start", "assets", "S-1-5", "fabrikam")
STOCK = """
import sys, uvicorn
from datasette.app import Datasette
ds = Datasette([], immutables=[sys.argv[1]], memory=False, settings={"suggest_facets": False, "default_page_size": 50,
               "sql_time_limit_ms": 30000, "facet_time_limit_ms": 30000})
uvicorn.run(ds.app(), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""


@dataclass(frozen=True)
class Kind:
    """Addresses of one kind, and the milliseconds that most should stay under."""

    name: str
    goal: int
    addresses: list[str]


@dataclass(frozen=True)
class Took:
    """Milliseconds of the requests, and the CPU's for each on average."""

    median: float
    most: float
    cpu: float


def kinds(case: Path, times: int) -> Iterator[Kind]:
    """What is asked of a case; `times` addresses of each kind, where there are so many things."""
    rng = random.Random(7)
    with contextlib.closing(sqlite3.connect(f"{case.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        last = {table: connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
                for table in ("events", "files", "registry_values", "contents", "processes", "accounts", "hosts", "changes")}
        hosts = [quote(name) for name, in connection.execute("SELECT name FROM hosts ORDER BY id LIMIT 50")]
        days = [day for day, in connection.execute(
            "SELECT DISTINCT day FROM event_counts WHERE day BETWEEN '1980' AND '2101' ORDER BY 1")]
    some = {table: [int(rng.random() * most) + 1 for _ in range(times)] for table, most in last.items()}
    at = [rng.randrange(max(len(days) - 1, 1)) for _ in range(times)]
    days.append(days[-1])
    yield Kind("case", FAST, ["/"] * times)
    yield Kind("events", FAST, ["/case/events"] * times)
    yield Kind("events of a host", FAST, [f"/case/events?host_id={number}" for number in some["hosts"]])
    yield Kind("events of an account", FAST, [f"/case/events?account_id={number}" for number in some["accounts"]])
    yield Kind("events of a change", FAST, [f"/case/events?change_id={number}" for number in some["changes"]])
    yield Kind("events, newest first", FAST, ["/case/events?_sort_desc=time"] * times)
    yield Kind("events, by time", FAST, [f"/case/events?time__gte={days[one]}T06:30&time__lt={days[one + 1]}T12" for one in at])
    yield Kind("event", FAST, [f"/case/events/{number}" for number in some["events"]])
    for table, name in (("files", "file"), ("registry_values", "registry value"), ("contents", "content"),
                        ("processes", "process"), ("accounts", "account"), ("hosts", "host")):
        yield Kind(name, FAST, [f"/case/{table}/{number}" for number in some[table]])
    yield Kind("findings", FAST, [f"/case/-/findings?page={number % 7 + 1}" for number in range(times)])
    yield Kind("search", MIDDLE, [f"/case/-/search?q={WORDS[number % len(WORDS)]}" for number in range(times)])
    yield Kind("three facets", MIDDLE, ["/case/events?_facet=host_id&_facet=change_id&_facet=account_id"] * times)
    yield Kind("graph, 500 relations", MIDDLE, [
        "/case/-/explore?" + "&".join(f"of=account%23{one}&open=account%23{one}*200" for one in some["accounts"][at:at + 3])
        for at in range(times - 2)])
    yield Kind("facets of a host's", SLOW, [f"/case/events?host_id={number}&_facet=change_id&_facet=account_id&_facet=process_id"
                                            for number in some["hosts"]])
    yield Kind("facets of a change's", SLOW, [f"/case/events?change_id={number}&_facet=host_id&_facet=account_id"
                                              for number in some["changes"]])
    pairs = [(hosts[number % len(hosts)], hosts[(number + 7) % len(hosts)]) for number in range(times)]
    yield Kind("compare hosts", SLOW, [f"/case/-/compare?host={one}&against={other}" for one, other in pairs])
    yield Kind("compare times", SLOW, [f"/case/-/compare?from={days[one]}&to={days[one + 1]}" for one in at])


@contextlib.contextmanager
def serving(command: list[str]) -> Iterator[tuple[http.client.HTTPConnection, psutil.Process]]:
    """A server of its own; `PORT` in its command is where it listens."""
    port = random.Random().randrange(20_000, 60_000)
    running = subprocess.Popen([one.replace("PORT", str(port)) for one in command], stdout=subprocess.DEVNULL)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        for _ in range(PATIENCE * 10):
            with contextlib.suppress(OSError, http.client.HTTPException):
                fetched(connection, "/-/versions")
                break
            connection.close()
            time.sleep(0.1)
        yield connection, psutil.Process(running.pid)
    finally:
        connection.close()
        running.terminate()
        running.wait()


def fetched(connection: http.client.HTTPConnection, address: str) -> int:
    """The status of a whole answer."""
    connection.request("GET", address)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def took(connection: http.client.HTTPConnection, server: psutil.Process, kind: Kind) -> Took:
    """One request that is not counted, then each; an answer other than 200 ends the benchmark."""
    spent = []
    fetched(connection, kind.addresses[0])
    before = sum(server.cpu_times()[:2])
    for address in kind.addresses:
        began = time.perf_counter()
        status = fetched(connection, address)
        spent.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"{address}: {status}")
    cpu = (sum(server.cpu_times()[:2]) - before) * 1000 / len(spent)
    return Took(statistics.median(spent), sorted(spent)[max(int(len(spent) * 0.95) - 1, 0)], cpu)


def ours(case: Path, times: int) -> dict[str, Took]:
    """Every kind of page of a case."""
    with serving([sys.executable, "-m", "fimforensics", "serve", str(case), "--port", "PORT"]) as (connection, server):
        return {kind.name: took(connection, server, kind) for kind in kinds(case, times)}


def stock(file: Path, table: str, columns: tuple[str, str, str], times: int) -> dict[str, Took]:
    """What stock Datasette has instead: a table, filtered, sorted, by its facets, a row."""
    host, change, account = columns
    with contextlib.closing(sqlite3.connect(file)) as connection:
        value = connection.execute(f'SELECT "{host}" FROM "{table}" LIMIT 1 OFFSET 1000').fetchone()[0]
    name, at = quote(file.stem), f"/{quote(file.stem)}/{table}"
    clock = "time" if table == "events" else "TimeGenerated"
    asked = {"events": at, "events of a host": f"{at}?{host}={quote(str(value))}",
             "events, newest first": f"{at}?_sort_desc={clock}", "event": f"{at}/1000",
             "three facets": f"{at}?_facet={host}&_facet={change}&_facet={account}",
             "facets of a host's": f"{at}?{host}={quote(str(value))}&_facet={change}&_facet={account}"}
    with serving([sys.executable, "-c", STOCK, str(file), "PORT"]) as (connection, server):
        fetched(connection, f"/{name}")
        return {kind: took(connection, server, Kind(kind, 0, [address] * max(times // 4, 3)))
                for kind, address in asked.items()}


def widened(case: Path, folder: Path) -> Path:
    """The same events in one table, as Microsoft has them, with an index on what is filtered, sorted and counted."""
    wide = folder / "wide.db"
    with contextlib.closing(sqlite3.connect(wide)) as connection:
        connection.execute("ATTACH ? AS c", (str(case),))
        connection.execute("CREATE TABLE wide AS SELECT * FROM c.MDCFileIntegrityMonitoringEvents")
        for column in ("Computer", "ChangeType", "InitiatingProcessAccountName", "TimeGenerated"):
            connection.execute(f"CREATE INDEX wide_{column} ON wide({column})")
        connection.commit()
    return wide


def told(name: str, goal: int, found: list[Took | None]) -> str:
    """One line of the table."""
    cells = [f"{one.median:9.0f}{one.most:8.0f}{one.cpu:8.0f}" if one else f"{'':25}" for one in found]
    first, second = found[0], found[1] if len(found) > 1 else None
    ratio = f"{second.most / first.most:8.2f}{second.cpu / max(first.cpu, 0.1):8.2f}" if first and second else ""
    return f"{name:24}{goal or '':>6}{''.join(cells)}{ratio}"


def main(arguments: list[str] | None = None) -> None:
    """Prints the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, nargs="+", metavar="CASE")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--stock", action="store_true", help="stock Datasette on the first case, too")
    parser.add_argument("--wide", action="store_true", help="stock Datasette on a wide table of the first case's events, too")
    given = parser.parse_args(arguments)
    goals = {kind.name: kind.goal for kind in kinds(given.cases[0], 4)}
    found = [ours(case, given.times) for case in given.cases]
    print(f"{'':24}{'goal':>6}" + "".join(f"{'median':>9}{'p95':>8}{'CPU':>8}" for _ in found)
          + ("   ratio of p95, CPU" if len(found) > 1 else ""))
    for name, goal in goals.items():
        print(told(name, goal, [one.get(name) for one in found]), flush=True)
    if given.stock:
        print("stock Datasette on the same file")
        for name, one in stock(given.cases[0], "events", ("host_id", "change_id", "account_id"), given.times).items():
            print(told(name, 0, [one]), flush=True)
    if given.wide:
        print("stock Datasette on a wide table of the same events")
        with tempfile.TemporaryDirectory(dir=given.cases[0].parent) as folder:
            wide = widened(given.cases[0], Path(folder))
            for name, one in stock(wide, "wide", ("Computer", "ChangeType", "InitiatingProcessAccountName"), given.times).items():
                print(told(name, 0, [one]), flush=True)


if __name__ == "__main__":
    main()
