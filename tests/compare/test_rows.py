from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from online_guard.compare.rows import beside, lists, ranks, unlike

SCHEMA = pa.schema({"name": pa.string(), "number": pa.int32(), "value": pa.float64(), "words": pa.list_(pa.string())})
VALUES = st.tuples(st.none() | st.sampled_from([0.0, 1.0]), st.lists(st.sampled_from(["OG101", "OG301"]), max_size=2))
TABLES = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b", "é", "\U0001f600"]), st.integers(0, 3)), VALUES, max_size=8
)


def table(rows: dict[tuple[str, int], Any]) -> pa.Table:
    return pa.Table.from_pylist(
        [{"name": key[0], "number": key[1], "value": row[0], "words": row[1]} for key, row in rows.items()], SCHEMA
    )


@given(TABLES, TABLES)
def test_rows_beside_each_other_are_those_that_differ(old: Any, new: Any) -> None:
    rows = beside(table(old), table(new), ("name", "number")).to_pylist()
    expected = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            change = "only_new" if key not in old else "only_old" if key not in new else "changed"
            before, after = old.get(key, (None, None)), new.get(key, (None, None))
            expected.append((*key, change, before[0], after[0], before[1], after[1]))
    assert [tuple(row.values()) for row in rows] == expected


def test_ranks_follow_all_columns() -> None:
    columns = [pa.chunked_array([["b", "a"], ["a", None]]), pa.chunked_array([[1, 10, 9, 9]])]
    assert np.argsort(ranks(columns)).tolist() == [3, 2, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["OG1", "OG2", "OG3"]))))
def test_lists_are_sets_by_row(pairs: Any) -> None:
    row = np.array([pair[0] for pair in pairs], np.int64)
    made = lists(row, pa.array([pair[1] for pair in pairs], pa.string()), 5).to_pylist()
    assert made == [sorted({word for place, word in pairs if place == number}) for number in range(5)]


def test_words_of_only_one_list() -> None:
    words = pa.list_(pa.string())
    old = pa.chunked_array([pa.array([["a", "b"], None, []], words)])
    new = pa.chunked_array([pa.array([["b", "c"], ["d"], []], words)])
    row, alone = unlike(old, new)
    assert list(zip(row.tolist(), alone.to_pylist(), strict=True)) == [(0, "a"), (0, "c"), (1, "d")]
