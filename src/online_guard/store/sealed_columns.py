"""Every sealed column: for what purpose, bound to which row, under whose key; and how to seal it anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Text, and_, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, undefer
from sqlalchemy.orm.attributes import flag_modified

from online_guard.store.account_tables import PersonRecord, PlatformKeyRecord, ProviderLoginRecord
from online_guard.store.answer_tables import KeptAnswerRecord
from online_guard.store.capture_rows import bound_to
from online_guard.store.import_tables import ImportPageRecord, ImportRecord
from online_guard.store.letter_tables import LetterStepRecord
from online_guard.store.person_keys import PersonKeys
from online_guard.store.personal_tables import PersonKeyRecord
from online_guard.store.result_rows import result_key
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.roster_tables import VenuesRecord
from online_guard.store.sealed_text import SealedBytes, SealedText, beginning
from online_guard.store.tables import CaptureRecord, DeadLetterRecord, EnrolmentRecord, SessionRecord
from online_guard.store.vault import HEADER, WRAPPED, Vault
from online_guard.store.webhook_tables import EndpointRecord

NAME, NUMBER, APPLICANT = "name", "identity number", "applicant"
"""Purposes of what is sealed for an enrolment."""
CERTIFICATE = "certificate number"
"""Purpose of what is sealed for a result of an assessment."""
PICTURE, VECTOR = "capture", "face vector"
"""Purposes of what is sealed for a capture; a reference photo's vector has the latter too."""
AT_ONCE = 100
"""Rows of one transaction: a running service waits some 50 ms for it."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed bytes, or of sealed text.

    Attributes:
        column: Of a table.
        purpose: For which a record's value is sealed; of sealed text the type knows it.
        row: What a record binds its value to.
        learner_id: Whose data key seals a record's value; None where the master key does.
    """

    column: InstrumentedAttribute[Any]
    purpose: Callable[[Any], str] = lambda _: ""
    row: Callable[[Any], str] = lambda _: ""
    learner_id: Callable[[Session, Any], str] | None = None

    @property
    def name(self) -> str:
        """Return table and column."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    @property
    def is_text(self) -> bool:
        """Return whether it is sealed text."""
        return isinstance(self.column.type, SealedText)

    @property
    def seals_itself(self) -> bool:
        """Return whether its type seals and opens."""
        return isinstance(self.column.type, SealedText | SealedBytes)

    def stale(self, vault: Vault) -> ColumnElement[bool]:
        """Return the condition that a value isn't sealed as new ones are; empty ones are nothing to seal."""
        if self.is_text:
            raw = type_coerce(self.column, Text)
            return and_(raw.is_not(None), raw != "", raw.not_like(beginning(vault.version) + "%"))
        stored = type_coerce(self.column, LargeBinary())
        begins = func.substr(stored, 1, HEADER.size, type_=LargeBinary)
        return and_(func.length(stored) > 0, begins != vault.header(self.learner_id is not None))

    def seal_again(self, database: Session, vault: Vault) -> int:
        """Seal some stale values anew; return how many, 0 when none is left."""
        query = select(self.column.class_).where(self.stale(vault)).limit(AT_ONCE).options(undefer(self.column))
        records = database.scalars(query.with_for_update()).all()
        keys = PersonKeys(database, vault)
        for record in records:
            if self.seals_itself:
                flag_modified(record, self.column.key)  # the type opens and seals
                continue
            person = None if self.learner_id is None else keys.make(self.learner_id(database, record))
            bound = self.purpose(record), person, self.row(record)
            plain = vault.open(getattr(record, self.column.key), *bound)
            setattr(record, self.column.key, vault.seal(plain, *bound))
        database.flush()
        return len(records)


def _enrolled(_database: Session, record: EnrolmentRecord) -> str:
    return record.learner_id


def _pictured(database: Session, record: CaptureRecord) -> str:
    return database.get_one(EnrolmentRecord, record.enrolment_id).learner_id


def _assessed(database: Session, record: AssessmentResultRecord) -> str:
    return database.get_one(EnrolmentRecord, record.enrolment_id).learner_id


def _enrolment(record: EnrolmentRecord) -> str:
    return record.enrolment_id


def _always(purpose: str) -> Callable[[Any], str]:
    return lambda _: purpose


SEALED: tuple[SealedColumn, ...] = (
    SealedColumn(PersonKeyRecord.wrapped, _always(WRAPPED), lambda record: str(record.learner_id)),
    SealedColumn(EnrolmentRecord.name, _always(NAME), _enrolment, _enrolled),
    SealedColumn(EnrolmentRecord.identity_number, _always(NUMBER), _enrolment, _enrolled),
    SealedColumn(EnrolmentRecord.applicant, _always(APPLICANT), _enrolment, _enrolled),
    SealedColumn(EnrolmentRecord.reference_vector, _always(VECTOR), _enrolment, _enrolled),
    SealedColumn(CaptureRecord.picture, _always(PICTURE), bound_to, _pictured),
    SealedColumn(CaptureRecord.vector, _always(VECTOR), bound_to, _pictured),
    SealedColumn(AssessmentResultRecord.certificate_number, _always(CERTIFICATE), result_key, _assessed),
    SealedColumn(SessionRecord.ip),
    SealedColumn(SessionRecord.user_agent),
    SealedColumn(DeadLetterRecord.reason),
    SealedColumn(DeadLetterRecord.content),
    SealedColumn(ImportRecord.problem),
    SealedColumn(ImportPageRecord.rows),
    SealedColumn(LetterStepRecord.told),
    SealedColumn(VenuesRecord.body),
    SealedColumn(PlatformKeyRecord.secret, lambda record: f"platform key {record.key_id}"),
    SealedColumn(PlatformKeyRecord.previous_secret, lambda record: f"platform key {record.key_id}"),
    SealedColumn(PersonRecord.totp, lambda record: f"one-time code {record.name}"),
    SealedColumn(KeptAnswerRecord.answer, _always("kept answer")),
    SealedColumn(ProviderLoginRecord.verifier, _always("provider login")),
    SealedColumn(EndpointRecord.secret, _always("webhook secret")),
    SealedColumn(EndpointRecord.previous_secret, _always("webhook secret")),
)


def count_stale(database: Session, vault: Vault) -> dict[str, int]:
    """Return, by column, how many values aren't sealed as new ones are."""
    counts = {
        sealed.name: database.scalar(select(func.count()).select_from(sealed.column.class_).where(sealed.stale(vault)))
        for sealed in SEALED
    }
    return {name: count or 0 for name, count in counts.items()}
