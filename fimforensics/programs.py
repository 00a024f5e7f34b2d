"""Programs by what they do: who installs, deploys, carries, restores, rotates logs, collects, interprets, serves.

The names lie in programs.toml, in groups; a role is played by groups. A name proves nothing: where it would excuse, it counts
only if the image does not lie where anybody may have put it (`places.unvouched`); where it makes heavier, it counts anywhere.
An `image` here is a path as recorded, its key, or a bare name, in any case; what a weak process's key has behind a `|` is left
aside, and so is what a process wrote behind its name (`sshd: ann@pts/0`).
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from fimforensics import paths, places

_CUT = 15  # characters of a process's name that Linux keeps
_VERSION = re.compile(r"[-_]?\d[\d.]*[a-z]?(?:-v[\d.]+)?$").sub
_HELPERS = (".postinst", ".preinst", ".prerm", ".postrm")  # `/var/lib/dpkg/info/x.postinst`
_WEB_JAVA = re.compile(r"tomcat|jetty|jboss|wildfly|weblogic|websphere|glassfish|confluence|jira|manageengine|coldfusion").search

_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
ROLES: dict[str, frozenset[str]] = {role: frozenset(name for group in groups for name in _TABLE["group"][group].split())
                                    for role, groups in _TABLE["role"].items()}
_KNOWN = {role: names | {name[:_CUT] for name in names} for role, names in ROLES.items()}


def bare(image: str | None) -> str:
    """An image without what a weak process's key has behind a `|`; '' for none."""
    return (image or "").partition("|")[0]


@lru_cache(maxsize=1 << 14)
def name(image: str) -> str:
    """The name of a program: `C:\\Windows\\System32\\cmd.exe` gives `cmd`, `/usr/bin/python3.11` gives `python3.11`."""
    told = bare(image).partition(": ")[0]
    return told[max(told.rfind("\\"), told.rfind("/")) + 1:].partition(":")[0].lower().removesuffix(".exe")


def _named(role: str, image: str | None) -> bool:
    """Does the name play the role, wherever the image lies?"""
    told = name(image or "")
    return told in _KNOWN[role] or _VERSION("", told) in _KNOWN[role]


def _plays(role: str, image: str | None) -> bool:
    """Does the name play the role, and does the image lie where names are believed?"""
    return _named(role, image) and not places.unvouched(paths.file_key(bare(image)))


@lru_cache(maxsize=1 << 12)
def installs(image: str | None) -> bool:
    """Is it a package manager or an installer of the system?"""
    return _plays("installs", image)


@lru_cache(maxsize=1 << 14)
def deploys(image: str | None) -> bool:
    """Does it bring to many machines what it brings: package manager, deployment tool, updater, or a package's own script?

    Believed in people's folders too, where browsers keep their updaters, but not where anybody can leave files.
    """
    return (_named("deploys", image) or name(image or "").endswith(_HELPERS)) and not places.drop(paths.file_key(bare(image)))


@lru_cache(maxsize=1 << 14)
def carries(image: str | None) -> bool:
    """Does it bring over the network what somebody sends: a remote session, a copy? The name counts anywhere."""
    return _named("carries", image)


@lru_cache(maxsize=1 << 12)
def restores(image: str | None) -> bool:
    """Does it bring back what was: a package, backup, repair or configuration tool?"""
    return _plays("restores", image)


@lru_cache(maxsize=1 << 12)
def rotates(image: str | None) -> bool:
    """Does it remove logs by trade?"""
    return _plays("rotates", image)


@lru_cache(maxsize=1 << 12)
def collects(image: str | None) -> bool:
    """Is it a part of the software that watches the machine and reports these very events?"""
    return _plays("collects", image)


@lru_cache(maxsize=1 << 12)
def owns(image: str | None, path: str) -> bool:
    """Is the path of the program's own: is its name, or that without the `d` of a service, in the path?"""
    told = name(image or "").removesuffix("d")
    return len(told) >= 4 and told in paths.lower(path) and not places.unvouched(paths.file_key(bare(image)))


@lru_cache(maxsize=1 << 12)
def serves(process: str, image: str) -> bool:
    """Is a process of this name and image a server's: of a web, application or database server? The name counts anywhere."""
    if _named("serves", process):
        return True
    return name(process) == "java" and _WEB_JAVA(paths.lower(image)) is not None


def kernel(process: str, image: str) -> bool:
    """Is it the kernel of Windows, which writes files for those who come over the network?"""
    low = paths.lower(image)
    return (paths.lower(process) == "system" and low in ("system", "ntoskrnl.exe")) or low.endswith("\\ntoskrnl.exe")


@lru_cache(maxsize=1 << 12)
def unusual(image: str | None) -> str | None:
    """Why it is unusual that this program sets up what starts programs, as `a server program`; None where it is not.

    A browser in a user's own folder is not unusual: it sets up its own start there. So those names count where they are believed.
    """
    if not image:
        return None
    if places.drop(paths.file_key(bare(image))):
        return "a program in a folder where anybody can leave files"
    if _named("interprets", image):
        return "an interpreter of scripts"
    return "a server or document program" if _plays("handles", image) else None


def command_names() -> str:
    """The names of programs that a command names in order to run a script or fetch, as alternatives of an expression."""
    return "|".join(sorted(map(re.escape, ROLES["commands"])))
