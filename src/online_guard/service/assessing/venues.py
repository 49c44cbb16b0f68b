"""What the county's office holds its assessments with: stated whole, and never overwritten."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy.orm import Session

from online_guard.assessment.venues import Venues
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.store import roster_rows
from online_guard.store.roster_tables import VenuesRecord
from online_guard.store.unit_of_work import reading, writing


def state(house: House, venues: Venues, stated_by: str, now_ms: int) -> tuple[bool, dict[str, Any]]:
    """Keep what assessments are held with from now on; return whether it differs from before, and what holds.

    Args:
        house: The service.
        venues: All of it: what isn't named isn't there any more.
        stated_by: Name of the account.
        now_ms: The service's clock.
    """
    body = venues.model_dump_json()
    with writing(house.engine) as database:
        newest = roster_rows.newest_venues(database)
        if newest is not None and newest.body == body:
            return False, _told(newest, venues)
        record = VenuesRecord(
            version=1 if newest is None else newest.version + 1,
            stated_ms=now_ms,
            stated_by=stated_by,
            sha256=hashlib.sha256(body.encode()).hexdigest(),
            body=body,
        )
        roster_rows.put_venues(database, record)
    return True, _told(record, venues)


def stated(house: House) -> dict[str, Any]:
    """Return what assessments are held with, with the names of examiners.

    Raises:
        GuardError: Nothing was stated yet.
    """
    with reading(house.engine) as database:
        record = must_be_stated(database)
    return _told(record, Venues.model_validate_json(record.body))


def must_be_stated(database: Session) -> VenuesRecord:
    """Return the newest statement.

    Raises:
        GuardError: There is none.
    """
    record = roster_rows.newest_venues(database)
    if record is None:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "venues.none",
            "尚未登记考点 / no venues were stated yet",
            remedy="请先 PUT /v1/venues 或 schedule --venues / state them first.",
        )
    return record


def _told(record: VenuesRecord, venues: Venues) -> dict[str, Any]:
    names = ("version", "stated_ms", "stated_by", "sha256")
    return {name: getattr(record, name) for name in names} | {"venues": venues.model_dump(mode="json")}
