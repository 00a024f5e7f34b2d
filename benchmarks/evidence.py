"""How much of what is changed in a case `verify` finds: drawn changes, flipped bytes, patched index pages; and no false alarms.

`make bench-evidence` prints the counts that stand in docs/evidence.md; every run has another seed, which it tells.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import small_case
from benchmarks.tampering import Known, Tally, look, mutate
from fimforensics.evidence.verify import LAYERS, Options, verify
from fimforensics.evidence.verify.report import OF_THE_FILE, OF_THE_SEAL

SHAPES: dict[str, Callable[[Path], Path]] = {
    "full": small_case.sealed, "a part": small_case.part, "with later custody": small_case.held_later}
BATCH = 250  # changes that one process judges in one go
PAGE = 4096


def flips(original: Path, folder: Path, number: int, seed: int) -> tuple[int, int, int]:
    """Single bits of a sealed file flipped: missed by the file's hash; and of how many looked at closer, unseen but for it."""
    draw, data = random.Random(seed), bytearray(original.read_bytes())
    stated = json.loads(original.with_name(original.name + ".seal.json").read_bytes())["file"]["sha256"]
    shutil.copytree(original.parent, folder, dirs_exist_ok=True)
    copy, known, missed, unseen, looked = folder / original.name, Known(), 0, 0, min(number // 50, 400)
    look(copy, known)
    for at in range(number):
        place, bit = draw.randrange(len(data)), 1 << draw.randrange(8)
        data[place] ^= bit
        missed += sha256(data).hexdigest() == stated
        if at < looked:
            copy.unlink()
            copy.write_bytes(data)
            found = look(copy, known)
            missed += not found
            unseen += not [one for one in found if one.layer not in OF_THE_FILE]
        data[place] ^= bit
    known.close()
    return missed, unseen, looked


def index_cells(case: Path) -> list[tuple[int, int]]:
    """Where in the file entries of indexes lie: (first byte, bytes) of those in root pages that are leaves."""
    found, data = [], case.read_bytes()
    with sqlite3.connect(f"{case.as_uri()}?immutable=1", uri=True) as db:
        roots = [page for (page,) in db.execute("SELECT rootpage FROM sqlite_schema WHERE type = 'index'")]
    for page in roots:
        base = (page - 1) * PAGE
        if data[base] == 0x0A:
            for at in range(int.from_bytes(data[base + 3:base + 5], "big")):
                cell = int.from_bytes(data[base + 8 + 2 * at:base + 10 + 2 * at], "big")
                size = data[base + cell]
                if 1 < size < 0x80:
                    found.append((base + cell + 1, size))
    return found


def patches(original: Path, folder: Path, number: int, seed: int) -> tuple[int, int]:
    """Bits flipped within the entries of indexes: how many verify missed, and how many it would have without all of the seal.

    The latter are other spellings of the same entry (a shorter header before the same values): no query reads them otherwise.
    """
    draw, data, missed, unseen = random.Random(seed), bytearray(original.read_bytes()), 0, 0
    shutil.copytree(original.parent, folder, dirs_exist_ok=True)
    copy, known, places = folder / original.name, Known(), index_cells(original)
    look(copy, known)
    for _ in range(number):
        begin, size = draw.choice(places)
        place, bit = begin + draw.randrange(size), 1 << draw.randrange(8)
        data[place] ^= bit
        copy.unlink()
        copy.write_bytes(data)
        found = look(copy, known)
        missed += not found
        unseen += not [one for one in found if one.layer not in OF_THE_SEAL]
        data[place] ^= bit
    known.close()
    return missed, unseen


def untouched(original: Path, folder: Path, number: int) -> list[str]:
    """What is said of a case that nobody changed: copied, moved, alone, on media that cannot be written."""
    alarms, known = [], Known()
    for at in range(number):
        place = folder / f"{at}"
        shutil.copytree(original.parent, place)
        case = place / original.name
        if at % 4 == 1:
            for beside in (".key", ".seal.json", ".sig")[at % 3:]:
                case.with_name(case.name + beside).unlink()
        elif at % 4 == 2:
            case = case.rename(place / "moved elsewhere.db")
        elif at % 4 == 3:
            place.chmod(0o555)
        before = case.stat()
        report = verify(case, Options()) if at % 50 == 0 else verify(case, Options(), derive=known.derive)
        after = case.stat()
        alarms += [one.line() for one in report.differences if "that signature is missing" not in one.line()]
        alarms += ["the file was touched"] if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) else []
        place.chmod(0o755)
        shutil.rmtree(place)
    known.close()
    return alarms


