"""The duplicate search: each capture is kept sealed, and compared once with every earlier one (SPEC 7).

A snapshot or reference is answered at once and searched by the worker, before its class is judged: the job of a class
is taken, leased and tried again as a whole, so that no second kind of job is needed. Each capture is committed on its
own, so a killed worker goes on where it was. The frames of a clip are compared while it is judged, for a clip seen
before doesn't pass: with the nearest candidates at once, with all of many by the worker.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from online_guard.faces.likeness import Capture
from online_guard.service.capturing.seen_pictures import Likeness, Sought, sealed_vector
from online_guard.service.house import House, clock_ms
from online_guard.store import capture_rows, queries
from online_guard.store.capture_rows import REFERENCE, SNAPSHOT, CaptureRow, bound_to
from online_guard.store.person_keys import PersonKeys
from online_guard.store.sealed_columns import PICTURE
from online_guard.store.tables import CaptureRecord, SessionRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.vault import PersonKey


def keep_reference(house: House, database: Session, enrolment_id: str, picture: Capture) -> None:
    """Keep the reference photo of an enrolment for the search, in the place of the one before."""
    capture_rows.forget_reference(database, enrolment_id, clock_ms())
    person = PersonKeys(database, house.vault).of_enrolment(enrolment_id)
    database.add(_record(house, person, REFERENCE, enrolment_id, None, enrolment_id, picture))


def keep_snapshot(house: House, database: Session, session: SessionRecord, snapshot_id: str, picture: Capture) -> None:
    """Keep a good snapshot for the search."""
    person = PersonKeys(database, house.vault).of_enrolment(session.enrolment_id)
    database.add(_record(house, person, SNAPSHOT, session.enrolment_id, session.row_id, snapshot_id, picture))


def keep_frames(
    house: House,
    database: Session,
    session: SessionRecord,
    check_id: str,
    pictures: Sequence[Capture],
    is_searched: bool,
) -> None:
    """Keep the telling frames of a clip; the worker searches those that weren't compared with all yet."""
    person = PersonKeys(database, house.vault).of_enrolment(session.enrolment_id)
    for picture in pictures:
        record = _record(house, person, capture_rows.FRAME, session.enrolment_id, session.row_id, check_id, picture)
        record.is_searched = is_searched
        database.add(record)


def _record(
    house: House,
    person: PersonKey,
    kind: str,
    enrolment_id: str,
    session_row: int | None,
    capture_id: str,
    picture: Capture,
) -> CaptureRecord:
    record = CaptureRecord(
        kind=kind,
        enrolment_id=enrolment_id,
        session_row=session_row,
        capture_id=capture_id,
        phash=picture.phash,
        is_searched=False,
    )
    record.picture = house.vault.seal(picture.to_bytes(), PICTURE, person, bound_to(record))
    record.vector = sealed_vector(house.vault, picture.vector, person, bound_to(record))
    return record


def search_class(house: House, class_id: str) -> None:
    """Compare the captures of a class that weren't yet, and ask for the verification of other classes they touch."""
    with reading(house.engine) as database:
        waiting = capture_rows.unsearched(database, class_id)
    for row in waiting:
        found = _found(house, row)
        with writing(house.engine) as database:
            capture_rows.mark_searched(database, [row.row_id])
            if not capture_rows.replaced(database, [row.row_id]):
                capture_rows.put_likenesses(database, found)
                queries.enqueue(database, capture_rows.classes_of(database, found) - {class_id}, clock_ms())


def _found(house: House, row: CaptureRow) -> list[Likeness]:
    with reading(house.engine) as database:
        house.seen.catch_up(database, house.vault)
        sealed = capture_rows.sealed_picture(database, row.row_id)
        if sealed is None:
            return []
        person = PersonKeys(database, house.vault).find(row.learner_id)
        picture = Capture.from_bytes(house.vault.open(sealed, PICTURE, person, bound_to(row)))
        return house.seen.likenesses(database, house.vault, house.policy, Sought(row, picture))[0]
