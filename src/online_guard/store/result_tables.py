"""The table of what became of learners in the offline assessment."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base


class AssessmentResultRecord(Base):
    """A version of a learner's result in an assessment window; the newest counts, none is ever changed.

    The certificate's number is sealed for the learner, and emptied when the person is erased; `certificate_index` is
    its keyed fingerprint, by which a number that is given twice is found.
    """

    __tablename__ = "assessment_result"

    window: Mapped[str] = mapped_column(String(7), primary_key=True)
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), primary_key=True, index=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    absent: Mapped[bool]
    assessed_on: Mapped[str | None] = mapped_column(String(10))
    theory_mark: Mapped[float | None]
    practice_mark: Mapped[float | None]
    passed: Mapped[bool]
    certificate_route: Mapped[str] = mapped_column(String(32))
    certificate_number: Mapped[bytes | None] = mapped_column(LargeBinary)
    certificate_index: Mapped[str | None] = mapped_column(String(64), index=True)
    recorded_ms: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(String(160))
