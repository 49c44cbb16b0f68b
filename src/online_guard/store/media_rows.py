"""Whose pictures lie on disk, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from online_guard.store.tables import CheckRecord, EnrolmentRecord, SessionRecord, SnapshotRecord

AT_ONCE = 5_000


class MediaRow(NamedTuple):
    """A picture: whose, for which enrolment, its hash, and when it came in ms; None for a reference photo."""

    learner_id: str
    enrolment_id: str
    sha256: str
    received_ms: int | None


def media(database: Session, learner_id: str | None = None) -> Iterator[MediaRow]:
    """Yield the pictures that rows name, of one person or of all who weren't erased: references first.

    One that was dropped from disk since is yielded too.
    """
    owner = (EnrolmentRecord.learner_id, EnrolmentRecord.enrolment_id)
    whose = EnrolmentRecord.erased_ms.is_(None) if learner_id is None else EnrolmentRecord.learner_id == learner_id
    references = select(*owner, EnrolmentRecord.reference_sha256).where(EnrolmentRecord.reference_sha256.is_not(None))
    for reference in database.execute(references.where(whose).execution_options(yield_per=AT_ONCE)):
        yield MediaRow(reference.learner_id, reference.enrolment_id, reference.reference_sha256 or "", None)
    for table, sha256 in (
        (SnapshotRecord, SnapshotRecord.sha256),
        (CheckRecord, CheckRecord.strip_sha256),
        (CheckRecord, CheckRecord.plot_sha256),
    ):
        query = select(*owner, sha256.label("sha256"), table.received_ms).select_from(table)
        query = query.join(SessionRecord, SessionRecord.row_id == table.session_row).join(EnrolmentRecord)
        query = query.where(sha256.is_not(None), whose).execution_options(yield_per=AT_ONCE)
        for row in database.execute(query):
            yield MediaRow(row.learner_id, row.enrolment_id, row.sha256 or "", row.received_ms or 0)


def others_with(database: Session, learner_id: str, sha256s: set[str]) -> set[str]:
    """Return which of some pictures another person has too; it reads the rows of all."""
    return {row.sha256 for row in media(database) if row.sha256 in sha256s and row.learner_id != learner_id}
