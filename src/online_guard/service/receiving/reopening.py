"""Asking for a verification anew, whatever changed about a session."""

from __future__ import annotations

from sqlalchemy.orm import Session

from online_guard.service.house import House, clock_ms
from online_guard.store import queries
from online_guard.store.tables import SessionRecord


def verify_again(house: House, database: Session, record: SessionRecord) -> None:
    """Ask for the verification of every class that a session touches: it may add a finding to another session."""
    record.timeline = queries.timeline(database, record)
    database.flush()
    queries.enqueue(database, queries.classes_touched(database, record, house.policy.device.max_learners), clock_ms())
    house.work.set()
