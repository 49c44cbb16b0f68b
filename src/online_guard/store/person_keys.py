"""Data keys of persons as one transaction needs them: read, made for a newcomer, refused for the erased."""

from __future__ import annotations

import time
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.store.personal_tables import PersonKeyRecord
from online_guard.store.tables import EnrolmentRecord
from online_guard.store.vault import PersonKey, Vault

AT_ONCE = 500


class PersonKeys:
    """The data keys that a transaction has asked for.

    Args:
        database: Of the transaction.
        vault: Unwraps them.
    """

    def __init__(self, database: Session, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._known: dict[str, PersonKey | None] = {}

    def find(self, learner_id: str) -> PersonKey | None:
        """Return the data key of a person, None for one who has none: erased, or sealed in the first format only."""
        self.load([learner_id])
        return self._known[learner_id]

    def load(self, learner_ids: Iterable[str]) -> None:
        """Read the data keys of many persons at once."""
        missing = sorted({learner_id for learner_id in learner_ids if learner_id not in self._known})
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            query = select(PersonKeyRecord.learner_id, PersonKeyRecord.wrapped)
            rows = self._database.execute(query.where(PersonKeyRecord.learner_id.in_(some)))
            wrapped = {row.learner_id: row.wrapped for row in rows}
            for learner_id in some:
                value = wrapped.get(learner_id)
                self._known[learner_id] = None if value is None else self._vault.unwrapped(learner_id, value)

    def make(self, learner_id: str) -> PersonKey:
        """Return the data key of a person, a new one for a newcomer."""
        known = self.find(learner_id)
        if known is not None:
            return known
        key, wrapped = self._vault.new_person(learner_id)
        record = PersonKeyRecord(learner_id=learner_id, wrapped=wrapped, made_ms=time.time_ns() // 1_000_000)
        try:
            with self._database.begin_nested():
                self._database.add(record)
        except IntegrityError:  # another transaction was quicker, on a database with several writers
            del self._known[learner_id]
            return self.make(learner_id)
        self._known[learner_id] = key
        return key

    def of_enrolment(self, enrolment_id: str) -> PersonKey:
        """Return the data key that seals what comes in for an enrolment.

        Raises:
            GuardError: The person was erased, or isn't known yet: an import named a pseudonym only, which may turn out
                to be somebody who has a key already.
        """
        enrolment = self._database.get_one(EnrolmentRecord, enrolment_id)
        if enrolment.erased_ms is not None:
            raise erased()
        if not enrolment.identity_number:
            raise GuardError(
                ErrorKind.CONFLICT,
                "enrolment.unregistered",
                "学员尚未以身份证号登记 / the learner isn't registered by identity number yet",
                remedy="请先登记报名 / register the enrolment first.",
            )
        return self.make(enrolment.learner_id)


def erased() -> GuardError:
    """Return the refusal to do something with the personal data of someone who was erased."""
    return GuardError(
        ErrorKind.NOT_FOUND,
        "person.erased",
        "该学员的个人信息已删除 / this person's data was erased",
        remedy="学时与结论仍可查询 / hours and verdicts can still be asked for.",
    )
