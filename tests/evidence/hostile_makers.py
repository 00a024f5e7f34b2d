"""Ways to make a hostile file out of a good case: each is given a fresh copy and changes it."""

from __future__ import annotations

import io
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import zstandard

PAGE = 4096
Made = Callable[[Path], object]


def patched(at: int, data: bytes) -> Made:
    """Bytes of the file replaced."""

    def make(case: Path) -> None:
        with case.open("r+b") as stream:
            stream.seek(at)
            stream.write(data)

    return make


def sql(*statements: str, loose: tuple[str, str, str] | None = None) -> Made:
    """Statements run in it; `loose` takes a word out of a table's DDL meanwhile (table, word, instead)."""

    def make(case: Path) -> None:
        with closing(sqlite3.connect(case, isolation_level=None)) as db:
            db.execute("PRAGMA ignore_check_constraints = 1")
            db.execute("PRAGMA foreign_keys = 0")
            if loose:
                relaxed(case, loose[0], loose[1], loose[2])
        with closing(sqlite3.connect(case, isolation_level=None)) as db:
            db.execute("PRAGMA ignore_check_constraints = 1")
            db.execute("PRAGMA synchronous = OFF")
            db.execute("PRAGMA writable_schema = 1")
            for statement in statements:
                db.execute(statement)
        if loose:
            relaxed(case, loose[0], loose[2], loose[1])

    return make


def relaxed(case: Path, table: str, word: str, instead: str) -> None:
    """A word of a table's DDL replaced, while nothing checks it."""
    with closing(sqlite3.connect(case, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?", (word, instead, table))
        version = db.execute("PRAGMA schema_version").fetchone()[0]
        db.execute(f"PRAGMA schema_version = {version + 1}")


def blob(statement: str, data: bytes) -> Made:
    """One statement with bytes as its value."""

    def make(case: Path) -> None:
        with closing(sqlite3.connect(case)) as db, db:
            db.execute(statement, (data,))

    return make


def zeros(size: int, step: int = 1 << 20) -> bytes:
    """A zstd frame that gives so many zeros and does not say how many."""
    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=3).stream_writer(out, closefd=False) as stream:
        for _ in range(size // step):
            stream.write(bytes(step))
    return out.getvalue()


def replaced(make: Callable[[Path], object]) -> Made:
    """Something else in the place of the file."""

    def do(case: Path) -> None:
        case.unlink()
        make(case)

    return do


def _root(case: Path, name: str) -> int:
    with closing(sqlite3.connect(case)) as db:
        return int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0])


def page(name: str, make: Callable[[bytearray, int], object]) -> Made:
    """The root page of a table or index changed; `make` gets the page and its number."""

    def do(case: Path) -> None:
        number = _root(case, name)
        with case.open("r+b") as stream:
            stream.seek((number - 1) * PAGE)
            held = bytearray(stream.read(PAGE))
            make(held, number)
            stream.seek((number - 1) * PAGE)
            stream.write(held)

    return do


def tails(kind: int) -> Callable[[bytearray, int], None]:
    """An inner page of which every child is the page itself: 20 levels of it are endless."""

    def make(held: bytearray, number: int) -> None:
        cells, size = 300, 5 if kind == 5 else 6
        start = PAGE - cells * size
        held[:] = (
            bytes([kind]) + bytes(2) + cells.to_bytes(2, "big") + start.to_bytes(2, "big") + b"\0" + number.to_bytes(4, "big")
        )
        held.extend(b"".join((start + at * size).to_bytes(2, "big") for at in range(cells)))
        held.extend(bytes(start - len(held)))
        for at in range(cells):
            held.extend(number.to_bytes(4, "big") + bytes([at % 127] + [0] * (size - 5)))

    return make


def deep(case: Path) -> None:
    """Levels of inner pages, each with 300 children that are all the same page below: rows without end out of few pages."""
    number, size = _root(case, "events"), case.stat().st_size // PAGE
    with case.open("r+b") as stream:
        stream.seek((number - 1) * PAGE)
        leaf = stream.read(PAGE)
        chain = [number, *range(size + 1, size + 13)]
        for at, place in enumerate(chain):
            held = bytearray()
            if at + 1 < len(chain):
                tails(5)(held, chain[at + 1])
            stream.seek((place - 1) * PAGE)
            stream.write(held or leaf)
        stream.seek(28)
        stream.write((size + 12).to_bytes(4, "big"))


def noise(seed: int) -> Made:
    """A hundred bytes flipped anywhere behind the first page."""

    def make(case: Path) -> None:
        chance = random.Random(seed)
        data = bytearray(case.read_bytes())
        for _ in range(100):
            data[chance.randrange(PAGE, len(data))] ^= 1 << chance.randrange(8)
        case.write_bytes(data)

    return make


def journal(ending: str, data: Callable[[Path], bytes]) -> Made:
    """A file planted beside the case."""
    return lambda case: case.with_name(case.name + ending).write_bytes(data(case))


def hot(case: Path, victim: bool = False) -> bytes:
    """A rollback journal that puts a page of rubbish into the case, and names a file that SQLite would delete."""
    head = bytes.fromhex("d9d505f920a163d7") + (1).to_bytes(4, "big") + bytes(4) + (9).to_bytes(4, "big")
    told = head + (512).to_bytes(4, "big") + PAGE.to_bytes(4, "big")
    record = (2).to_bytes(4, "big") + b"\xee" * PAGE + sum(b"\xee" for _ in range(0)).to_bytes(4, "big")
    end = b""
    if victim:
        name = str(case.with_name("victim")).encode()
        case.with_name("victim").write_bytes(hot(case))
        end = bytes(4) + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big") + head[:8]
    return told.ljust(512, b"\0") + record + end
