"""Names that are only chance, folded away, so that the place is counted and not the occasion.

Folders made for one occasion (a GUID, a process number, a user's own) would each be known on one host only. `folded` puts a
placeholder for what is chance in them; `image`, `ending` and `person` do so for programs, extensions and accounts.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

_GUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.I)
_SID = re.compile(r"\bs-1-[0-9]+(?:-[0-9]+){2,}", re.I)
_HEX = re.compile(r"(?<![0-9a-z])(?=[0-9a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}(?![0-9a-z])", re.I)
_DIGITS = re.compile(r"[0-9]{3,}")
_CHANCE = re.compile(r"(?<=[\\/])((?:tmp|temp)[._-]?)[0-9a-z_]{6,}(?=[\\/]|$)", re.I)
_USER = re.compile(r"^((?:[a-z]:)?\\(?:users|documents and settings)\\|/home/|/var/home/|/users/)[^\\/]+", re.I)
_ANYTHING = re.compile(r"[0-9]{3}|[0-9a-f]{8}|\\users\\|\\documents and|/home/|/users/|[\\/]te?mp[._-]?[0-9a-z_]{6}|s-1-",
                       re.I).search
_COMMON = {"public", "default", "default user", "all users", "shared"}


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
