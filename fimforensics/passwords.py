"""Who may see a shared case: a file of names and password hashes, one a line, in the PHC form of scrypt.

The hashes stay in this file and in memory; no page, command or log shows them. A name that is not in the file costs as much time
as one that is, so that names cannot be guessed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from fimforensics.errors import Misuse, Problem
from fimforensics.text import visible

SHORTEST, LONGEST = 10, 200  # letters of a password
LONGEST_NAME = 60
_COST, _BLOCKS, _LANES = 15, 8, 1  # 32 MiB and about a tenth of a second each
_LINE = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)").fullmatch
_NAME = re.compile(r"[^\s:#](?:[^:\x00-\x1f\x7f]*[^\s:])?").fullmatch


@dataclass(frozen=True)
class Passwords:
    """Names and the hashes of their passwords."""

    hashes: dict[str, str]

    def allow(self, name: str, password: str) -> bool:
        """Is this the password of this name? Takes a tenth of a second either way."""
        return _fits(password, self.hashes.get(name, _NOBODY)) and name in self.hashes

    def __repr__(self) -> str:
        """Without the hashes: a log may show it."""
        return f"Passwords({len(self.hashes)} names)"


def read(path: Path) -> Passwords:
    """The names of a password file; Problem, naming the line, where it is none. It is never repeated what the line says."""
    found: dict[str, str] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, hashed = line.strip().partition(":")
        if not _good_name(name) or not _good_hash(hashed):
            raise Problem("this line is no name and password hash", where=f"{path}: line {number}",
                          hint="Lines are made by: fimforensics password FILE NAME")
        if name.casefold() in {known.casefold() for known in found}:
            raise Problem(f"the name {visible(name)} is there twice", where=f"{path}: line {number}", hint="Take one line out")
        found[name] = hashed
    if not found:
        raise Problem("there is no name in it", where=str(path), hint="Add one: fimforensics password FILE NAME")
    return Passwords(found)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=str(path),
                      hint="Make it: fimforensics password FILE NAME") from None
    except ValueError:
        raise Problem("it is no password file", where=str(path), hint="Make it: fimforensics password FILE NAME") from None


def readable_by_others(path: Path) -> bool:
    """May other accounts of this machine read the file?"""
    return os.name == "posix" and bool(path.stat().st_mode & 0o044)


def put(path: Path, name: str, password: str | None) -> bool:
    """Gives a name this password in the file (made where there is none), or takes the name out; whether it was there before."""
    if not _good_name(name):
        raise Misuse(f"a name has up to {LONGEST_NAME} letters, without a colon, and does not begin with #")
    if password is not None and not SHORTEST <= len(password) <= LONGEST:
        raise Misuse(f"a password has {SHORTEST} to {LONGEST} letters")
    lines = _lines(path) if path.exists() else []
    if any(line.strip() and not line.startswith("#") for line in lines):
        read(path)  # what is no password file is not written to
    kept = [line for line in lines if line.startswith("#") or line.partition(":")[0].strip().casefold() != name.casefold()]
    if password is None and len(kept) == len(lines):
        raise Problem(f"there is no name {visible(name)} in it", where=str(path))
    added = [] if password is None else [f"{name}:{hashed(password)}"]
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write("".join(line + "\n" for line in [*kept, *added]))
        os.replace(fresh, path)
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path)) from None
    return len(kept) < len(lines)


def hashed(password: str) -> str:
    """The password's hash with a fresh salt."""
    salt = secrets.token_bytes(16)
    return f"$scrypt$ln={_COST},r={_BLOCKS},p={_LANES}${_base64(salt)}${_base64(_scrypt(password, salt, _COST, _BLOCKS, _LANES))}"


def _good_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and _NAME(name) is not None


def _good_hash(text: str) -> bool:
    """In form, and not so costly that a login would stop the server."""
    told = _LINE(text)
    return told is not None and 10 <= int(told[1]) <= 17 and 1 <= int(told[2]) <= 16 and 1 <= int(told[3]) <= 4


def _fits(password: str, told: str) -> bool:
    match = _LINE(told)
    if match is None or len(password) > LONGEST:
        return False
    cost, blocks, lanes = (int(match[at]) for at in (1, 2, 3))
    return hmac.compare_digest(_base64(_scrypt(password, _bytes(match[4]), cost, blocks, lanes)), match[5])


def _scrypt(password: str, salt: bytes, cost: int, blocks: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=1 << cost, r=blocks, p=lanes, dklen=32,
                          maxmem=(130 << cost) * blocks * lanes + (1 << 20))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


_NOBODY = f"$scrypt$ln={_COST},r={_BLOCKS},p={_LANES}${_base64(b'nobody')}${_base64(bytes(32))}"
