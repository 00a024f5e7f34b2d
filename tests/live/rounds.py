"""One round of collecting: the real command as a subprocess, against a server that fails at random, killed at random moments.

A round is: a first collect, killed again and again until one run ends by itself; later the same with `--new`, until all rows
that came late are in. Then the case is held against the server, row for row. Tests run small rounds, `make bench-collect` large
ones; both judge alike.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.faults import FAULTS, Faults
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import WORKSPACE, Limits, Workspace
from tests.live.world import Difference, Size, difference, held_by_case, held_by_server, scatter

# The program itself; only its patience with a server that does not answer is shorter than the eleven minutes it really has.
DRIVER = """
import sys
from fimforensics.live import service
service.WAIT, service.GRACE, service.FIRST_PAUSE, service.LONGEST_PAUSE = 1, 4, 0.02, 1.0
from fimforensics.cli import main
main(prog_name="fimforensics")
"""
LIMITS = Limits(rows=2_000, bytes=2_000_000, requests=4_000)
MORE_RUNS = 8  # with --new, at the most


@dataclass(frozen=True)
class Plan:
    """What makes a round hard."""

    size: Size
    seed: int
    kills: int = 8
    storing: int = 0  # kills beyond these, while the case takes in what was pulled
    often: float = 0.2  # share of queries that fail
    kinds: tuple[str, ...] = FAULTS
    lies: tuple[str, ...] = ()
    lie_often: float = 0.0
    limits: Limits = LIMITS

    @property
    def late_within(self) -> int:
        """Answers after which the last late row can be seen: in the middle of the first collect."""
        return self.size.rows // 1_250 + 15


@dataclass
class Round:
    """What happened, and what is held in the end."""

    plan: Plan
    kills: int = 0
    storing: int = 0  # of these kills, those that fell while the case took in what was pulled
    runs: int = 0
    requests: int = 0
    late: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    first: tuple[int, bool] = (0, False)  # rows of the first window, whether its proof says complete
    complete: bool = False  # whether all proofs say so, or the last recount made good what was missing
    server: int = 0
    case: int = 0
    difference: Difference | None = None
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)  # what runs that failed said


def command(server: LogServer, case: Path, *more: str) -> list[str]:
    """The collect, as a list of words."""
    return [sys.executable, "-c", DRIVER, "collect", str(case), "--workspace", WORKSPACE, "--endpoint", server.url,
            "--ca", str(server.ca), "--auth", "env", "--no-analyze", *more]


def play(plan: Plan, store: Store, folder: Path, runs: int = MORE_RUNS) -> Round:
    """One round on a store whose rows are there already; what is late is decided here. At most `runs` with --new."""
    found, rng, began = Round(plan), random.Random(plan.seed), time.monotonic()
    faults = Faults(plan.often, plan.kinds, plan.lies, plan.lie_often, plan.seed)
    workspace = Workspace(store, plan.limits, faults, stall=6.0)
    found.late = scatter(store, plan.size, plan.seed, plan.late_within, workspace.now()[:-1])
    case = folder / "case.db"
    with LogServer(workspace, folder=folder) as server:
        _until_done(found, server, case, rng, (plan.kills, plan.storing), "--margin", "0")
        found.first = proofs(case)[0][:2] if case.exists() else (0, False)
        workspace.ahead = 7_200.0
        for _ in range(runs):
            held = len(proofs(case))
            _until_done(found, server, case, rng, (plan.kills // 4, plan.storing // 2), "--new", "--margin", "0")
            workspace.ahead += 60.0
            if sum(rows for rows, *_ in proofs(case)[held:]) == 0 and workspace.answered > plan.late_within:
                break
    found.requests, found.faults = len(workspace.asked), faults.counts
    found.complete = whole(proofs(case))
    server_rows, case_rows = held_by_server(store), held_by_case(case)
    found.server, found.case = server_rows.total(), case_rows.total()
    found.difference = difference(server_rows, case_rows)
    found.seconds = time.monotonic() - began
    return found


def _until_done(found: Round, server: LogServer, case: Path, rng: random.Random, kills: tuple[int, int], *more: str) -> None:
    """Runs the command until it ends by itself, after so many kills; the whole group of processes dies each time."""
    for left in range(sum(kills), -1, -1):
        found.runs += 1
        storing = left <= kills[1]
        process = subprocess.Popen(command(server, case, *more), env=server.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, start_new_session=True, text=True)
        if left and not (_stored_before(process, case, rng, found.plan.size) if storing
                         else _ended_before(process, server, rng, found.plan.size)):
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            found.kills += 1
            found.storing += storing
            continue
        told = process.communicate()[1]
        if process.returncode not in (0, 1) or "Traceback" in told:
            raise AssertionError(told[-3_000:])
        if told.strip():
            found.told.append(told.strip().splitlines()[-1])
        if process.returncode == 0 or "ncomplete, and stored as such" in told:
            return
    raise AssertionError("no run ended well; the last said: " + " | ".join(found.told[-1:]))


def _ended_before(process: subprocess.Popen[str], server: LogServer, rng: random.Random, size: Size) -> bool:
    """Waits for a random moment: after some more requests, or after some seconds; whether the process ended before it."""
    rows = size.rows
    asked = server.workspace.came + rng.randint(1, 20 + rows // 1_000)
    until = time.monotonic() + rng.uniform(0.5, 4 + rows / 15_000)
    by_requests = rng.random() < 0.6
    while process.poll() is None:
        if time.monotonic() > until or (by_requests and server.workspace.came >= asked):
            time.sleep(rng.uniform(0.0, 0.1))
            return process.poll() is not None
        time.sleep(0.005)
    return True


def _stored_before(process: subprocess.Popen[str], case: Path, rng: random.Random, size: Size) -> bool:
    """Waits until a pulled window lies as a file, and from then for a random moment; whether the process ended before it."""
    while process.poll() is None:
        if any(case.with_name(case.name + ".collect").glob("*/window-*.json")):
            time.sleep(rng.uniform(0.0, 0.3 + size.rows / 15_000))
            return process.poll() is not None
        time.sleep(0.01)
    return True


def proofs(case: Path) -> list[tuple[int, bool, str | None, dict]]:
    """(rows, complete, reason, what the recount said) of each window that the case holds, in order."""
    if not case.exists():
        return []
    with closing(sqlite3.connect(f"file:{case}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT p.rows, p.complete, p.reason, p.recounted FROM pulls p JOIN snapshots s "
                                   "ON s.id = p.snapshot_id WHERE s.state = 'finished' ORDER BY s.id").fetchall()
    return [(rows, bool(complete), reason, json.loads(recounted or "{}")) for rows, complete, reason, recounted in found]


def whole(found: list[tuple[int, bool, str | None, dict]]) -> bool:
    """Whether every window's proof says complete, and the last recount found as many rows as are held."""
    told = found[-1][3] if found else {}
    return bool(found) and all(complete for _, complete, *_ in found) and told.get("more", 0) == told.get("gone", 0) == 0
