"""What became of the rows of a sheet, one by one, for the person who sent it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from online_guard.errors import GuardError
from online_guard.ingest.refusals import Refusal
from online_guard.ingest.sheets import Place
from online_guard.service.house import House
from online_guard.service.registration import check_identity_number
from online_guard.store.tables import EnrolmentRecord

ACCEPTED, DUPLICATE, CONFLICT, REFUSED = "accepted", "duplicate", "conflict", "refused"
STATUSES = (ACCEPTED, DUPLICATE, CONFLICT, REFUSED)
AT_ONCE = 500
"""Rows of a sheet that are kept in one transaction, some 0.3 s of it: rows stand each for itself."""
NOT_THERE = "找不到该学员报名 / no such enrolment"
"""The same for an enrolment that is another class's: whether it exists elsewhere isn't told."""


@dataclass(frozen=True)
class Remark:
    """Something that the sender should know of a row that is kept."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class RowReport:
    """What became of a row: why it wasn't kept, or what is to be known of it."""

    place: Place
    status: str
    enrolment_id: str | None = None
    refusal: Refusal | None = None
    remarks: Sequence[Remark] = ()

    def told(self) -> dict[str, Any]:
        """Return it as JSON values."""
        refusal = self.refusal or Refusal("")
        return {
            "file": self.place.file,
            "sheet": self.place.sheet,
            "row": self.place.row,
            "status": self.status,
            "enrolment_id": self.enrolment_id,
            "column": self.place.letters.get(refusal.field, ""),
            "field": refusal.field,
            "reason": refusal.reason,
            "remarks": [{"code": one.code, "zh": one.zh, "en": one.en} for one in self.remarks],
        }


@dataclass
class SheetReport:
    """What became of all rows; `is_dry_run`: nothing was kept, this is what would have been."""

    is_dry_run: bool
    rows: list[RowReport] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return it as JSON values."""
        counts = Counter(row.status for row in self.rows)
        remarks = Counter(remark.code for row in self.rows for remark in row.remarks)
        return {
            "dry_run": self.is_dry_run,
            "counts": {status: counts[status] for status in STATUSES},
            "remarks": dict(sorted(remarks.items())),
            "rows": [row.told() for row in self.rows],
        }

    @property
    def is_clean(self) -> bool:
        """Return whether every row is kept, now or before."""
        return all(row.status in (ACCEPTED, DUPLICATE) for row in self.rows)


class Learners:
    """Whom rows mean, by enrolment id or identity number.

    Args:
        house: Its vault finds a person by the fingerprint of the number, which is kept nowhere.
        enrolments: Among which they are looked for.
    """

    def __init__(self, house: House, enrolments: Mapping[str, EnrolmentRecord]) -> None:
        self._house = house
        self._by_id = enrolments
        self._by_learner: dict[tuple[str, str], list[EnrolmentRecord]] = {}
        for record in enrolments.values():
            self._by_learner.setdefault((record.class_id, record.learner_id), []).append(record)

    def find(self, row: Any, class_id: str | None) -> EnrolmentRecord | Refusal:
        """Return the enrolment that a row means, in a class where one is known."""
        named = None if row.enrolment_id is None else self._by_id.get(row.enrolment_id)
        if row.enrolment_id is not None and (named is None or class_id not in (None, named.class_id)):
            return Refusal(NOT_THERE, "enrolment_id")
        if row.identity_number is None:
            return named or Refusal(NOT_THERE, "enrolment_id")
        learner_id = fingerprint(self._house, row.identity_number)
        if isinstance(learner_id, Refusal):
            return learner_id
        if named is not None:
            words = "报名号与身份证号不是同一人 / the identity number isn't this enrolment's"
            return named if named.learner_id == learner_id else Refusal(words, "identity_number")
        found = self._by_learner.get((class_id or "", learner_id), [])
        if len(found) > 1:
            words = "此人在本班有多个报名,请写报名号 / several enrolments of this person: give the enrolment_id"
            return Refusal(words, "identity_number")
        return found[0] if found else Refusal(NOT_THERE, "identity_number")


def fingerprint(house: House, identity_number: str) -> str | Refusal:
    """Return the learner id of an identity number, or why it is none."""
    try:
        return house.vault.blind_index(check_identity_number(identity_number))
    except GuardError as error:
        return Refusal(error.message, "identity_number")
