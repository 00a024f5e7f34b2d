"""Keys that sign seals: Ed25519, in OpenSSH's own file format, so that `ssh-keygen` made ones serve too."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from fimforensics.errors import Problem
from fimforensics.evidence.sshsig import Signer, signer

_LARGEST = 65_536


def make(path: Path, passphrase: bytes) -> Signer:
    """Makes a key in a new file that only its owner may read; '' for none that asks for a passphrase."""
    key = Ed25519PrivateKey.generate()
    cipher = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, cipher)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path),
                      hint="Name a new file in a folder that is there") from None
    return signer(key.public_key())


def load(path: Path, ask: Callable[[], bytes]) -> Ed25519PrivateKey:
    """The key in a file; `ask` gives the passphrase, and is called only where one is needed."""
    try:
        with path.open("rb") as stream:
            mode, data = os.fstat(stream.fileno()).st_mode, stream.read(_LARGEST)
    except OSError as error:
        raise Problem(f"the key cannot be read ({error.strerror})", where=str(path),
                      hint="Make one: fimforensics key new --out FILE") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise Problem("the key can be read by others", where=str(path), hint=f"Run: chmod 600 {path}")
    try:
        try:
            key = load_ssh_private_key(data, None)
        except TypeError:  # it is encrypted
            key = load_ssh_private_key(data, ask())
    except (ValueError, UnsupportedAlgorithm) as error:
        wrong = "passphrase" in str(error).lower() or "corrupt" in str(error).lower()
        raise Problem("the passphrase is not the key's" if wrong else "it is no private key of OpenSSH", where=str(path),
                      hint="" if wrong else "Make one: fimforensics key new --out FILE") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Problem("it is a key of another kind than Ed25519", where=str(path),
                      hint="Make one: fimforensics key new --out FILE")
    return key
