"""How long the pages of a case take beside those of stock Datasette on the same file, in one run, in process.

    python benchmarks/pages.py CASE [--times 15]

Medians in milliseconds and their ratio. The first request of each page is not counted. Stock Datasette is told the same tables'
counts and to suggest no facets: with its defaults the first page of a million events takes seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path

from datasette.app import Datasette

from fimforensics import serve
from fimforensics.site.settings import SETTINGS

PAGES = {
    "case page": "/case",
    "events": "/case/events",
    "events, one host": "/case/events?host_id=1",
    "events, facet by change": "/case/events?_facet=change_id",
    "events, newest first": "/case/events?_sort_desc=time",
    "one event": "/case/events/1000",
    "events as JSON": "/case/events.json?_shape=objects&_size=50",
    "one file": "/case/files/1",
    "search of paths": "/case/paths?_search=module",
}


async def timed(served: Datasette, path: str, times: int) -> float:
    """The median time of a page, in milliseconds; an answer other than 200 ends the benchmark."""
    taken = []
    for number in range(times + 1):
        began = time.perf_counter()
        answer = await served.client.get(path, follow_redirects=True)
        if number:
            taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
    return statistics.median(taken)


async def compare(case: Path, times: int) -> None:
    """Prints a line for every page."""
    ours = serve.build([case])
    stock = Datasette([], immutables=[str(case)], memory=False, settings={
        "suggest_facets": False, "default_page_size": SETTINGS["default_page_size"],
        "sql_time_limit_ms": 30_000, "facet_time_limit_ms": 30_000})
    print(f"{'page':<28}{'ours ms':>10}{'stock ms':>10}{'ratio':>8}")
    await stock.invoke_startup()
    for name, path in PAGES.items():
        mine = await timed(ours, path, times)
        theirs = await timed(stock, path.replace("/case", f"/{case.stem}", 1), times)
        print(f"{name:<28}{mine:>10.1f}{theirs:>10.1f}{mine / theirs:>8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path)
    parser.add_argument("--times", type=int, default=15)
    arguments = parser.parse_args()
    asyncio.run(compare(arguments.case, arguments.times))


if __name__ == "__main__":
    main()
