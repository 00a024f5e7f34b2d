"""Places from which programs start, and others whose change is worth a look: read from watched.toml, matched by comparison key.

A pattern goes over the key of a file or registry key segment by segment: `*` and `?` stand for text within one segment, `**` at
the end for everything below. Windows paths are told without drive, `~` is every home on Linux, of people and of services, and
`hk*` is both HKLM and HKCU. A registry key is compared with every user's hive as `hkcu`, every control set as
`currentcontrolset`, and without `wow6432node`, so that one line covers all spellings of one place. A walk over a tree of segments
costs about a microsecond.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """A kind of place: what an entry of it is called, why it matters in the words "because …", its ATT&CK technique.

    `severity` is that of a change by nobody in particular. A `wide` place holds so many ordinary files that package managers and
    deletions are passed over in silence. `starts`: what is set there is run or loaded. `names`: the values that matter ('' is a
    key's default value); all, when empty.
    """

    name: str
    why: str
    technique: str
    severity: str = "medium"
    wide: bool = False
    starts: bool = True
    names: tuple[str, ...] = ()


@dataclass
class _Node:
    """What may follow in a pattern: segments as they are, segments by pattern, and the places that end here or have it all."""

    literal: dict[str, _Node] = field(default_factory=dict)
    globs: dict[str, tuple[Callable[[str], object], _Node]] = field(default_factory=dict)
    here: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)


# Services have homes, too: an SSH key of `redis` or `postgres` opens the same door.
HOMES = ("/root", "/home/*", "/var/home/*", "/var/lib/*", "/var/www", "/srv/*", "/opt/*")
_VOLUME = re.compile(r"(?:[a-z]:|\\device\\harddiskvolume\d+)(?=\\)").match
_USER = re.compile(r"hku\\[^\\]+?(_classes)?\\").match
_SET = re.compile(r"(?<=^hklm\\system\\)controlset\d+(?=\\)").sub


def bare(key: str) -> str:
    """A Windows key without its drive letter, or the kernel's name of the volume; any other as it is."""
    return key[found.end():] if (found := _VOLUME(key)) else key


def one_spelling(key: str) -> str:
    """A registry key's comparison key with what differs between users, control sets and 32 bits folded away."""
    if key.startswith("hku\\") and (user := _USER(key)):
        key = ("hkcu\\software\\classes\\" if user[1] else "hkcu\\") + key[user.end():]
    if key.startswith("hklm\\system\\controlset0"):
        key = _SET("currentcontrolset", key)
    return key.replace("\\wow6432node\\", "\\")


def file_place(key: str) -> Place | None:
    """The place that a file's comparison key lies in."""
    found = bare(key)
    return next(_walk(_FILES, found.split("\\" if found[:1] == "\\" else "/"), 0), None)


def registry_place(key: str, name: str | None) -> Place | None:
    """The place that a value lies in; `name` in lower case, None and `(default)` for the key's default value."""
    wanted = "" if name in (None, "(default)") else name
    return next((place for place in _walk(_REGISTRY, one_spelling(key).split("\\"), 0)
                 if not place.names or wanted in place.names), None)


def starts(key: str) -> bool:
    """Is what lies here run or loaded by itself? Wide places hold what others start, and do not count."""
    return (place := file_place(key)) is not None and place.starts and not place.wide


def spelled(pattern: str) -> list[str]:
    """A pattern in all its spellings: `~` and `hk*` told out."""
    if pattern.startswith("~/"):
        return [home + pattern[1:] for home in HOMES]
    return ["hklm" + pattern[3:], "hkcu" + pattern[3:]] if pattern.startswith("hk*") else [pattern]


def _walk(node: _Node, parts: list[str], at: int) -> Iterator[Place]:
    """Every place that fits, the more exact before the less."""
    while at < len(parts) and not node.globs and not node.below:
        only = node.literal.get(parts[at])
        if only is None:
            return
        node, at = only, at + 1
    if at == len(parts):
        yield from node.here
        return
    if following := node.literal.get(parts[at]):
        yield from _walk(following, parts, at + 1)
    for fits, following in node.globs.values():
        if fits(parts[at]):
            yield from _walk(following, parts, at + 1)
    yield from node.below


def _place(entry: dict[str, Any]) -> Place:
    names = tuple(entry.get("names", ()))
    return Place(**{name: told for name, told in entry.items() if name not in ("patterns", "names")}, names=names)


def _grow(entries: list[dict[str, Any]]) -> _Node:
    root = _Node()
    for entry in entries:
        place = _place(entry)
        for pattern in (told for one in entry["patterns"] for told in spelled(one)):
            node, parts = root, pattern.split("/" if pattern[:1] == "/" else "\\")
            for part in parts[:-1] if parts[-1] == "**" else parts:
                node = _step(node, part)
            (node.below if parts[-1] == "**" else node.here).append(place)
    return root


def _step(node: _Node, part: str) -> _Node:
    if not set(part) & set("*?"):
        return node.literal.setdefault(part, _Node())
    if part not in node.globs:
        node.globs[part] = (re.compile(translate(part)).match, _Node())
    return node.globs[part][1]


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_FILES, _REGISTRY = _grow(_TABLE["file"]), _grow(_TABLE["registry"])
PLACES: tuple[Place, ...] = tuple(_place(entry) for kind in ("file", "registry") for entry in _TABLE[kind])
