"""SIGKILL at random moments of an ingest or a seal, then the same command again: the case must be the one that nobody disturbed.

Rounds take turns: a first ingest, a later one into a case that already holds another source, a seal; and the
program's own commits and commits every few hundred records, so that kills fall before, between and after them. A round goes on
being killed until a run finishes; the whole group of processes dies each time. Two cases are equal when root and logical digests
are. Prints a table and ends with 1 on any difference, on any message of a run let alone, and on what is left lying about.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generate import write
from fimforensics import snapshot, sources
from fimforensics.cli import main as main_

SMALL_COMMIT = 256  # records of a transaction in every second pair of rounds
STATES = ("nothing", "an empty case", "begun, nothing committed", "between two commits", "all in, not yet named", "done")


@dataclass(frozen=True)
class Plan:
    """What every round works on."""

    folder: Path
    first: Path  # the source that a case begins with
    second: Path  # the source that comes later
    base: Path  # a case with `first` in it
    key: Path


def command(case: Path, source: Path, key: Path) -> list[str]:
    """The ingest, as a list of words."""
    return ["ingest", str(case), str(source), "--case-key", str(key), "--no-analyze"]


def child(words: list[str], commit: int, told: Path, ready: int) -> None:
    """The program in a process and a group of its own, with its commits brought closer together where that is asked for."""
    os.setsid()
    for number, end in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(f"{told}{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
    if commit:
        snapshot.COMMIT = commit
        sources.Options.__init__.__defaults__ = (*(sources.Options.__init__.__defaults__ or ())[:-1], commit)  # batches, too
    os.write(ready, b"!")
    code = 70
    try:
        main_(words, prog_name="fimforensics")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_in(folder: Path, words: list[str], commit: int = 0, after: float | None = None) -> tuple[bool, str, str]:
    """Runs the program, and kills its whole group after so many seconds: did it still run, what did it print, what went wrong?

    It is forked from here, where all is loaded, so that a kill falls into work and not into Python's own start.
    """
    told, (reader, writer) = folder / "told", os.pipe()
    number = os.fork()
    if number == 0:
        child(words, commit, told, writer)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    end = time.monotonic() + (600 if after is None else after)
    while (ended := os.waitpid(number, os.WNOHANG)) == (0, 0):
        if time.monotonic() >= end:
            os.killpg(number, signal.SIGKILL)
            ended = os.waitpid(number, 0)
            if ended[1] == signal.SIGKILL:
                return True, "", "it did not end" if after is None else ""
            break
        time.sleep(0.0005)
    out, wrong = (Path(f"{told}{ending}").read_text() for ending in (".out", ".err"))
    code = os.waitstatus_to_exitcode(ended[1])
    return False, out, wrong if not code else wrong or f"exit code {code}"


def digests(case: Path) -> dict[str, str]:
    """Root and logical digests, as `info` tells them."""
    _, out, wrong = run_in(case.parent, ["info", str(case), "--json", "--digest"])
    if wrong:
        return {"root": wrong}
    found = json.loads(out)
    return {name: found[name] for name in ("root", "events_digest", "case_digest", "events", "records", "unfinished")}


def state(case: Path, before: int) -> str:
    """What a kill left, read from a copy with its journal, so that nothing is touched; `before`: snapshots there at the start."""
    lying = next((path for path in (case, case.with_name(case.name + ".partial")) if path.exists()), None)
    if lying is None:
        return STATES[0]
    with tempfile.TemporaryDirectory(dir=case.parent) as folder:
        copy = Path(folder) / "case"
        for end in ("", "-journal"):
            if (path := lying.with_name(lying.name + end)).exists():
                shutil.copyfile(path, f"{copy}{end}")
        with closing(sqlite3.connect(copy)) as connection:
            rows = connection.execute("SELECT state, resume FROM snapshots ORDER BY id").fetchall()[before:]
    if not rows:
        return STATES[1] if lying != case else STATES[2]
    if rows[0][0] == "finished":
        return STATES[5] if lying == case else STATES[4]
    return STATES[3] if json.loads(rows[0][1])["records"] else STATES[2]


def one_round(plan: Plan, later: bool, commit: int, length: float, kills: int,
              chance: random.Random) -> Iterator[tuple[str, str]]:
    """Kills until a run finishes or there were enough, then lets one finish: (what, detail) of all that happened."""
    case = plan.folder / "case.db"
    for path in plan.folder.glob("case.db*"):
        path.unlink()
    if later:
        shutil.copyfile(plan.base, case)
        shutil.copyfile(plan.key, plan.folder / "case.db.key")
    words = command(case, plan.second if later else plan.first, plan.key)
    for _ in range(kills):
        hit, _, told = run_in(plan.folder, words, commit, chance.uniform(0, length))
        if not hit:
            yield "survived" if not told else "message", told
            break
        yield "killed", state(case, int(later))
    _, _, told = run_in(plan.folder, words, commit)
    if told:
        yield "message", told
    left = sorted(path.name for path in plan.folder.glob("case.db*"))
    if left != ["case.db", "case.db.key"]:
        yield "left", ", ".join(left)


def seal_round(plan: Plan, length: float, kills: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """The same for a seal of the base: in the end the case is sealed, and whole by its seal."""
    case = plan.folder / "case.db"
    seal = case.with_name("case.db.seal.json")
    for path in plan.folder.glob("case.db*"):
        path.unlink()
    shutil.copyfile(plan.base, case)
    shutil.copyfile(plan.key, plan.folder / "case.db.key")
    for _ in range(kills):
        hit, _, told = run_in(plan.folder, ["seal", str(case)], 0, chance.uniform(0, length))
        if not hit:
            yield "survived" if not told else "message", told
            break
        yield "killed", "sealed" if seal.exists() else "not sealed"
        if seal.exists():
            break
    told = "" if seal.exists() else run_in(plan.folder, ["seal", str(case)])[2]
    _, out, wrong = run_in(plan.folder, ["verify", str(case), "--fast"])
    if told or wrong:
        yield "message", told or out + wrong
    left = sorted(path.name for path in plan.folder.glob("case.db*"))
    if left != ["case.db", "case.db.key", "case.db.seal.json"]:
        yield "left", ", ".join(left)


def prepared(folder: Path, events: int, seed: int) -> tuple[Plan, dict[bool, dict], dict[object, float]]:
    """The plan, the digests that cases must have (first, later), and how long an undisturbed run takes (of a seal too)."""
    plan = Plan(folder, folder / "first.jsonl", folder / "second.jsonl", folder / "base.db", folder / "secret")
    write(plan.first, events, seed)
    write(plan.second, events, seed + 1)
    with plan.second.open("ab") as stream, plan.first.open("rb") as again:  # a fifth of the later source is known already
        stream.writelines(line for number, line in enumerate(again) if number % 5 == 0)
    plan.key.write_text(f"{seed:064x}\n")
    expected, length = {}, dict[object, float]()
    for later in (False, True):
        began = time.monotonic()
        assert run_in(folder, command(plan.base, plan.second if later else plan.first, plan.key))[2] == ""
        length[later] = time.monotonic() - began
        expected[later] = digests(plan.base)
        if not later:
            shutil.copyfile(plan.base, folder / "kept.db")
    shutil.copyfile(folder / "kept.db", folder / "sealed.db")
    began = time.monotonic()
    assert run_in(folder, ["seal", str(folder / "sealed.db")])[2] == ""
    length["seal"] = time.monotonic() - began
    shutil.move(folder / "kept.db", plan.base)
    return plan, expected, length


def run(kills: int, events: int, seed: int) -> tuple[Counter, list[str]]:
    """So many kills; the counts of (first or later, commits, state), and what went wrong, line by line."""
    chance, counts, wrong, done, number = random.Random(seed), Counter[tuple[str, ...]](), [], 0, 0
    with tempfile.TemporaryDirectory(prefix="fimforensics-kill-") as name:
        plan, expected, length = prepared(Path(name), events, seed)
        while done < kills:
            later, commit, sealing = bool(number % 2), SMALL_COMMIT if number // 2 % 2 else 0, number % 3 == 2
            kind = ("seal", "-") if sealing else ("later" if later else "first", "close" if commit else "own")
            few = min(4, kills - done)
            for what, detail in (seal_round(plan, length["seal"] * 1.1, few, chance) if sealing else
                                 one_round(plan, later, commit, length[later] * 1.1, few, chance)):
                counts[(*kind, what, detail if what == "killed" else "")] += 1
                done += what == "killed"
                if what in ("message", "left"):
                    wrong.append(f"round {number} ({', '.join(kind)}): {what}: {detail.strip()}")
            found, right = digests(plan.folder / "case.db"), expected[later and not sealing]
            if found != right:
                wrong.append(f"round {number} ({', '.join(kind)}): {found} instead of {right}")
            counts[(*kind, "rounds", "equal" if found == right else "different")] += 1
            number += 1
    return counts, wrong


def main() -> None:
    """Prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    began = time.monotonic()
    counts, wrong = run(arguments.kills, arguments.events, arguments.seed)
    print(f"{'ingest':8}{'commits':9}{'what':10}{'found':28}{'times':>5}")
    for (ingest, commits, what, detail), times in sorted(counts.items()):
        print(f"{ingest:8}{commits:9}{what:10}{detail:28}{times:5}")
    total = sum(times for kind, times in counts.items() if kind[2] == "killed")
    print(f"{total} kills in {time.monotonic() - began:,.0f} s; {len(wrong)} differences")
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