def _mutate(told: tuple[Path, Path, int, int]) -> Tally:
    told[1].mkdir()
    try:
        return mutate(*told)
    finally:
        shutil.rmtree(told[1])


def mutations_of(originals: dict[str, Path], folder: Path, number: int, seed: int, processes: int,
                 until: float) -> dict[str, Tally]:
    """`number` changes of all shapes in turn, in several processes; fewer, where the time is up before."""
    tallies, shapes = {shape: Tally() for shape in originals}, list(originals)
    waiting = [(shapes[at % len(shapes)], folder / f"{at}", seed + at) for at in range(-(-number // BATCH))][::-1]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: dict[Future, str] = {}
        while waiting or running:
            while waiting and len(running) < processes and time.monotonic() < until:
                shape, place, drawn = waiting.pop()
                running[pool.submit(_mutate, (originals[shape], place, BATCH, drawn))] = shape
            if not running:
                break
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                tallies[running.pop(done)].add(done.result())
    return tallies


def show(shape: str, tally: Tally) -> None:
    """One shape's counts as lines."""
    applied = sum(tally.applied.values())
    if not applied:
        return
    named = 100 - 100 * len(tally.not_named) / applied
    print(f"{shape}: {applied:,} changes applied, {len(tally.missed)} missed, {named:.2f} % named in full, "
          f"{len(tally.columns)} tables and columns hit")
    for layer in LAYERS:
        if layer not in OF_THE_FILE:
            print(f"  {layer}: finds {tally.by_layer[layer]:,}, misses {applied - tally.by_layer[layer]:,}")
    print(f"  without the whole seal: {sum(tally.only_sealed.values()):,} not found: "
          + ", ".join(f"{name} {count}" for name, count in sorted(tally.only_sealed.items())))
    for line in [*(f"  MISSED {one}" for one in tally.missed[:9]), *(f"  not named: {one[:300]}" for one in tally.not_named[:9])]:
        print(line)


def _judge_one(case: Path, folder: Path, told: argparse.Namespace) -> int:
    """Flips, patches and untouched cases; how many went wrong."""
    missed, unseen, looked = flips(case, folder / "flips", told.flips, told.seed)
    print(f"{told.flips:,} flipped bits of {case.stat().st_size:,} bytes: {missed} missed; without the file's hash {unseen} of "
          f"{looked} would be")
    unpatched, same = patches(case, folder / "patches", told.patches, told.seed)
    print(f"{told.patches} patched index entries: {unpatched} missed; without the seal {same} would be")
    (folder / "untouched").mkdir()
    alarms = untouched(case, folder / "untouched", told.untouched)
    print(f"{told.untouched:,} verifications of untouched cases: {len(alarms)} alarms {alarms[:3]}", flush=True)
    return missed + unpatched + len(alarms)


def main() -> None:
    """The counts, printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=50_000)
    parser.add_argument("--flips", type=int, default=200_000)
    parser.add_argument("--patches", type=int, default=200)
    parser.add_argument("--untouched", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=1e6, help="stop changing after this long, and say how many were made")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fimforensics-") as name:
        folder, originals = Path(name), {}
        for at, (shape, make) in enumerate(SHAPES.items()):
            (folder / f"case{at}").mkdir()
            originals[shape] = make(folder / f"case{at}")
        bad = _judge_one(originals["full"], folder, told)
        (folder / "changes").mkdir()
        tallies = mutations_of(originals, folder / "changes", told.mutations, told.seed, told.processes,
                               began + 60 * told.minutes)
        for shape, tally in tallies.items():
            show(shape, tally)
            bad += len(tally.missed)
    print(f"after {time.monotonic() - began:.0f} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
