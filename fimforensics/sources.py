"""The files that a command names: which they are, how they are called in the case, and which of them are one set."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from fimforensics.errors import Problem, Refused
from fimforensics.evidence.pulls import Pulled
from fimforensics.hours import tree_of
from fimforensics.model import CHUNK, Reading
from fimforensics.pipeline import BATCH
from fimforensics.shapes import tree
from fimforensics.text import storable


@dataclass(frozen=True)
class Options:
    """What the operator says of an ingest."""

    reading: Reading = field(default_factory=Reading)
    parts: bool = False
    expect_sha256: str | None = None
    case_number: str | None = None
    examiner: str | None = None
    note: str | None = None
    case_key: bytes | None = None
    batch: int = BATCH


@dataclass(frozen=True)
class Taken:
    """What became of one source: the number of its snapshot, or why it was refused."""

    source: str
    snapshot: int | None = None
    already: bool = False
    read_as: str | None = None  # already there, but its times were read otherwise than the operator now says
    refused: str | None = None


@dataclass(frozen=True)
class Source:
    """One file to take, and how it is called in the case."""

    path: Path
    label: str
    group: Hashable  # files of the same group are one set
    options: Options | None = None  # where they are not those of the command
    pulled: Pulled | None = None  # what proves a live pull


def sources(paths: Iterable[Path], parts: bool) -> tuple[list[Source], list[Taken]]:
    """The files to take, in order, and what of the given paths cannot be read.

    A folder tree that an Azure export wrote (its folders name hours) is one set, wherever it lies in what is named; every other
    file is a source of its own, for several may well be exports of the same changes. `parts` makes one set of everything.
    """
    found: list[Source] = []
    bad: list[Taken] = []
    for number, path in enumerate(paths):
        group = 0 if parts else number
        try:
            if path.is_dir():
                held = tree(path)
                bad += [Taken(str(path), refused=problem.line()) for problem in held.problems]
                if not held.files and not held.problems:
                    raise Refused("the folder holds no file", where=str(path),
                                  hint="Name the folder or file that holds the export")
                top = path.resolve()
                for file in held.files:
                    name = file.relative_to(path).as_posix()
                    own = tree_of(f"{top.as_posix()}/{name}") or (group, name)
                    found.append(Source(file, _label(f"{top.name}/{name}"), group if parts else own))
            elif path.is_file():
                with path.open("rb"):
                    found.append(Source(path, _label(path.name), group))
            else:
                raise Refused("it is no file or folder" if path.exists() else "there is no such file", where=str(path),
                              hint="Name the file or folder that holds the export")
        except OSError as error:
            bad.append(Taken(str(path), refused=unreadable(path, error).line()))
        except Problem as problem:
            bad.append(Taken(str(path), refused=problem.line()))
    return found, bad


def _label(name: str) -> str:
    """The name as a case can keep it: a file's name may be no text at all."""
    return storable(name)[0]


def unreadable(path: Path, error: OSError) -> Refused:
    """The refusal of a file that the system does not give."""
    return Refused(f"cannot be read ({error.strerror or error})", where=str(path),
                   hint="See that it is there and may be read, or ingest a copy")


def expect(source: Source, expected: str) -> None:
    """Problem unless the file's SHA-256 is the expected one, in hexadecimal of either case."""
    found = file_sha256(source.path)
    if found != expected.lower():
        raise Problem(f"its SHA-256 is {found}, not the expected {expected.lower()}", where=str(source.path),
                      hint="It is not the file that was meant, or it was changed on the way")


def file_sha256(path: Path, size: int | None = None) -> str:
    """SHA-256 of a file, or of its first `size` bytes."""
    found, left = sha256(), size if size is not None else -1
    with path.open("rb") as stream_:
        while data := stream_.read(CHUNK if left < 0 else min(CHUNK, left)):
            found.update(data)
            left -= len(data) if left >= 0 else 0
            if left == 0:
                break
    return found.hexdigest()
