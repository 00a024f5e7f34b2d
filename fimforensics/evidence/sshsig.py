"""Signatures that stock OpenSSH checks: Ed25519 in the SSHSIG format (OpenSSH's PROTOCOL.sshsig), over the statement of a seal.

`sign` gives the armoured text, `check` who signed. The signature is bound to the namespace `fimforensics-seal`, so none made
for something else counts. A key is known by its fingerprint, as `ssh-keygen -l` prints it.
"""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256, sha512
from struct import pack, unpack_from
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fimforensics.errors import Problem

NAMESPACE = "fimforensics-seal"
PRINCIPAL = "sealer"
_MAGIC, _KIND = b"SSHSIG", b"ssh-ed25519"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LARGEST = 16_384  # characters of a signature's file
_HASHES = {b"sha512": sha512, b"sha256": sha256}


class Signer(NamedTuple):
    """Who signed: the public key as OpenSSH writes it, and its fingerprint."""

    public: str  # "ssh-ed25519 AAAA…"
    fingerprint: str  # "SHA256:…"


def _text(data: bytes) -> bytes:
    return pack(">I", len(data)) + data


def signer(key: Ed25519PublicKey) -> Signer:
    """A public key's two names."""
    blob = _text(_KIND) + _text(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
    printed = base64.b64encode(sha256(blob).digest()).decode().rstrip("=")
    return Signer(f"{_KIND.decode()} {base64.b64encode(blob).decode()}", f"SHA256:{printed}")


def allowed(who: Signer) -> str:
    """The line for `ssh-keygen -Y verify -f ALLOWED -I sealer -n fimforensics-seal -s SIGNATURE < STATEMENT`."""
    return f'{PRINCIPAL} namespaces="{NAMESPACE}" {who.public}'


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The signature over a message, armoured; the same key and message give the same text."""
    body = _text(NAMESPACE.encode()) + _text(b"") + _text(b"sha512")
    raw = key.sign(_MAGIC + body + _text(sha512(message).digest()))
    public = base64.b64decode(signer(key.public_key()).public.split()[1])
    blob = _MAGIC + pack(">I", 1) + _text(public) + body + _text(_text(_KIND) + _text(raw))
    lines = re.findall(".{1,70}", base64.b64encode(blob).decode())
    return "\n".join([_BEGIN, *lines, _END, ""])


def check(armoured: str, message: bytes) -> Signer:
    """Who signed this message; Problem, with the reason, where nobody did."""
    public, namespace, hashed, raw = _parts(_unarmoured(armoured))
    if namespace != NAMESPACE.encode():
        raise Problem("the signature was made for something else than a seal")
    if hashed not in _HASHES:
        raise Problem("the signature uses a hash that is not known")
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        signed = _MAGIC + _text(namespace) + _text(b"") + _text(hashed) + _text(_HASHES[hashed](message).digest())
        key.verify(raw, signed)
    except (InvalidSignature, ValueError):
        raise Problem("the signature does not fit the statement: one of them was changed") from None
    return signer(key)


def _unarmoured(armoured: str) -> bytes:
    found = re.fullmatch(rf"\s*{_BEGIN}\s+([A-Za-z0-9+/=\s]+){_END}\s*", armoured) if len(armoured) <= _LARGEST else None
    try:
        return base64.b64decode("".join(found[1].split()), validate=True) if found else b""
    except binascii.Error:
        return b""


def _parts(blob: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Public key, namespace, name of the hash, signature; Problem for what is no such signature."""
    try:
        if blob[:6] != _MAGIC or unpack_from(">I", blob, 6) != (1,):
            raise ValueError
        fields, rest = _fields(blob[10:], 5)
        (kind, public), more = _fields(fields[0], 2)
        (signed_by, raw), after = _fields(fields[4], 2)
        if rest or more or after or kind != _KIND or signed_by != _KIND or fields[2]:
            raise ValueError
    except (ValueError, IndexError):
        raise Problem("it is no Ed25519 signature of OpenSSH") from None
    return public, fields[1], fields[3], raw


def _fields(data: bytes, count: int) -> tuple[list[bytes], bytes]:
    found = []
    for _ in range(count):
        if len(data) < 4 or len(data) < 4 + (size := unpack_from(">I", data)[0]):
            raise ValueError
        found.append(data[4:4 + size])
        data = data[4 + size:]
    return found, data
