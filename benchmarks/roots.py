"""The same sources, order and case key give the same root: asked of every Python from 3.11 on that this machine has.

For each an environment of its own is made, the package installed into it, and the sample data ingested. `--environment` names
Pythons that have all that is needed already. Prints which were asked, and what each said.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ("portal", "rest", "export", "az")
ASKED = "import sys, sqlite3; print('.'.join(map(str, sys.version_info[:3])), sqlite3.sqlite_version)"


def pythons() -> list[Path]:
    """The interpreters of this machine, one a version: on PATH, and where pyenv keeps them."""
    found: dict[str, Path] = {}
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep)]
    places += sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin"))
    for place in places:
        for path in sorted(place.glob("python3.1[1-9]")):
            told = subprocess.run([path, "-c", ASKED], capture_output=True, text=True)
            if told.returncode == 0 and re.match(r"3\.1[1-9]\.", told.stdout):
                found.setdefault(told.stdout.split()[0], path)
    return [found[version] for version in sorted(found)]


def made(python: Path, folder: Path) -> Path:
    """An environment with the package in it; its Python."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-c",
                    ROOT / "constraints.txt", ROOT], check=True)
    return folder / "bin" / "python"


def root(python: Path, folder: Path) -> dict[str, str]:
    """What this Python computes over the sample data: the root and the logical digests."""
    folder.mkdir()
    (folder / "case.key").write_text(bytes(range(32)).hex())
    command = [str(python), "-m", "fimforensics"]
    sources = [str(ROOT / "sample_data" / name) for name in SAMPLES]
    case, key = str(folder / "case.db"), str(folder / "case.key")
    subprocess.run([*command, "ingest", case, *sources, "--case-key", key, "--no-analyze"], cwd=ROOT, check=True,
                   capture_output=True)
    told = subprocess.run([*command, "info", case, "--digest", "--json"], cwd=ROOT, check=True, capture_output=True)
    found = json.loads(told.stdout)
    return {name: found[name] for name in ("root", "events_digest", "case_digest")}


def main() -> None:
    """Ends with 1 where two Pythons differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, action="append", help="a Python that has what is needed")
    told = parser.parse_args()
    answers = {}
    with tempfile.TemporaryDirectory(prefix="fimforensics-roots-") as name:
        for at, python in enumerate(told.environment or pythons()):
            ready = python if told.environment else made(python, Path(name) / f"environment{at}")
            version = subprocess.run([ready, "-c", ASKED], capture_output=True, text=True, check=True).stdout.split()
            answers[version[0]] = root(ready, Path(name) / f"case{at}")
            print(f"Python {version[0]} (SQLite {version[1]}): root {answers[version[0]]['root']}", flush=True)
            shutil.rmtree(Path(name) / f"environment{at}", ignore_errors=True)
    same = len({tuple(answer.values()) for answer in answers.values()}) == 1
    print(f"{len(answers)} Pythons: {'the same root and digests' if same else 'they DIFFER'}")
    sys.exit(not same)


if __name__ == "__main__":
    main()
