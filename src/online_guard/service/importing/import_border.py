"""Which rows of a bundle a platform may bring, and what is known of them already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from online_guard.ingest.refusals import Refusal
from online_guard.ingest.rows import ApplicationRow, ClassRow, EnrolmentRow, PracticeRow, ProjectRow, SurveyRow
from online_guard.service.importing.import_report import CONFLICT, DUPLICATE
from online_guard.store import evidence_loader, import_rows
from online_guard.store.import_tables import ProjectRecord, SurveyRecord
from online_guard.store.tables import ApplicationRecord, ClassRecord, EnrolmentRecord, PracticeRecord

DECISION = Refusal("决定只能由审核人员在服务中作出 / decisions are made in the service, by auditors", "rule")
OTHER_PLATFORM = "属于另一平台 / it belongs to another platform"


class Border:
    """Looks at the small tables of a bundle for one platform (`ingest.tables.Border`).

    A class or an enrolment that is known stays as it is: the row that counts from here on is the known one.

    Args:
        database: Open for reading.
        platform_id: Who imports.
        learner_of: Gives for a pseudonym of the bundle the learner that the service knows.
        growing: The class that was derived from the platform's logs, which may grow.

    Attributes:
        known: By (file, key), whether a row is a `duplicate` or a `conflict`.
    """

    def __init__(
        self, database: Session, platform_id: str, learner_of: Callable[[str], str], growing: str | None = None
    ) -> None:
        self._database = database
        self._platform_id = platform_id
        self._learner_of = learner_of
        self._growing = growing
        self._institutions: set[str] = set()
        self.known: dict[tuple[str, str], str] = {}

    def __call__(self, file: str, rows: Sequence[Any]) -> Sequence[Any]:
        """Return for each row the one that is to be kept, or its refusal."""
        look: dict[str, Callable[[Sequence[Any]], Sequence[Any]]] = {
            "classes.json": self._classes,
            "enrolments.ndjson": self._enrolments,
            "offline_hours.ndjson": self._practice,
            "assessments.ndjson": self._projects,
            "satisfaction.ndjson": self._surveys,
            "applications.ndjson": self._applications,
            "decisions.ndjson": lambda rows: [DECISION] * len(rows),
        }
        return look[file](rows)

    def _note(self, file: str, key: str, is_same: bool) -> None:
        self.known.setdefault((file, key), DUPLICATE if is_same else CONFLICT)

    def _classes(self, rows: Sequence[ClassRow]) -> list[ClassRow | Refusal]:
        found = import_rows.stored(self._database, ClassRecord, [ClassRecord.class_id], {row.class_id for row in rows})
        records = {record.class_id: record for record in found}
        answers: list[ClassRow | Refusal] = []
        for row in rows:
            record = records.get(row.class_id)
            if row.platform_id != self._platform_id:
                answers.append(Refusal(f"只能导入本平台的班次;班次{OTHER_PLATFORM} `{row.platform_id}`", "platform_id"))
            elif record is not None and record.platform_id != self._platform_id:
                answers.append(Refusal(f"班次标识已被占用 / the class id is taken `{row.class_id}`", "class_id"))
            else:
                kept = row if record is None else msgspec.json.decode(record.body, type=ClassRow)
                is_same = kept.typed() == row.typed()
                if row.class_id == self._growing and not is_same:
                    kept = row
                elif record is not None:
                    self._note("classes.json", row.class_id, is_same)
                self._institutions.add(kept.institution)
                answers.append(kept)
        return answers

    def _enrolments(self, rows: Sequence[EnrolmentRow]) -> list[EnrolmentRow | Refusal]:
        ids = {row.enrolment_id for row in rows}
        found = import_rows.stored(self._database, EnrolmentRecord, [EnrolmentRecord.enrolment_id], ids)
        records = {record.enrolment_id: record for record in found}
        answers: list[EnrolmentRow | Refusal] = []
        for row in rows:
            record = records.get(row.enrolment_id)
            if record is not None and record.class_id != row.class_id:
                words = "报名标识已用于另一班次 / the enrolment id is used for another class"
                answers.append(Refusal(f"{words} `{row.enrolment_id}`", "class_id"))
                continue
            if record is not None:
                kept, sent = evidence_loader.enrolment(record), row.typed()
                same = (kept.face_checks, kept.leave) == (sent.face_checks, sent.leave)
                self._note("enrolments.ndjson", row.enrolment_id, same)
            answers.append(row)
        return answers

    def _practice(self, rows: Sequence[PracticeRow]) -> Sequence[PracticeRow]:
        columns = [PracticeRecord.enrolment_id, PracticeRecord.on]
        keys = {(row.enrolment_id, row.on.isoformat()) for row in rows}
        hours = {
            (record.enrolment_id, record.on): record.class_hours
            for record in import_rows.stored(self._database, PracticeRecord, columns, keys)
        }
        for row in rows:
            key = (row.enrolment_id, row.on.isoformat())
            if key in hours:
                self._note("offline_hours.ndjson", "/".join(key), hours[key] == row.class_hours)
        return rows

    def _projects(self, rows: Sequence[ProjectRow]) -> list[ProjectRow | Refusal]:
        class_ids = {row.class_id for row in rows}
        found = import_rows.stored(self._database, ClassRecord, [ClassRecord.class_id], class_ids)
        others = {record.class_id for record in found if record.platform_id != self._platform_id}
        learners = {row.learner_id: self._learner_of(row.learner_id) for row in rows}
        keys = {(learners[row.learner_id], row.class_id) for row in rows}
        columns = [ProjectRecord.learner_id, ProjectRecord.class_id]
        known = {
            (record.learner_id, record.class_id): (record.ended_on, record.assessed_on)
            for record in import_rows.stored(self._database, ProjectRecord, columns, keys)
        }
        answers: list[ProjectRow | Refusal] = []
        for row in rows:
            if row.class_id in others:
                answers.append(Refusal(f"班次{OTHER_PLATFORM} `{row.class_id}`", "class_id"))
                continue
            days = known.get((learners[row.learner_id], row.class_id))
            if days is not None:
                sent = (row.ended_on.isoformat(), None if row.assessed_on is None else row.assessed_on.isoformat())
                self._note("assessments.ndjson", f"{row.learner_id}/{row.class_id}", days == sent)
            answers.append(row)
        return answers

    def _surveys(self, rows: Sequence[SurveyRow]) -> list[SurveyRow | Refusal]:
        columns = [SurveyRecord.institution, SurveyRecord.surveyed_on, SurveyRecord.score]
        keys = {(row.institution, row.surveyed_on.isoformat(), row.score) for row in rows}
        for record in import_rows.stored(self._database, SurveyRecord, columns, keys):
            self._note("satisfaction.ndjson", survey_key(record.institution, record.surveyed_on, record.score), True)
        strange = "数据包中没有该机构的班次 / no class of this institution in the bundle"
        return [
            row if row.institution in self._institutions else Refusal(f"{strange} `{row.institution}`", "institution")
            for row in rows
        ]

    def _applications(self, rows: Sequence[ApplicationRow]) -> Sequence[ApplicationRow]:
        columns = [ApplicationRecord.class_id, ApplicationRecord.window]
        keys = {(row.class_id, row.window) for row in rows}
        known = {
            (record.class_id, record.window): evidence_loader.application(record)
            for record in import_rows.stored(self._database, ApplicationRecord, columns, keys)
        }
        for row in rows:
            record = known.get((row.class_id, row.window))
            if record is not None:
                self._note("applications.ndjson", f"{row.class_id}/{row.window}", record == row.typed())
        return rows


def survey_key(institution: str, surveyed_on: str, score: float) -> str:
    """Return what tells a survey apart: all of it."""
    return f"{institution}/{surveyed_on}/{score}"
