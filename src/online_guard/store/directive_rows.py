"""Directives of many sessions, written together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.orm import Session

from online_guard.store.many import Many
from online_guard.store.tables import DirectiveRecord

TABLE = cast("Table", DirectiveRecord.__table__)
_NEW = Many(
    insert(TABLE).values(
        session_row=bindparam("row"),
        directive_id=bindparam("id"),
        kind=bindparam("kind"),
        nonce=bindparam("nonce"),
        due_playing_ms=bindparam("due"),
        issued_ms=bindparam("issued"),
    )
)
_CHANGED = Many(
    update(TABLE)
    .where(TABLE.c.session_row == bindparam("row"), TABLE.c.directive_id == bindparam("id"))
    .values(due_playing_ms=bindparam("due"), issued_ms=bindparam("issued"))
)


def put(database: Session, new: Sequence[dict[str, Any]], old: Sequence[dict[str, Any]]) -> None:
    """Keep directives: `row` (session), `id`, `kind`, `nonce`, `due` and `issued` of new ones and of changed ones."""
    connection = database.connection()
    _NEW.execute(connection, new)
    _CHANGED.execute(connection, old)
