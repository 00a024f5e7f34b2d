"""Disks that fail, for SQLite and for Python: a write that fails once, and power that goes in the middle.

`Failing` makes the n-th write, sync, truncation, deletion or renaming fail, once. `Power` lets things reach the disk only when
synced: when the power goes, what was not synced since is dropped, torn at sectors, or there, by chance; names that
were not synced with their folder may be the old ones. Both stand under every connection of apsw, os.fsync and os.replace.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_BASE = apsw.vfs_names()[0]  # the system's own
_REAL: dict[str, Callable[..., None]] = {"fsync": os.fsync, "replace": os.replace, "rename": os.rename}


class Disk:
    """What happens at each operation; the plain one only counts."""

    def __init__(self) -> None:
        self.operations = 0

    def step(self, what: str, path: str) -> None:
        """Before an operation that changes the disk."""
        self.operations += 1

    def opened(self, path: str) -> None:
        """A file is opened by SQLite."""

    def wrote(self, path: str, offset: int, data: bytes) -> None:
        """Bytes were written, or (data empty) the file was cut at the offset."""

    def synced(self, path: str) -> None:
        """A file, or a folder, was synced."""

    def deleting(self, path: str) -> None:
        """A file is about to be deleted."""

    def renamed(self, old: str, new: str) -> None:
        """A file was renamed."""


class Failing(Disk):
    """The `at`-th operation fails, once."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def step(self, what: str, path: str) -> None:
        super().step(what, path)
        if self.operations == self.at:
            if what in ("fsync", "replace"):
                raise OSError(5, "Input/output error", path)
            raise apsw.FullError("no room") if what == "write" else apsw.IOError("the disk fails")


class Power(Disk):
    """The power goes at the `at`-th operation: the disk is brought to what it may be then, and the process ends."""

    def __init__(self, at: int, chance: random.Random, folder: Path) -> None:
        super().__init__()
        self.at, self.chance, self.folder = at, chance, folder
        self.durable: dict[str, bytes | None] = {}  # by path; None: the name is not on disk yet
        self.pending: dict[str, list[tuple[int, bytes]]] = {}
        self.deleted: dict[str, bytes] = {}
        self.names: list[tuple[str, str]] = []  # renamed, not synced

    def step(self, what: str, path: str) -> None:
        super().step(what, path)
        if self.operations == self.at:
            self._off()
            os._exit(9)

    def opened(self, path: str) -> None:
        if path not in self.durable:
            self.durable[path] = Path(path).read_bytes() or None if Path(path).exists() else None
            self.pending[path] = []

    def wrote(self, path: str, offset: int, data: bytes) -> None:
        self.pending.setdefault(path, []).append((offset, data))

    def synced(self, path: str) -> None:
        if Path(path).is_dir():
            self.deleted.clear()
            self.names.clear()
        elif Path(path).exists():
            self.durable[path], self.pending[path] = Path(path).read_bytes(), []

    def deleting(self, path: str) -> None:
        durable = self.durable.pop(path, None)
        if durable is not None:
            self.deleted[path] = self._torn(durable, self.pending.get(path, []))
        self.pending.pop(path, None)

    def renamed(self, old: str, new: str) -> None:
        for held in (self.durable, self.pending):
            if old in held:
                held[new] = held.pop(old)  # type: ignore[attr-defined, assignment]
        self.names.append((old, new))

    def _off(self) -> None:
        for path, durable in self.durable.items():
            pending = self.pending.get(path, [])
            if durable is None and self.chance.random() < 0.5:
                Path(path).unlink(missing_ok=True)
            elif durable is None or pending:
                Path(path).write_bytes(self._torn(durable or b"", pending))
        for path, data in self.deleted.items():
            if self.chance.random() < 0.5:
                Path(path).write_bytes(data)
        for old, new in reversed(self.names):
            if self.chance.random() < 0.5 and Path(new).exists() and not Path(old).exists():
                _REAL["rename"](new, old)

    def _torn(self, durable: bytes, pending: list[tuple[int, bytes]]) -> bytes:
        """The file as it may be: each write that was not synced is there, is not, or is there in some of its sectors."""
        found = bytearray(durable)
        for offset, data in pending:
            way = self.chance.randrange(3)
            if not data:
                if way:
                    del found[offset:]
                continue
            for at in range(0, len(data), SECTOR):
                if way == 1 or (way == 2 and self.chance.random() < 0.5):
                    piece = data[at:at + SECTOR]
                    found.extend(bytes(max(offset + at - len(found), 0)))
                    found[offset + at:offset + at + len(piece)] = piece
        return bytes(found)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, base: str, name: Any, flags: list[int]) -> None:
        super().__init__(base, name, flags)
        self.disk, self.path = disk, name.filename() if isinstance(name, apsw.URIFilename) else name
        if self.path:
            disk.opened(self.path)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self.path:
            self.disk.step("write", self.path)
        super().xWrite(data, offset)
        if self.path:
            self.disk.wrote(self.path, offset, bytes(data))

    def xTruncate(self, size: int) -> None:
        if self.path:
            self.disk.step("truncate", self.path)
        super().xTruncate(size)
        if self.path:
            self.disk.wrote(self.path, size, b"")

    def xSync(self, flags: int) -> None:
        if self.path:
            self.disk.step("sync", self.path)
        super().xSync(flags)
        if self.path:
            self.disk.synced(self.path)


class _System(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__("failing", _BASE, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self.disk, _BASE, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.disk.step("delete", filename)
        self.disk.deleting(filename)
        super().xDelete(filename, syncdir)


@contextmanager
def on(disk: Disk, folder: Path) -> Iterator[None]:
    """Within, SQLite (apsw's) and Python write to `folder` by this disk."""
    system = _System(disk)
    inside = str(folder.resolve())

    def watched(path: object) -> str | None:
        found = os.path.abspath(os.fspath(path))  # type: ignore[call-overload]
        return str(found) if str(found).startswith(inside) else None

    def fsync(number: int) -> None:
        path = watched(os.readlink(f"/proc/self/fd/{number}"))
        if path:
            disk.step("fsync", path)
        _REAL["fsync"](number)
        if path:
            disk.synced(path)

    def replace(way: Callable[..., None]) -> Callable[..., None]:
        def renamed(old: Any, new: Any) -> None:
            one, other = watched(old), watched(new)
            if one and other:
                disk.step("replace", one)
            way(old, new)
            if one and other:
                disk.renamed(one, other)
        return renamed

    os.fsync, os.replace, os.rename = fsync, replace(_REAL["replace"]), replace(_REAL["rename"])  # type: ignore[assignment]
    try:
        yield
    finally:
        os.fsync, os.replace, os.rename = _REAL["fsync"], _REAL["replace"], _REAL["rename"]  # type: ignore[assignment]
        system.unregister()
