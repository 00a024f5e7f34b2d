"""What evidence costs, as ratios within one run: ingest beside an ingest that keeps no originals and no leaves, and full verify.

The lean ingest is the same program with hashing and keeping of the source's bytes and the leaves taken out: plain parsing and
inserting into the same tables with the same indexes. CPU is that of all processes.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.run import Measured, made, measure

# Takes originals and leaves out of an ingest, in the process that reads too (which `spawn` starts with this very file).
LEAN = """import sys
from fimforensics.evidence import leaves, originals
from fimforensics import reading, stream
stream.ALONE = 1 << 60 if "alone" in sys.argv else stream.ALONE
nothing = lambda *told: leaves.NO_ROW
leaves.leaves_of = reading.leaves_of = lambda key, snapshot, member: nothing
originals.Hashes.update = lambda self, data: setattr(self, "size", self.size + len(data)) or ""
originals.Chunker._make = lambda self, offset, data: originals.Chunk(
    offset, len(data), self._codec, b"", self._hashes.update(data) if self._hashes else None)
if __name__ == "__main__":
    from fimforensics.cli import main
    main(["ingest", sys.argv[1], sys.argv[2], "--no-analyze"])
"""


def sizes(case: Path, source: int) -> str:
    """Leaves and case as shares of the source."""
    with closing(sqlite3.connect(f"{case.absolute().as_uri()}?immutable=1", uri=True)) as db:
        leaves = db.execute("SELECT sum(length(hashes)) FROM leaves").fetchone()[0]
    return f"leaves {100 * leaves / source:.2f} % of the source, case {case.stat().st_size / source:.3f} of it"


def main() -> None:
    """The ratios, printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each, of which the one with the least CPU counts")
    parser.add_argument("--compiled", action="store_true", help="with the compiled lane, whose hashing cannot be taken out")
    told = parser.parse_args()
    if not told.compiled:
        os.environ["FIMFORENSICS_PURE"] = "1"
    with tempfile.TemporaryDirectory(prefix="fimforensics-costs-") as name:
        folder = Path(name)
        source, lean = made(folder, told.events, False), folder / "lean.py"
        lean.write_text(LEAN)
        python, found = sys.executable, dict[str, Measured]()
        for turn in range(told.rounds):
            case, plain = folder / f"case{turn}.db", folder / f"plain{turn}.db"
            fimforensics = [python, "-m", "fimforensics"]
            runs = {"ingest": (["ingest", str(case), str(source), "--no-analyze"], case), "lean": None,
                    "seal": (["seal", str(case)], case), "verify": (["verify", str(case)], case),
                    "verify --fast": (["verify", str(case), "--fast"], case)}
            if told.compiled:
                del runs["lean"]
            for what, run in runs.items():
                one = (measure(what, [*fimforensics, *run[0]], run[1]) if run else
                       measure(what, [python, str(lean), str(plain), str(source)], plain))
                if what not in found or one.cpu < found[what].cpu:
                    found[what] = one
        print(f"{told.events:,} events, {source.stat().st_size / 1e6:,.0f} MB; {sizes(case, source.stat().st_size)}")
        for what, one in found.items():
            print(f"{what:14}{one.cpu:8.2f} s CPU{one.memory / 1e6:8.0f} MB")
        if not told.compiled:
            print(f"ingest with originals and leaves: {found['ingest'].cpu / found['lean'].cpu:.2f} times the CPU without them")
        print(f"full verify: {found['verify'].cpu / found['ingest'].cpu:.2f} times the CPU of the ingest, "
              f"{found['verify'].memory / 1e6:.0f} MB in all its processes")


if __name__ == "__main__":
    main()
