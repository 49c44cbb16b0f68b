"""Pictures on disk: kept under the key of the person in them, and shown as long as they are there."""

from __future__ import annotations

from collections.abc import Iterable

from online_guard.service.house import House
from online_guard.store import queries
from online_guard.store.person_keys import PersonKeys, erased
from online_guard.store.tables import EnrolmentRecord, SnapshotRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.vault import PersonKey


def keep_picture(house: House, enrolment_id: str, sha256: str, content: bytes) -> None:
    """Keep a picture of an enrolment's learner.

    Raises:
        GuardError: The person was erased.
    """
    house.blobs.put(sha256, content, _person(house, enrolment_id))


def _person(house: House, enrolment_id: str) -> PersonKey:
    with reading(house.engine) as database:
        enrolment = database.get_one(EnrolmentRecord, enrolment_id)
        known = PersonKeys(database, house.vault).find(enrolment.learner_id)
    if known is not None and enrolment.erased_ms is None:
        return known
    with writing(house.engine) as database:
        return PersonKeys(database, house.vault).of_enrolment(enrolment_id)


def shown_picture(house: House, enrolment_id: str, sha256: str) -> bytes:
    """Return a kept picture of an enrolment's learner.

    Raises:
        GuardError: It has expired, or was erased with its person.
    """
    with reading(house.engine) as database:
        enrolment = database.get_one(EnrolmentRecord, enrolment_id)
        person = PersonKeys(database, house.vault).find(enrolment.learner_id)
    if enrolment.erased_ms is not None:
        raise erased()
    return house.blobs.get(sha256, enrolment.learner_id, person)


def which_are_kept(house: House, enrolment_id: str, sha256s: Iterable[str]) -> set[str]:
    """Return those of a learner's pictures that are still there; none of somebody who was erased."""
    with reading(house.engine) as database:
        enrolment = database.get_one(EnrolmentRecord, enrolment_id)
    if enrolment.erased_ms is not None:
        return set()
    names = {one: house.blobs.name(enrolment.learner_id, one) for one in sha256s}
    return {one for one, name in names.items() if house.blobs.is_there(name) or house.blobs.is_there(one)}


def reference_picture(house: House, enrolment_id: str) -> bytes:
    """Return the reference photo of an enrolment.

    Raises:
        GuardError: No such enrolment, it has none, or it was erased.
    """
    with reading(house.engine) as database:
        enrolment = queries.own_enrolment(database, enrolment_id, None)
        if enrolment.reference_sha256 is None:
            raise queries.not_found("参考照片 reference photo", enrolment_id)
    return shown_picture(house, enrolment_id, enrolment.reference_sha256)


def snapshot_picture(house: House, platform_id: str, session_id: str, snapshot_id: str) -> bytes:
    """Return a snapshot of a session as it was sent.

    Raises:
        GuardError: No such snapshot, or it has expired or was erased.
    """
    with reading(house.engine) as database:
        session = queries.find_session(database, session_id, platform_id)
        snapshot = database.get(SnapshotRecord, (session.row_id, snapshot_id))
    if snapshot is None:
        raise queries.not_found("留存照片 snapshot", snapshot_id)
    return shown_picture(house, session.enrolment_id, snapshot.sha256)
