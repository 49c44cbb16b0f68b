"""The names of persons, opened for those who may read them, and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from online_guard.assessment.documents import Person, masked
from online_guard.service.house import House
from online_guard.store import roster_rows
from online_guard.store.person_keys import PersonKeys
from online_guard.store.sealed_columns import NAME, NUMBER
from online_guard.store.tables import EnrolmentRecord


def people_of(house: House, database: Session, enrolment_ids: Iterable[str]) -> dict[str, Person]:
    """Return name and masked identity number by enrolment; who was erased or isn't registered isn't among them."""
    records = [record for record in roster_rows.enrolments(database, enrolment_ids) if record.name]
    keys = PersonKeys(database, house.vault)
    keys.load(record.learner_id for record in records)

    def opened(record: EnrolmentRecord, purpose: str, sealed: bytes) -> str:
        return house.vault.open(sealed, purpose, keys.find(record.learner_id), record.enrolment_id).decode()

    return {
        record.enrolment_id: Person(
            opened(record, NAME, record.name),
            masked(opened(record, NUMBER, record.identity_number)) if record.identity_number else "",
        )
        for record in records
    }
