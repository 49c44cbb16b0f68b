"""The Merkle tree against the vectors of Certificate Transparency, and against the RFC's own definitions."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_guard.store import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""The inputs of the reference vectors that Certificate Transparency's implementations share."""
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


class Tree:
    """A tree in memory, grown by steps."""

    def __init__(self, *steps: list[bytes]) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.size = 0
        for data in steps:
            hashes = [merkle.leaf_hash(one) for one in data]
            for level, number, row in list(merkle.grown(self.size, hashes, lambda *at: self.tiles[at])):
                self.tiles[level, number] = row
            self.size += len(data)
        self.node = merkle.nodes(lambda *at: self.tiles[at])


def root_by_definition(data: list[bytes]) -> bytes:
    """Return MTH(D[n]) as RFC 6962 section 2.1 writes it."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while 2 * k < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + root_by_definition(data[:k]) + root_by_definition(data[k:])).digest()


def path_by_definition(m: int, data: list[bytes]) -> list[bytes]:
    """Return PATH(m, D[n]) as RFC 6962 section 2.1.1 writes it."""
    n = len(data)
    if n == 1:
        return []
    k = 1
    while 2 * k < n:
        k *= 2
    if m < k:
        return [*path_by_definition(m, data[:k]), root_by_definition(data[k:])]
    return [*path_by_definition(m - k, data[k:]), root_by_definition(data[:k])]


def subproof_by_definition(m: int, data: list[bytes], whole: bool) -> list[bytes]:
    """Return SUBPROOF(m, D[n], b) as RFC 6962 section 2.1.2 writes it."""
    n = len(data)
    if m == n:
        return [] if whole else [root_by_definition(data)]
    k = 1
    while 2 * k < n:
        k *= 2
    if m <= k:
        return [*subproof_by_definition(m, data[:k], whole), root_by_definition(data[k:])]
    return [*subproof_by_definition(m - k, data[k:], False), root_by_definition(data[:k])]


def test_the_roots_are_those_of_the_reference_vectors() -> None:
    tree = Tree(LEAVES)
    assert tuple(merkle.root(size, tree.node).hex() for size in range(1, 9)) == ROOTS
    assert merkle.root(0, tree.node).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_audit_paths_are_those_of_the_reference_vectors(index: int, size: int) -> None:
    path = merkle.inclusion(index, size, Tree(LEAVES).node)
    assert [step.hex() for step in path] == INCLUSION[index, size]
    assert merkle.root_by_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, path).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("first", "size"), CONSISTENCY)
def test_the_consistency_proofs_are_those_of_the_reference_vectors(first: int, size: int) -> None:
    path = merkle.consistency(first, size, Tree(LEAVES).node)
    assert [step.hex() for step in path] == CONSISTENCY[first, size]
    old, new = (bytes.fromhex(ROOTS[n - 1]) for n in (first, size))
    assert merkle.is_consistent(first, old, size, new, path)


sizes = st.lists(st.integers(0, 400), min_size=1, max_size=3)


@given(sizes, st.data())
def test_a_tree_grown_by_steps_has_the_roots_and_proofs_of_the_definition(
    steps: list[int], data: st.DataObject
) -> None:
    ends = [0]
    for step in steps:
        ends.append(ends[-1] + step)
    leaves = [str(number).encode() for number in range(ends[-1])]
    tree = Tree(*(leaves[a:b] for a, b in pairwise(ends)))
    size = data.draw(st.integers(0, tree.size))
    root = merkle.root(size, tree.node)
    assert root == root_by_definition(leaves[:size])
    if size:
        index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        path = merkle.inclusion(index, size, tree.node)
        assert path == path_by_definition(index, leaves[:size])
        assert merkle.root_by_inclusion(merkle.leaf_hash(leaves[index]), index, size, path) == root
        proof = merkle.consistency(first, size, tree.node)
        assert proof == subproof_by_definition(first, leaves[:size], True)
        assert merkle.is_consistent(first, merkle.root(first, tree.node), size, root, proof)


@given(st.integers(1, 300), st.data())
def test_a_wrong_leaf_place_size_or_path_leads_elsewhere(size: int, data: st.DataObject) -> None:
    leaves = [str(number).encode() for number in range(size)]
    tree = Tree(leaves)
    index = data.draw(st.integers(0, size - 1))
    root, path, leaf = merkle.root(size, tree.node), merkle.inclusion(index, size, tree.node), leaves[index]
    hashed = merkle.leaf_hash(leaf)
    assert merkle.root_by_inclusion(merkle.leaf_hash(leaf + b"!"), index, size, path) != root
    other = data.draw(st.integers(-1, size).filter(lambda number: number != index))
    assert merkle.root_by_inclusion(hashed, other, size, path) != root
    assert merkle.root_by_inclusion(hashed, index, size, [*path, hashed]) != root
    if path:
        assert merkle.root_by_inclusion(hashed, index, size, path[:-1]) != root
        place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        bent = bytearray(path[place])
        bent[bit // 8] ^= 1 << bit % 8
        assert merkle.root_by_inclusion(hashed, index, size, [*path[:place], bytes(bent), *path[place + 1 :]]) != root


@given(st.integers(1, 300), st.data())
def test_a_rewritten_past_has_no_consistency_proof(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    leaves = [str(number).encode() for number in range(size)]
    tree = Tree(leaves)
    changed = data.draw(st.integers(0, first - 1))
    other = Tree([*leaves[:changed], b"another", *leaves[changed + 1 :]])
    old, new = merkle.root(first, tree.node), merkle.root(size, other.node)
    for proof in (merkle.consistency(first, size, tree.node), merkle.consistency(first, size, other.node)):
        assert not merkle.is_consistent(first, old, size, new, proof)


def test_a_proof_from_or_to_nothing() -> None:
    tree = Tree(LEAVES)
    root = merkle.root(8, tree.node)
    assert merkle.is_consistent(0, merkle.EMPTY_ROOT, 8, root, [])
    assert not merkle.is_consistent(0, root, 8, root, [])
    assert not merkle.is_consistent(9, root, 8, root, [])
    assert not merkle.is_consistent(8, merkle.EMPTY_ROOT, 8, root, [])
    assert not merkle.is_consistent(3, root, 8, root, [])
