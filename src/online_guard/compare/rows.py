"""Two tables with one key → the rows that differ, side by side; all in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from online_guard.evidence import Flags, Integers

CHANGED, ONLY_OLD, ONLY_NEW = "changed", "only_old", "only_new"
KINDS = (CHANGED, ONLY_OLD, ONLY_NEW)


def ranks(columns: Sequence[pa.ChunkedArray]) -> Integers:
    """Return one number for each row: equal where all columns are, and in their order. Null is the empty text."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        whole = pa.chunked_array(column.chunks, column.type).combine_chunks()
        words = (pc.fill_null(whole, "") if whole.null_count else whole).dictionary_encode()
        order = pc.rank(words.dictionary).to_numpy().astype(np.int64)
        place = order[words.indices.to_numpy()] if len(words) else np.empty(0, np.int64)
        codes = codes * (len(order) + 1) + place
    return codes


def beside(old: pa.Table, new: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return the rows that aren't in both tables alike, sorted by key.

    Args:
        old: Table with a unique key.
        new: Table with the same columns.
        keys: Names of the key's columns.

    Returns:
        The key, `change` (one of `KINDS`), and `old_…` and `new_…` of each other column, null where there is no row.
    """
    codes = ranks([pa.chunked_array(old[key].chunks + new[key].chunks, old[key].type) for key in keys])
    whole, first, place = np.unique(codes, return_index=True, return_inverse=True)
    rows = [np.full(len(whole), -1, np.int64) for _ in range(2)]
    rows[0][place[: len(old)]] = np.arange(len(old))
    rows[1][place[len(old) :]] = np.arange(len(new))
    in_both = np.flatnonzero((rows[0] >= 0) & (rows[1] >= 0))
    values = [name for name in old.column_names if name not in keys]
    differs = (rows[0] < 0) | (rows[1] < 0)
    for name in values:
        differs[in_both] |= _differ(old[name].take(rows[0][in_both]), new[name].take(rows[1][in_both]))
    kept = np.flatnonzero(differs)
    rows = [side[kept] for side in rows]
    both = pa.concat_tables([old.select(keys), new.select(keys)])
    columns: dict[str, Any] = {key: both[key].take(first[kept]) for key in keys}
    columns["change"] = pa.array(np.select([rows[0] < 0, rows[1] < 0], [ONLY_NEW, ONLY_OLD], CHANGED), pa.string())
    for name in values:
        for side, table, picked in (("old", old, rows[0]), ("new", new, rows[1])):
            columns[f"{side}_{name}"] = table[name].take(pa.array(picked, mask=picked < 0))
    return pa.table(columns).combine_chunks()


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Flags:
    """Return where two columns differ; null equals null. Rule ids and codes of tests hold no comma."""
    if pa.types.is_list(one.type):
        one, other = (pc.binary_join(column, ",") for column in (one, other))
    unequal = pc.fill_null(pc.not_equal(one, other), False)
    return _flags(pc.or_(unequal, pc.xor(pc.is_null(one), pc.is_null(other))))


def _flags(column: Any) -> Flags:
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy(), bool
    )


def lists(row: Integers, words: pa.Array, size: int) -> pa.ListArray:
    """Return a list of words for each of `size` rows, each sorted and without repetition.

    Args:
        row: To which list each word belongs.
        words: As many.
        size: How many lists.
    """
    if not len(row):
        return pa.array([[]] * size, pa.list_(pa.string()))
    codes = ranks([pa.chunked_array([words])])
    width = int(codes.max()) + 1
    pairs, first = np.unique(row * width + codes, return_index=True)
    offsets = np.searchsorted(pairs // width, np.arange(size + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, words.take(first))


def unlike(old: pa.ChunkedArray, new: pa.ChunkedArray) -> tuple[Integers, pa.Array]:
    """Return (row, word) of each word that only one of two lists holds; a null list is empty."""
    sides = [column.combine_chunks() for column in (old, new)]
    row = np.concatenate([pc.list_parent_indices(side).to_numpy(zero_copy_only=False) for side in sides]).astype(
        np.int64
    )
    words = pa.concat_arrays([pc.list_flatten(side) for side in sides])
    if not len(row):
        return row, words
    codes = ranks([pa.chunked_array([words])])
    _, first, count = np.unique(row * (int(codes.max()) + 1) + codes, return_index=True, return_counts=True)
    alone = first[count == 1]
    return row[alone], words.take(alone)


def positions(values: pa.ChunkedArray, among: pa.ChunkedArray) -> Integers:
    """Return where each value stands in a column of distinct values, -1 where it doesn't."""
    found = pc.fill_null(pc.index_in(values, value_set=among.combine_chunks()), -1)
    return np.asarray(found.to_numpy(), np.int64)
