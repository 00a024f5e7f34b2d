"""Kinds of folders by who may write there and what they are to a system: read from kinds.toml, matched by comparison key.

A pattern goes over a key segment by segment: `*` stands for text within one segment, `**` for folders in any number, at the
end for everything below. Windows paths are told without drive, `~` is every home on Linux. All patterns of a kind are two
expressions, one for what begins at the root and one for what may begin anywhere, so that a question costs about a microsecond.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

from fimforensics import paths
from fimforensics.places.watched import registry_place, spelled, starts

Fits = Callable[[str], bool]

_VOLUME = r"(?:[a-z]:|\\device\\harddiskvolume\d+)?"
PROGRAM_ENDINGS = frozenset("exe dll sys scr ocx com cpl drv".split())  # extensions of what Windows runs or loads as machine code
_RUNS = PROGRAM_ENDINGS | frozenset("""efi msi msp ps1 psm1 psd1 bat cmd vbs vbe js jse wsf wsh hta lnk pif
    so ko sh bash py pyc pl rb php phtml asp aspx ashx asmx jsp jspx jar war service timer""".split())
# Wider by what servers alone understand, narrower by what no server takes for a page.
_SERVED_SCRIPTS = frozenset("""aspx asp ashx asmx ascx cshtml vbhtml soap cer php php3 php4 php5 php7 php8 phtml phps phar inc
    jsp jspx jspf jsw cfm cfc cgi pl py rb sh ps1 psm1 vbs bat cmd war""".split())
_LIBRARY = re.compile(r"\.so(?:\.[0-9]+)+$").search
_TYPES = re.compile(r"\b(?:elf|pe|portableexecutable|executable|script|dll|mach-?o|msi)\b", re.I).search


def _expression(pattern: str) -> str:
    """A pattern as a regular expression, from its first separator on."""
    mark = "/" if pattern[:1] == "/" else "\\"
    one, parts = re.escape(mark), pattern.split(mark)
    told = "".join((f"(?:.*{one})?" if part == "**" else f"[^{one}]*".join(map(re.escape, part.split("*"))) + one)
                   for part in parts[:-1])
    return told if parts[-1] == "**" else told + f"[^{one}]*".join(map(re.escape, parts[-1].split("*"))) + r"\Z"


def _joined(patterns: Iterable[str], before: str = "") -> list[str]:
    """The patterns as one expression for each separator, which is told once, so that a search can leap to it."""
    told = [(one, _expression(one)) for one in patterns]
    return [f"{before if mark in before else ''}{re.escape(mark)}(?:{'|'.join(one[len(re.escape(mark)):] for one in found)})"
            for mark in ("/", "\\") if (found := [expression for pattern, expression in told if pattern[:1] == mark])]


def _fits(patterns: Iterable[str]) -> Fits:
    """Does a key fit one of the patterns?"""
    told = [one for pattern in patterns for one in spelled(pattern)]
    floating = [one[:1] + one[4:] for one in told if one[1:4] in ("**\\", "**/")]
    rooted = [one for one in told if one[:1] in "/\\" and one[1:4] not in ("**\\", "**/")]
    keys = [_expression(one) for one in told if one[:1] not in "/\\"]
    begins = re.compile("|".join(_joined(rooted, _VOLUME) + keys), re.DOTALL).match
    within = re.compile("|".join(_joined(floating)), re.DOTALL).search
    if not floating:
        return lambda key: begins(key) is not None
    if not rooted and not keys:
        return lambda key: within(key) is not None
    return lambda key: begins(key) is not None or within(key) is not None


def _parts(name: str) -> tuple[list[str], list[str]]:
    """The patterns of a kind and of all that belongs to it; and the kinds among these that have exceptions of their own."""
    patterns: list[str] = list(_TABLE[name].get("patterns", ()))
    apart: list[str] = []
    for other in _TABLE[name].get("of", ()):
        more = ([], [other]) if "except" in _TABLE[other] else _parts(other)
        patterns, apart = patterns + more[0], apart + more[1]
    return patterns, apart


def _kind(name: str) -> Fits:
    patterns, apart = _parts(name)
    inside = reduce(_either, [_kind(other) for other in apart], *([_fits(patterns)] if patterns else []))
    if "except" not in _TABLE[name]:
        return inside
    outside = _fits(_TABLE[name]["except"])
    return lambda key: inside(key) and not outside(key)


def _either(one: Fits, other: Fits) -> Fits:
    return lambda key: one(key) or other(key)


_TABLE: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_KINDS: dict[str, Fits] = {name: _kind(name) for name in _TABLE}
_WINDOWS = _fits([r"\windows\**"])


@lru_cache(maxsize=1 << 12)
def drop(key: str) -> bool:
    """Can anybody, or a server program for whoever asks it, leave files there: a temporary or public folder, a web root?"""
    return _KINDS["drop"](key)


def writable(key: str) -> bool:
    """Does the file lie where users or server programs may write, in a home, a web folder or a temporary one?"""
    return _KINDS["writable"](key)


def loose(key: str) -> bool:
    """Is it such a folder, but none that programs are installed in (as ProgramData and a user's own programs are)?"""
    return _KINDS["loose"](key)


@lru_cache(maxsize=1 << 12)
def unvouched(key: str) -> bool:
    """May whoever put a program there have given it any name, so that its name tells nothing?"""
    return _KINDS["unvouched"](key)


def web_script(key: str) -> bool:
    """Is it a script in a folder that a web server serves?"""
    return paths.extension(key) in _SERVED_SCRIPTS and _KINDS["served"](key)


def log(key: str) -> bool:
    """Is it a log, or the history of a shell?"""
    return _KINDS["log"](key)


def lasting(key: str) -> bool:
    """Does the file lie in a folder of the system, but no log of it, or where something lies that starts programs?"""
    return _KINDS["lasting"](key) or starts(key)


def lasting_value(key: str, name: str | None) -> bool:
    """Is the value, its name in lower case, one whose change is worth a look, as one by which programs start?"""
    return registry_place(key, name) is not None


@lru_cache(maxsize=1 << 14)
def is_system(folder: str) -> bool:
    """Is this (the key of) a folder of the system's own programs, libraries or settings, or a key of its settings?"""
    return _KINDS["system"](folder + ("/" if folder[:1] == "/" else "\\"))


def runs(path: str, file_type: str | None) -> bool:
    """Is this a program, a script, or a file in a folder of programs or of what starts by itself?"""
    key = paths.file_key(path)
    if paths.extension(key) in _RUNS or _LIBRARY(key) or (file_type and _TYPES(file_type)) or starts(key):
        return True
    return not _KINDS["settings"](key) and (_KINDS["system"](key) or _KINDS["installed"](key))


def installed_program(key: str) -> bool:
    """Is it a program or library of the system, or of what is installed on it? On Linux the folder tells, no extension."""
    if key[:1] == "/":
        return not _KINDS["settings"](key) and (_KINDS["system"](key) or _KINDS["installed"](key))
    return paths.extension(key) in PROGRAM_ENDINGS and (_WINDOWS(key) or _KINDS["installed"](key))
