"""The candidates of a window as a feed for another system: page by page, in the order in which they changed."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from online_guard.evidence import day_of
from online_guard.service.assessing.assessment import is_admitted, told_rows
from online_guard.service.cursors import cursor_of, place_of
from online_guard.service.house import House
from online_guard.store import assessment_rows
from online_guard.store.assessment_rows import Place
from online_guard.store.unit_of_work import reading

PLACE = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, le=2**62)], Annotated[str, Meta(max_length=128)]])


def feed(
    house: House, window: str, platform_id: str | None, since_ms: int, cursor: str | None, limit: int, now_ms: int
) -> dict[str, Any]:
    """Return rows of eligibility in the order in which they changed, and the cursor of the next page.

    Args:
        house: The service.
        window: Such as `2021-08`.
        platform_id: Only this platform's; None for all.
        since_ms: Only rows that changed then or later.
        cursor: `next_cursor` of the page before; None for the first.
        limit: Rows of a page.
        now_ms: The service's clock, for the cures.

    Raises:
        GuardError: The cursor isn't one of ours.
    """
    after = None if cursor is None else Place(*place_of(cursor, PLACE, "next_cursor"))
    with reading(house.engine) as database:
        records = assessment_rows.candidates(database, window, platform_id, since_ms, after, limit + 1)
        page = records[:limit]
        judged = {
            row["enrolment_id"]: row
            for row in assessment_rows.judged(database, [record.enrolment_id for record in page])
            if row["window"] == window
        }
        rows = [judged[record.enrolment_id] for record in page]
        told = told_rows(database, rows, house.policy, day_of(now_ms))
    last = page[-1] if len(records) > limit else None
    return {
        "window": window,
        "rows": [
            row | {"admitted": is_admitted(row), "updated_ms": record.updated_ms}
            for row, record in zip(told, page, strict=True)
        ],
        "next_cursor": None if last is None else cursor_of(Place(last.updated_ms, last.enrolment_id)),
    }
