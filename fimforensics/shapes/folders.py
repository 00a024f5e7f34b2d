"""The files of a folder tree, as an export job or a data export rule leaves them, in one order on every machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from fimforensics.errors import Problem


class Tree(NamedTuple):
    """A folder's files to read, those passed over on purpose, and what could not be looked at."""

    files: list[Path]
    skipped: list[Path]
    problems: list[Problem]


def tree(folder: Path) -> Tree:
    """All files below a folder, sorted name by name; links are followed, but never in a circle."""
    found = Tree([], [], [])
    _walk(folder, (), found)
    return found


def _walk(folder: Path, above: tuple[tuple[int, int], ...], found: Tree) -> None:
    try:
        here = folder.stat()
        names = sorted(os.listdir(folder))
    except OSError as error:
        found.problems.append(Problem(f"cannot be read: {error.strerror}", where=str(folder)))
        return
    key = (here.st_dev, here.st_ino)
    if key in above:
        found.problems.append(Problem("a link back to a folder above it", where=str(folder)))
        return
    for name in names:
        path = folder / name
        try:
            about = path.stat()
        except OSError as error:
            found.problems.append(Problem(f"cannot be read: {error.strerror}", where=str(path)))
            continue
        if name.startswith(".") or (_is_marker(name, about.st_size) and not stat.S_ISDIR(about.st_mode)):
            found.skipped.append(path)
        elif stat.S_ISDIR(about.st_mode):
            _walk(path, (*above, key), found)
        elif stat.S_ISREG(about.st_mode):
            found.files.append(path)
        else:
            found.problems.append(Problem("neither a file nor a folder", where=str(path)))


def _is_marker(name: str, size: int) -> bool:
    """Files that writers of a tree leave beside the data: `_SUCCESS` and checksums of Hadoop."""
    if name.startswith("_"):
        return size == 0 or name.startswith(("_SUCCESS", "_committed_", "_started_"))
    return name.endswith(".crc")
