"""What a place on a disk or in a registry is to a system: where programs live, what runs, and names that are only chance.

Folders made for one occasion (a GUID, a process number, a user's own) would each be known on one host only. `folded` puts a
placeholder for what is chance in them, so that the place is counted and not the occasion.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from fimforensics import paths

_GUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.I)
_SID = re.compile(r"\bs-1-[0-9]+(?:-[0-9]+){2,}", re.I)
_HEX = re.compile(r"(?<![0-9a-z])(?=[0-9a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}(?![0-9a-z])", re.I)
_DIGITS = re.compile(r"[0-9]{3,}")
_CHANCE = re.compile(r"(?<=[\\/])((?:tmp|temp)[._-]?)[0-9a-z_]{6,}(?=[\\/]|$)", re.I)
_USER = re.compile(r"^((?:[a-z]:)?\\(?:users|documents and settings)\\|/home/|/var/home/|/users/)[^\\/]+", re.I)
_ANYTHING = re.compile(r"[0-9]{3}|[0-9a-f]{8}|\\users\\|\\documents and|/home/|/users/|[\\/]te?mp[._-]?[0-9a-z_]{6}|s-1-",
                       re.I).search
_COMMON = {"public", "default", "default user", "all users", "shared"}

_WINDOWS = ("system32", "syswow64", "sysnative", "servicing", "winsxs", "boot", "system")
_LINUX = ("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64",
          "/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/etc", "/boot")
_SYSTEM_KEYS = ("hklm\\system\\", "hklm\\security\\", "hklm\\sam\\", "hklm\\software\\microsoft\\windows\\currentversion\\",
                "hklm\\software\\microsoft\\windows nt\\currentversion\\")
_PROGRAMS = re.compile(r"^(?:[a-z]:)?\\(?:program files(?: \(x86\))?|programdata)\\|^/opt/[^/]+/(?:s?bin|lib)/", re.I).search
_STARTS = re.compile(r"\\start menu\\programs\\startup\\|\\windows\\(?:system32\\)?tasks\\|^/etc/(?:cron|init\.d/|rc|systemd/|"
                     r"profile\.d/|update-motd\.d/|xdg/autostart/|ld\.so)|^/var/spool/cron|^/(?:usr/)?lib/systemd/|"
                     r"/\.config/autostart/", re.I).search
_RUNS = frozenset("""exe dll sys com scr cpl ocx drv efi msi msp ps1 psm1 psd1 bat cmd vbs vbe js jse wsf wsh hta lnk pif
    so ko sh bash py pyc pl rb php phtml asp aspx ashx asmx jsp jspx jar war service timer""".split())
_LIBRARY = re.compile(r"\.so(?:\.[0-9]+)+$").search
_TYPES = re.compile(r"\b(?:elf|pe|portableexecutable|executable|script|dll|mach-?o|msi)\b", re.I).search


@lru_cache(maxsize=1 << 16)
def folded(folder: str) -> str:
    """The folder or key with a placeholder for what is chance in its names; most are given back as they are.

    GUIDs become `<guid>`, security identifiers `<sid>`, names of 8 and more hexadecimal figures `<hex>`, runs of 3 and more
    figures `#`, what follows `tmp.` `<random>`, a user's own folder `<user>`. `system32` and `v4.0` stay.
    """
    if _ANYTHING(folder) is None:
        return folder
    text = _USER.sub(lambda m: m[0] if m[0][len(m[1]):].lower() in _COMMON else m[1] + "<user>", folder)
    text = _SID.sub("<sid>", _GUID.sub("<guid>", text))
    return _DIGITS.sub("#", _CHANCE.sub(r"\1<random>", _HEX.sub("<hex>", text)))


def image(key: str) -> str:
    """The key of a process's image, its folder folded; without what a weak process's key has behind a `|`; '' for none."""
    bare = key.partition("|")[0]
    at = max(bare.rfind("\\"), bare.rfind("/"))
    return folded(bare[:at]) + bare[at:] if at > 0 else bare


def split(key: str) -> tuple[str, str]:
    """A file key's folder (as `paths.folder`, but a drive without separator) and extension (as `paths.extension`, case kept)."""
    if key[:1] == "/":
        at, name = key.rfind("/"), key
    else:
        at, name = key.rfind("\\"), key.partition(":")[0] if key[1:2] != ":" else key[:2] + key[2:].partition(":")[0]
    stem, dot, ending = name[at + 1:].rpartition(".")
    return key[:max(at, 0)] or key[:at + 1], ending if dot and stem.strip(".") else ""


def ending(key: str, extension: str) -> str:
    """An extension with what is chance in it folded, lower-case; `<random>` of a copy's temporary name (`.passwd.a8Xc2Q`)."""
    if len(extension) == 6 and key[-len(key.rpartition("/")[2].rpartition("\\")[2]):][:1] == ".":
        return "<random>"
    return folded(extension.lower())


def parent(key: str) -> str:
    """The key above a registry key; a hive is its own."""
    return key.rpartition("\\")[0] or key


def short(host: str) -> str:
    """A host's name without its domain, in lower case, as it stands before the accounts that only it knows."""
    return host.partition(".")[0].lower()


def person(label: str, domain: str | None, account: str | None, hosts: Container[str]) -> str:
    """An account's name such that hosts can be compared: `<host>\\root` for one that only a host knows, and `<host>$` for itself.

    `hosts` are short names: all of them, or the one on which the account was seen.
    """
    if domain and account and short(domain) in hosts:
        return "<host>\\" + account.lower()
    if account and account.endswith("$") and account[:-1].lower() in hosts:
        return label.lower()[: -len(account)] + "<host>$"
    return label.lower()


@lru_cache(maxsize=1 << 14)
def is_system(folder: str) -> bool:
    """Is this (the key of) a folder of the system's own programs, libraries or settings, or a key of its settings?"""
    if folder.startswith("/"):
        return any(folder == place or folder.startswith(place + "/") for place in _LINUX)
    if folder.startswith("hk"):
        return (folder + "\\").startswith(_SYSTEM_KEYS)
    drive, _, rest = folder.partition("\\windows")
    if len(drive) > 2 or (drive and drive[1:] != ":"):
        return False
    return rest == "" if not rest.startswith("\\") else rest[1:].partition("\\")[0] in _WINDOWS and "\\windows" in folder


def runs(path: str, file_type: str | None) -> bool:
    """Is this a program, a script, or a file in a folder of programs or of what starts by itself?"""
    key = paths.file_key(path)
    folder = paths.folder(key)
    if paths.extension(key) in _RUNS or _LIBRARY(key) or (file_type and _TYPES(file_type)) or _STARTS(key):
        return True
    if folder.startswith("/etc") or folder.startswith("/boot"):
        return False  # settings
    return is_system(folder) or _PROGRAMS(key) is not None
