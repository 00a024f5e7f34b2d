"""One leaf a record, laid down by ingest: what was read, where it lay, and the row it gave.

leaf = SHA-256(0x00 ‖ seq ‖ snapshot ‖ member ‖ offset ‖ length ‖ salt ‖ SHA-256(raw) ‖ SHA-256(row)); the five numbers are
8 bytes each, big-endian; the salt is the first 16 bytes of HMAC-SHA-256(case key, seq). A reject's row hash is 32 zero bytes.
The root is that of RFC 9162 over all leaves in the order of seq.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from hashlib import sha256
from struct import Struct
from struct import error as StructError

NO_ROW = bytes(32)
EMPTY_ROOT = sha256(b"").digest()
_PLACE = Struct(">QQQQQ").pack
_SEQ = Struct(">Q").pack


def leaf(key: bytes, seq: int, snapshot: int, member: int, offset: int, length: int, raw: bytes, row_hash: bytes) -> bytes:
    """The 32 bytes of a record's leaf; `member` is the member's number within its snapshot."""
    return leaves_of(key, snapshot, member)(seq, offset, length, raw, row_hash)


def salt_of(key: bytes, seq: int) -> bytes:
    """The 16 bytes that are mixed into the leaf of record `seq`."""
    return hmac.digest(key, _SEQ(seq), "sha256")[:16]


def salted(salt: bytes, place: tuple[int, int, int, int, int], raw: bytes, row_hash: bytes) -> bytes:
    """A leaf out of its parts, for who has the salt and not the key; `place`: seq, snapshot, member, offset, length.

    ValueError for numbers that no place has.
    """
    try:
        packed = _PLACE(*place)
    except StructError:
        raise ValueError(f"{place} is no place of a record") from None
    return sha256(b"\0" + packed + salt + sha256(raw).digest() + row_hash).digest()


def leaves_of(key: bytes, snapshot: int, member: int) -> Callable[[int, int, int, bytes, bytes], bytes]:
    """`leaf` for the records of one member: takes (seq, offset, length, raw, row hash).

    The HMAC is written out as the two hashes that it is (RFC 2104), of which the key's part is the same for every record.
    """
    inner, outer = blocks_of(key)

    def one(seq: int, offset: int, length: int, raw: bytes, row_hash: bytes) -> bytes:
        salt = sha256(outer + sha256(inner + _SEQ(seq)).digest()).digest()[:16]
        return sha256(b"\0" + _PLACE(seq, snapshot, member, offset, length) + salt + sha256(raw).digest() + row_hash).digest()

    return one


def blocks_of(key: bytes) -> tuple[bytes, bytes]:
    """The two blocks of 64 bytes by which HMAC-SHA-256 takes its key in."""
    block = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def root(leaves: Iterable[bytes]) -> bytes:
    """The tree's root over leaves in order (RFC 9162: an odd node is promoted, never doubled); of none, SHA-256 of nothing."""
    stack: list[tuple[int, bytes]] = []  # (height, hash), heights falling
    for hashed in leaves:
        height = 0
        while stack and stack[-1][0] == height:
            hashed, height = sha256(b"\x01" + stack.pop()[1] + hashed).digest(), height + 1
        stack.append((height, hashed))
    if not stack:
        return EMPTY_ROOT
    found = stack.pop()[1]
    while stack:
        found = sha256(b"\x01" + stack.pop()[1] + found).digest()
    return found
