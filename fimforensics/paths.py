"""Paths and registry keys: as recorded they are kept, and here is the key by which two spellings are one thing.

Windows paths are told from Linux ones by their own look (drive, backslash), never by the host. The fold is lower-casing,
not `casefold`: NTFS folds one character to one character, so `straße` and `strasse` are two files there, and
casefold would make them one. 8.3 names cannot be resolved from text and stay apart.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CACHED = 1024  # longer texts are hostile or rare, and not worth their memory in a cache
_DRIVE = re.compile(r"[A-Za-z]:").match
_DOUBLED = re.compile(r"\\{2,}").sub
_HIVES = {
    "hkey_local_machine": "HKLM", "hklm": "HKLM", "hkey_current_user": "HKCU", "hkcu": "HKCU", "hkey_users": "HKU",
    "hku": "HKU", "hkey_classes_root": "HKCR", "hkcr": "HKCR", "hkey_current_config": "HKCC", "hkcc": "HKCC",
    "hklm:": "HKLM", "hkcu:": "HKCU", "hku:": "HKU", "hkcr:": "HKCR", "hkcc:": "HKCC",
}
_KERNEL = {"machine": "HKLM", "user": "HKU"}  # \REGISTRY\MACHINE and \REGISTRY\USER, as the kernel names them


def is_full(path: str, name: str) -> bool:
    """Does the path end in the file's own name (for Windows in any case), so that it is no folder?"""
    last = last_segment(path)
    return last == name or (_windows(path) and lower(last) == lower(name))


def join(folder_or_full: str | None, name: str | None) -> str | None:
    """The whole path of a file from a path that may be its folder, with or without separator, or already the whole.

    Ends in a separator = folder; last segment is the name = whole path; else folder. '' counts as None.
    """
    if not folder_or_full:
        return name or None
    if not name:
        return folder_or_full
    separator = "\\" if _windows(folder_or_full) else "/"
    if folder_or_full.endswith(_separators(folder_or_full)):
        return folder_or_full + name
    if is_full(folder_or_full, name):
        return folder_or_full
    return folder_or_full + separator + name


def last_segment(path: str) -> str:
    """What follows the last separator ('' where the path ends in one); a Linux name may hold backslashes."""
    return path[_last_separator(path) + 1 :]


def folder(path: str) -> str:
    """What precedes the last segment, without its separator except at a root (`/`, `C:\\`); '' for a bare name."""
    at = _last_separator(path)
    head = path[: max(at, 0)]
    return path[: at + 1] if at >= 0 and (not head or head.endswith(":")) else head


def extension(path: str) -> str:
    """The last segment's extension, lower-case and without dot; '' for none, for `.profile` too; streams left aside."""
    name = last_segment(path)
    if _windows(path):
        name = name.partition(":")[0]
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem.strip(".") else ""


def file_key(path: str) -> str:
    """The comparison key of a path; a Linux path is its own key.

    Windows: lower-case, `\\` throughout, without `\\\\?\\` and `\\??\\`, doubled and trailing separators gone. A path without
    drive stays so, `\\Device\\HarddiskVolumeN\\` is not guessed to be a drive, a stream (`a.txt:zone`) is part of the key.
    """
    if not _windows(path):
        return path
    return _windows_key(path) if len(path) < _CACHED else _windows_key.__wrapped__(path)


@lru_cache(maxsize=1 << 15)
def _windows_key(path: str) -> str:
    key = _single(lower(path.replace("/", "\\")))
    while key.startswith(("\\\\?\\", "\\??\\")):
        key = "\\\\" + key[8:] if key[4:8] == "unc\\" else key[4:]
    return key.rstrip("\\") or key[:1]


def lower(text: str) -> str:
    """Lower-case, one character for one character, as NTFS and the registry fold names."""
    if text.isascii():
        return text.lower()
    return "".join([low if len(low := char.lower()) == 1 else char for char in text])


def hive_name(text: str) -> str:
    """The text with only its hive in the short spelling: `HKEY_LOCAL_MACHINE\\Software` gives `HKLM\\Software`."""
    at = text.find("\\")
    hive = _HIVES.get((text if at < 0 else text[:at]).lower())
    if hive is not None:
        return hive if at < 0 else hive + text[at:]
    if text[:10].lower() == "\\registry\\":
        head, separator, rest = text[10:].partition("\\")
        if head.lower() in _KERNEL:
            return _KERNEL[head.lower()] + separator + rest
    return text


def hive_head(key: str) -> str:
    """The head of a registry key as recorded where it names a hive, else ''."""
    rest = hive_name(key).partition("\\")[2]
    return key.removesuffix(rest).rstrip("\\") if _names_hive(hive_name(key)) else ""


def registry_key(key: str, hive: str | None) -> str:
    """The comparison key of a registry key: one short hive, lower-case, no doubled or trailing `\\`.

    `hive` is put in front where the key does not name one itself. WOW6432Node and ControlSet001 are not folded into what
    they may stand for: on another machine, or another day, that would be another key.
    """
    return _registry_key(key, hive) if len(key) + len(hive or "") < _CACHED else _registry_key.__wrapped__(key, hive)


@lru_cache(maxsize=1 << 15)
def _registry_key(key: str, hive: str | None) -> str:
    single = _DOUBLED(lambda _: "\\", key)
    bare = hive_name(single.lstrip("\\"))
    named = bare if _names_hive(bare) else hive_name(single)
    front = hive_name(_DOUBLED(lambda _: "\\", hive)).strip("\\") if hive else ""
    if front and not _names_hive(named) and not lower(named + "\\").startswith((lower(front) + "\\", "\\registry\\")):
        named = front + "\\" + named.lstrip("\\")
    return lower(named).rstrip("\\")


def _names_hive(named: str) -> bool:
    """Is the head of an already shortened key a hive?"""
    return named.partition("\\")[0].lower() in _HIVES


def _single(path: str) -> str:
    """Doubled separators made single, but for the two that begin a UNC path."""
    return path[:1] + _DOUBLED(lambda _: "\\", path[1:]) if path[:2] == "\\\\" else _DOUBLED(lambda _: "\\", path)


def _windows(path: str) -> bool:
    """Has the path the look of Windows? A Linux path begins with `/`, and may then hold backslashes in its names."""
    if path[:1] == "/":
        return path[:2] == "//" and "\\" in path
    return "\\" in path or _DRIVE(path) is not None


def _separators(path: str) -> tuple[str, ...]:
    return ("\\", "/") if _windows(path) else ("/",)


def _last_separator(path: str) -> int:
    return max(path.rfind(mark) for mark in _separators(path))
