"""Mathematics of an RFC 6962 Merkle tree whose nodes lie in tiles: roots and proofs out of O(log n) tiles.

A tile holds up to 256 hashes that lie beside each other in the tree: of leaves (level 0), or of whole tiles of the
level below. What stands between two levels is computed again from at most 256 hashes: a leaf costs 32 bytes.

Source: RFC 6962 section 2.1 (hashes and proofs), RFC 9162 sections 2.1.3.2 and 2.1.4.2 (how they are verified).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
EMPTY_ROOT = hashlib.sha256().digest()

Node = Callable[[int, int], bytes]
"""Gives the hash of a whole subtree: of 2**height leaves, the `index`-th of its height from the left."""
Tile = Callable[[int, int], bytes]
"""Gives the hashes of a tile, one after the other: by its level, and its number from the left."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf's data."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def whole_tree(hashes: Sequence[bytes]) -> bytes:
    """Return the root above 2**n hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(*pair) for pair in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def hashes_of(tile: bytes) -> list[bytes]:
    """Return the hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def grown(size: int, leaves: Sequence[bytes], tile: Tile) -> Iterator[tuple[int, int, bytes]]:
    """Yield the tiles (level, number, hashes) that change when leaf hashes are put to the right of a tree.

    Args:
        size: Leaves of the tree so far.
        leaves: Hashes of the new ones.
        tile: Reads the tiles of the tree so far.
    """
    level, first, new = 0, size, list(leaves)
    while new:
        number, filled = divmod(first, TILE_WIDTH)
        hashes = [*(hashes_of(tile(level, number)) if filled else ()), *new]
        new = []
        for place in range(0, len(hashes), TILE_WIDTH):
            row = hashes[place : place + TILE_WIDTH]
            yield level, number + place // TILE_WIDTH, b"".join(row)
            if len(row) == TILE_WIDTH:
                new.append(whole_tree(row))
        level, first = level + 1, number


def nodes(tile: Tile) -> Node:
    """Return a reader of nodes out of a reader of tiles."""

    def node(height: int, index: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        number, place = divmod(index << rest, TILE_WIDTH)
        return whole_tree(hashes_of(tile(level, number))[place : place + (1 << rest)])

    return node


def _split(width: int) -> int:
    """Return the largest power of two below a width of at least two."""
    return 1 << (width - 1).bit_length() - 1


def _range(begin: int, end: int, node: Node) -> bytes:
    """Return the hash of the leaves from `begin` to before `end`, as a subtree of the tree's right edge."""
    width = end - begin
    if width & (width - 1) == 0:
        return node(width.bit_length() - 1, begin // width)
    middle = begin + _split(width)
    return node_hash(_range(begin, middle, node), _range(middle, end, node))


def root(size: int, node: Node) -> bytes:
    """Return the root of the first `size` leaves."""
    return _range(0, size, node) if size else EMPTY_ROOT


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of a leaf (counted from 0) in the tree of the first `size` leaves, lowest hash first."""
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(begin, middle, node))
            begin = middle
    return path[::-1]


def consistency(first: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of `first` leaves (0 < `first` ≤ `size`) is the beginning of that of `size`."""
    begin, end, path = 0, size, []
    while end != first:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(begin, middle, node))
            begin = middle
    if begin:  # else the old tree is a whole subtree, whose root the verifier knows
        path.append(_range(begin, end, node))
    return path[::-1]


def _climb(
    place: int, last: int, path: Sequence[bytes], new: bytes, old: bytes = b""
) -> tuple[bytes, bytes] | tuple[None, None]:
    """Return where a proof leads from a node of the new tree and one of the old; None when it has another length."""
    for step in path:
        if last == 0:
            return None, None
        if place & 1 or place == last:
            new, old = node_hash(step, new), node_hash(step, old)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return (new, old) if last == 0 else (None, None)


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that an audit path leads to from a leaf's hash; None when it can't be one of this size."""
    return _climb(index, size - 1, path, leaf)[0] if 0 <= index < size else None


def is_consistent(first: int, first_root: bytes, size: int, size_root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether a proof shows that the tree of `first` leaves is the beginning of that of `size`."""
    if first in (0, size) or first > size:
        return first <= size and not path and first_root == (size_root if first == size else EMPTY_ROOT)
    steps = ([first_root] if first & (first - 1) == 0 else []) + list(path)
    if not steps:
        return False
    place, last = first - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return _climb(place, last, steps[1:], steps[0], steps[0]) == (size_root, first_root)
