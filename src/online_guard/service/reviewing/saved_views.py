"""Views of the queue that people keep under a name."""

from __future__ import annotations

from typing import Any

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.store import assignment_rows
from online_guard.store.assignment_tables import SavedViewRecord
from online_guard.store.unit_of_work import reading, writing

MOST = 50
"""Views that a person may keep."""


def views_of(house: House, person: str) -> list[dict[str, str]]:
    """Return a person's views by name: `name`, and `query`, what follows the question mark of the queue's address."""
    with reading(house.engine) as database:
        return [
            {"name": record.name, "query": record.query} for record in assignment_rows.saved_views(database, person)
        ]


def keep(house: House, person: str, name: str, query: str) -> dict[str, Any]:
    """Keep a view under a name, in place of the one that had it.

    Raises:
        GuardError: The person keeps too many.
    """
    with writing(house.engine) as database:
        known = {record.name for record in assignment_rows.saved_views(database, person)}
        if name not in known and len(known) >= MOST:
            raise GuardError(
                ErrorKind.CONFLICT,
                "view.too_many",
                f"最多保存 {MOST} 个视图 / at most {MOST} views are kept",
                where="/name",
                remedy="请先删除一个 / forget one first.",
            )
        database.merge(SavedViewRecord(person=person, name=name, query=query))
    return {"name": name, "query": query}


def forget(house: House, person: str, name: str) -> dict[str, Any]:
    """Forget a view; one that isn't there is forgotten already."""
    with writing(house.engine) as database:
        assignment_rows.forget_view(database, person, name)
    return {"name": name, "query": None}
