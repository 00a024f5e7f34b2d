"""The tree and its proofs: Certificate Transparency's published vectors, and laws over drawn trees and forged proofs."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimforensics.evidence import tree

# The eight entries of Certificate Transparency's reference test, the roots over the first n of them, and its proofs.
ENTRIES = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", bytes(range(0x50, 0x58)),
           bytes(range(0x60, 0x70))]
LEAVES = [sha256(b"\0" + entry).digest() for entry in ENTRIES]
ROOTS = """e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328""".split()
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[4]]), (2, 3, [ROOTS[2]]), (1, 5, [ROOTS[1], B, D])]
CONSISTENCY = [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[4]]), (2, 5, [B, D])]

leaves_of_any_size = st.integers(1, 70).map(lambda size: [sha256(bytes([at])).digest() for at in range(size)])


def told(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    at = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + plain_root(leaves[:at]) + plain_root(leaves[at:])).digest()


def test_published_roots() -> None:
    assert [tree.root(LEAVES[:size]).hex() for size in range(9)] == ROOTS


@pytest.mark.parametrize(("at", "size", "proof"), INCLUSION)
def test_published_inclusion_proofs(at: int, size: int, proof: list[str]) -> None:
    assert tree.inclusion(LEAVES[:size], at) == told(proof)
    assert tree.included(LEAVES[at], at, size, told(proof), bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "size", "proof"), CONSISTENCY)
def test_published_consistency_proofs(old: int, size: int, proof: list[str]) -> None:
    assert tree.consistency(LEAVES[:size], old) == told(proof)
    assert tree.consistent(old, size, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[size]), told(proof))


@given(leaves_of_any_size, st.data())
def test_every_leaf_and_every_older_tree_is_proven(leaves: list[bytes], data: st.DataObject) -> None:
    at, old = data.draw(st.integers(0, len(leaves) - 1)), data.draw(st.integers(1, len(leaves)))
    joined, whole = tree.Joined(b"".join(leaves)), plain_root(leaves)
    assert tree.root(leaves) == whole
    assert tree.included(leaves[at], at, len(leaves), tree.inclusion(joined, at), whole)
    assert tree.consistent(old, len(leaves), plain_root(leaves[:old]), whole, tree.consistency(joined, old))
    chosen = sorted(data.draw(st.sets(st.integers(0, len(leaves) - 1))))
    proof = tree.multiproof(joined, chosen)
    assert tree.multi_root({place: leaves[place] for place in chosen}, len(leaves), proof) == whole
    assert len(proof) <= len(leaves) - len(chosen) or not chosen


def forged(draw: random.Random, proof: list[bytes]) -> list[bytes]:
    """The proof with one thing made otherwise."""
    found = list(proof)
    at = draw.randrange(len(found) + 1)
    kind = draw.randrange(6)
    if kind == 0 and found:
        del found[at % len(found)]
    elif kind == 1:
        found.insert(at, draw.randbytes(32))
    elif kind == 2 and len(found) > 1:
        one, other = draw.sample(range(len(found)), 2)
        found[one], found[other] = found[other], found[one]
    elif kind == 3 and found:
        found[at % len(found)] = bytes(byte ^ (position == 7) for position, byte in enumerate(found[at % len(found)]))
    elif kind == 4 and found:
        found[at % len(found)] = found[at % len(found)][:-1]
    else:
        found.append(found[-1] if found else b"")
    return found


Check = Callable[[list[bytes]], bool]


def a_proof(draw: random.Random) -> tuple[list[bytes], Check, Check]:
    """A proof of one of the three kinds, what says whether it holds, and the same asked of another place, size or root."""
    size = draw.randrange(1, 200)
    leaves = [draw.randbytes(32) for _ in range(size)]
    whole, other = tree.root(leaves), draw.randrange(1, 4)
    match draw.randrange(3):
        case 0:
            at = draw.randrange(size)
            return (tree.inclusion(leaves, at), lambda proof: tree.included(leaves[at], at, size, proof, whole),
                    lambda proof: tree.included(leaves[at], at - other, size, proof, whole))
        case 1:
            old = draw.randrange(1, size + 1)
            older = tree.root(leaves[:old])
            return (tree.consistency(leaves, old), lambda proof: tree.consistent(old, size, older, whole, proof),
                    lambda proof: tree.consistent(old, size, whole if older != whole else draw.randbytes(32), older, proof))
        case _:
            chosen = {at: leaves[at] for at in draw.sample(range(size), draw.randrange(size) + 1)}
            less = dict(list(chosen.items())[1:])
            return (tree.multiproof(leaves, sorted(chosen)), lambda proof: tree.multi_root(chosen, size, proof) == whole,
                    lambda proof: tree.multi_root(less, size, proof) == whole)


def test_ten_thousand_forged_proofs_are_refused() -> None:
    draw, refused = random.Random(), 0
    seed = draw.getrandbits(32)
    draw.seed(seed)
    while refused < 10_000:
        proof, holds, asked_otherwise = a_proof(draw)
        assert holds(proof), seed
        assert not asked_otherwise(proof), seed
        for _ in range(9):
            false = forged(draw, proof)
            if false != proof:
                assert not holds(false), (seed, len(proof))
                refused += 1
        refused += 1


def test_what_is_no_proof_at_all() -> None:
    whole = tree.root(LEAVES)
    assert not tree.included(LEAVES[0], 8, 8, [], whole) and not tree.included(LEAVES[0], -1, 8, [], whole)
    assert not tree.included(b"", 0, 1, [], b"") and not tree.included("x", 0, 1, [], whole)  # type: ignore[arg-type]
    assert not tree.consistent(0, 8, tree.EMPTY_ROOT, whole, []) and not tree.consistent(9, 8, whole, whole, [])
    assert tree.multi_root({}, 0, []) == tree.EMPTY_ROOT and tree.multi_root({}, 0, [whole]) is None
    assert tree.multi_root({9: whole}, 8, []) is None and tree.multi_root({}, 1, []) is None
    with pytest.raises(ValueError):
        tree.multiproof(LEAVES, [1, 1])
    with pytest.raises(IndexError):
        tree.inclusion(LEAVES, 8)
    with pytest.raises(IndexError):
        tree.consistency(LEAVES, 0)
    with pytest.raises(ValueError):
        tree.Joined(b"short")
