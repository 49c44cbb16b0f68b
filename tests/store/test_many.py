"""Many rows by one statement: each row is kept once, in its order, whatever their number."""

from __future__ import annotations

from typing import Any, cast

import pytest
from sqlalchemy import Engine, Table, text

from online_guard.store import account_rows
from online_guard.store.account_rows import UsedNonce
from online_guard.store.account_tables import NonceRecord
from online_guard.store.many import MOST_ROWS, Many
from online_guard.store.unit_of_work import writing

NONCES = cast("Table", NonceRecord.__table__)


@pytest.mark.parametrize("number", [0, 1, 2, 3, MOST_ROWS - 1, MOST_ROWS, MOST_ROWS + 1, 3 * MOST_ROWS + 77])
def test_each_row_is_kept_with_its_own_values(engine: Engine, number: int) -> None:
    rows: list[dict[str, Any]] = [{"digest": place.to_bytes(16, "big"), "created_s": place} for place in range(number)]
    with writing(engine) as database:
        count = Many(NONCES.insert(), ("created_s", "digest")).execute(database.connection(), rows)
        kept = database.execute(text("SELECT created_s, digest FROM used_nonce ORDER BY created_s")).all()
    assert count == number
    assert [(created_s, bytes(digest)) for created_s, digest in kept] == [(r["created_s"], r["digest"]) for r in rows]


def test_what_was_there_is_not_counted(engine: Engine) -> None:
    used = [UsedNonce(1, place.to_bytes(16, "big")) for place in range(100)]
    with writing(engine) as database:
        assert account_rows.are_new(database, used[:50])
    with writing(engine) as database:
        assert not account_rows.are_new(database, used[49:])
    with writing(engine) as database:
        assert account_rows.use_nonces(database, used) == set(used)
