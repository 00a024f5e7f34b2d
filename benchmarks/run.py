"""Times ingest beside its peers, all in one run over the same generated file, and says where the microseconds go.

Each loader runs in a process of its own; CPU is user and system time of it and all its children, memory the greatest sum of
what its processes hold, shared pages counted once (PSS where the system tells it). No figure is ever asserted: machines differ.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generate import shuffle, write
from benchmarks.stages import stages

DUCKDB = ("import duckdb, sys; duckdb.connect(sys.argv[1]).execute("
          "'CREATE TABLE events AS SELECT * FROM read_json(?)', [sys.argv[2]])")
EVERY = 0.05  # seconds between two looks at memory


@dataclass(frozen=True)
class Measured:
    """What a loader took."""

    name: str
    wall: float  # seconds
    cpu: float  # seconds, of all its processes
    memory: int  # bytes at the peak, of all its processes
    size: int  # bytes of what it wrote


def memory(process: psutil.Process) -> int:
    """Bytes that a process and its children hold now."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            held = one.memory_full_info()
            total += getattr(held, "pss", 0) or held.rss
    except psutil.Error:  # one of them has just ended
        return total
    return total


def measure(name: str, command: list[str], target: Path) -> Measured:
    """Runs a loader that writes `target`."""
    before, began, peak = os.times(), time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        watched = psutil.Process(running.pid)
        while running.poll() is None:
            peak = max(peak, memory(watched))
            time.sleep(EVERY)
    after, wall = os.times(), time.perf_counter() - began
    if running.returncode:
        raise SystemExit(f"{name} failed with exit code {running.returncode}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(name, wall, cpu, peak, target.stat().st_size)


def loaders(source: Path, folder: Path) -> Iterator[tuple[str, list[str], Path]]:
    """Name, command and target of ingest and of its peers."""
    python = sys.executable
    case, plain, duck = folder / "case.db", folder / "plain.db", folder / "events.duckdb"
    yield "fimforensics", [python, "-m", "fimforensics", "ingest", str(case), str(source), "--no-analyze"], case
    yield "sqlite-utils", [python, "-m", "sqlite_utils", "insert", str(plain), "events", str(source), "--nl"], plain
    yield "duckdb", [python, "-c", DUCKDB, str(duck), str(source)], duck


def compare(source: Path, folder: Path, only: bool = False) -> list[Measured]:
    """All loaders, one after the other, each with nothing of the others left; `only` ours."""
    found: list[Measured] = []
    for name, command, target in loaders(source, folder):
        if only and found:
            break
        found.append(measure(name, command, target))
        for leftover in folder.glob(target.name + "*"):
            leftover.unlink()
    return found


def told(found: list[Measured], events: int, source: int) -> Iterator[str]:
    """The table of a comparison and the ratios, line by line."""
    yield f"{events:,} events, {source / 1e6:,.0f} MB"
    yield f"{'':14}{'wall s':>9}{'CPU s':>9}{'us CPU/event':>14}{'memory MB':>11}{'size MB':>9}{'of source':>11}"
    for one in found:
        yield (f"{one.name:14}{one.wall:9.1f}{one.cpu:9.1f}{one.cpu / events * 1e6:14.1f}{one.memory / 1e6:11.0f}"
               f"{one.size / 1e6:9.0f}{one.size / source:11.2f}")
    ours = found[0]
    for peer in found[1:]:
        yield (f"against {peer.name}: wall {peer.wall / ours.wall:.2f} times shorter, "
               f"CPU {peer.cpu / ours.cpu:.2f} times less ({ours.cpu / peer.cpu:.2f} times as much)")


@contextmanager
def place(given: Path | None) -> Iterator[Path]:
    """The folder for what is made: the given one, which keeps its sources, or one that goes away."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="fimforensics-bench-") as made:
        yield Path(made)


def made(folder: Path, events: int, shuffled: bool) -> Path:
    """The generated source of so many events; made when the folder does not hold it."""
    source = folder / f"events-{events}.jsonl"
    if not source.exists():
        half = source.with_suffix(".half")
        write(half, events)
        half.replace(source)
    if not shuffled:
        return source
    mixed = folder / f"events-{events}-shuffled.jsonl"
    if not mixed.exists():
        shuffle(source, mixed)
    return mixed


def main(arguments: list[str] | None = None) -> None:
    """Prints the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--also", type=int, action="append", default=[], help="so many too, by ingest alone, beside the first")
    parser.add_argument("--shuffled", action="store_true", help="in random order")
    parser.add_argument("--folder", type=Path, help="keep the generated sources there for the next run")
    parser.add_argument("--small", action="store_true", help="20,000 events, to see that it works")
    given = parser.parse_args(arguments)
    events = 20_000 if given.small else given.events
    with place(given.folder) as folder:
        source = made(folder, events, given.shuffled)
        found = compare(source, folder)
        print(*told(found, events, source.stat().st_size), sep="\n", flush=True)
        print(*stages(source, min(events, 200_000)), sep="\n", flush=True)
        for more in given.also:
            source = made(folder, more, given.shuffled)
            other = compare(source, folder, only=True)
            print(*told(other, more, source.stat().st_size), sep="\n")
            print(f"{more:,} against {events:,}: time per event {other[0].wall / more / (found[0].wall / events):.2f}, "
                  f"memory {other[0].memory / found[0].memory:.2f}", flush=True)


if __name__ == "__main__":
    main()
