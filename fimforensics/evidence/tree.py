"""The tree over a case's leaves (RFC 9162), and its proofs: that a leaf, or many, or an older tree, is in it.

`root(leaves)`; `inclusion` and `included` for one leaf; `consistency` and `consistent` for an older root; `multiproof` and
`multi_root` for many leaves at once. Leaves are given as they are hashed already (32 bytes; docs/case-format.md, Leaves), as
any sequence; `Joined` makes one of blocks of leaves as a case stores them. An odd node is promoted, never doubled. Checks take
hostile proofs: whatever is too short, too long or misshaped is no proof.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

from fimforensics.evidence.leaves import EMPTY_ROOT, root

__all__ = ["EMPTY_ROOT", "Joined", "consistency", "consistent", "included", "inclusion", "multi_root", "multiproof", "node",
           "root"]

_HASH = 32


class Joined(Sequence[bytes]):
    """Leaves out of their joined bytes, 32 each."""

    def __init__(self, data: bytes) -> None:
        if len(data) % _HASH:
            raise ValueError("leaves are 32 bytes each")
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // _HASH

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # int or slice, as every sequence
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        begin = at % len(self) * _HASH
        return self._data[begin:begin + _HASH]


class Growing:
    """A tree that grows leaf by leaf, of which only what its root needs is kept."""

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[bytes] = []  # roots of the whole subtrees, the greatest first

    def add(self, leaf: bytes) -> None:
        """One leaf more."""
        size = self.size
        while size & 1:
            leaf, size = node(self._stack.pop(), leaf), size >> 1
        self._stack.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over the leaves until now."""
        if not self._stack:
            return EMPTY_ROOT
        found = self._stack[-1]
        for one in self._stack[-2::-1]:
            found = node(one, found)
        return found


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two nodes."""
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The greatest power of two below `size` (of at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def _over(leaves: Sequence[bytes], begin: int, end: int) -> bytes:
    return root(leaves[at] for at in range(begin, end))


def inclusion(leaves: Sequence[bytes], at: int) -> list[bytes]:
    """The proof that leaf `at` (from 0) is in the tree: hashes from the leaf up."""
    if not 0 <= at < len(leaves):
        raise IndexError(at)
    found, begin, end = [], 0, len(leaves)
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if at < middle:
            found.append(_over(leaves, middle, end))
            end = middle
        else:
            found.append(_over(leaves, begin, middle))
            begin = middle
    return found[::-1]


def included(leaf: bytes, at: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Is `leaf` the one at `at` (from 0) of the tree of `size` leaves whose root is `expected`?"""
    if not 0 <= at < size or not _hashes((leaf, expected, *proof)):
        return False
    number, last, found = at, size - 1, leaf
    for hashed in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node(hashed, found)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            found = node(found, hashed)
        number, last = number >> 1, last >> 1
    return last == 0 and found == expected


def consistency(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree of the first `old` leaves (at least one) is the beginning of this one."""
    if not 0 < old <= len(leaves):
        raise IndexError(old)
    found, begin, end, whole = [], 0, len(leaves), True  # `whole`: the old tree's root is known to who checks
    while old < end:
        middle = begin + _split(end - begin)
        if old <= middle:
            found.append(_over(leaves, middle, end))
            end = middle
        else:
            found.append(_over(leaves, begin, middle))
            begin, whole = middle, False
    if not whole:
        found.append(_over(leaves, begin, end))
    return found[::-1]


def consistent(old: int, size: int, old_root: bytes, expected: bytes, proof: Sequence[bytes]) -> bool:
    """Is the tree of `old` leaves (at least one) the beginning of that of `size` leaves?"""
    if not 0 < old <= size or not _hashes((old_root, expected, *proof)):
        return False
    if old == size:
        return not proof and old_root == expected
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    number, last = old - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = path[0]
    for hashed in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            first, second = node(hashed, first), node(hashed, second)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            second = node(second, hashed)
        number, last = number >> 1, last >> 1
    return last == 0 and first == old_root and second == expected


def multiproof(leaves: Sequence[bytes], chosen: Sequence[int]) -> list[bytes]:
    """The proof that the leaves at `chosen` (rising, from 0) are in the tree: roots of all greatest subtrees without one."""
    if any(one >= other for one, other in pairwise(chosen)) or (
            chosen and not (chosen[0] >= 0 and chosen[-1] < len(leaves))):
        raise ValueError("the places rise and lie within the tree")
    return list(_without(leaves, chosen, 0, len(leaves))) if leaves else []


def _without(leaves: Sequence[bytes], chosen: Sequence[int], begin: int, end: int) -> Iterator[bytes]:
    first = bisect_left(chosen, begin)
    if first == len(chosen) or chosen[first] >= end:
        yield _over(leaves, begin, end)
    elif end - begin > 1:
        middle = begin + _split(end - begin)
        yield from _without(leaves, chosen, begin, middle)
        yield from _without(leaves, chosen, middle, end)


def multi_root(chosen: Mapping[int, bytes], size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that these leaves (place from 0 → leaf) and a `multiproof` give in a tree of `size`; None where it is no proof."""
    places, rest = sorted(chosen), iter(proof)
    if size < 0 or (places and not (places[0] >= 0 and places[-1] < size)) or not _hashes((*chosen.values(), *proof)):
        return None
    if size == 0:
        return None if proof else EMPTY_ROOT

    def over(begin: int, end: int) -> bytes | None:
        first = bisect_left(places, begin)
        if first == len(places) or places[first] >= end:
            return next(rest, None)
        if end - begin == 1:
            return chosen[begin]
        middle = begin + _split(end - begin)
        left = over(begin, middle)
        right = over(middle, end) if left is not None else None
        return None if left is None or right is None else node(left, right)

    found = over(0, size)
    return found if next(rest, None) is None else None


def _hashes(told: Sequence[object]) -> bool:
    return all(isinstance(one, bytes) and len(one) == _HASH for one in told)
