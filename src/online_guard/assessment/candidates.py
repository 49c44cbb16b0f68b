"""Who is to be given a place: the eligible of a window, each with what a plan has to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from online_guard.assessment.eligibility import Eligibility
from online_guard.assessment.roster import Candidate
from online_guard.evidence import Evidence, TrainingClass


def candidate_of(
    training_class: TrainingClass,
    applied_for: date,
    enrolment_id: str,
    learner_id: str,
    unconfirmed: Sequence[str],
) -> Candidate:
    """Return an eligible learner as a candidate.

    Args:
        training_class: The class that applied.
        applied_for: The day of the application: notice and practice were tested as of it.
        enrolment_id: The learner's enrolment in the class.
        learner_id: Who it is.
        unconfirmed: Tests that an assessor has still to confirm.
    """
    return Candidate(
        enrolment_id=enrolment_id,
        learner_id=learner_id,
        class_id=training_class.class_id,
        platform_id=training_class.platform_id,
        enterprise=training_class.applicant,
        institution=training_class.institution,
        occupation=training_class.occupation,
        certificate_route=training_class.certificate_route,
        not_before=applied_for,
        waiting_since=training_class.ends_on,
        unconfirmed=tuple(unconfirmed),
    )


def candidates_of(evidence: Evidence, rows: Sequence[Eligibility], window: str) -> tuple[Candidate, ...]:
    """Return the candidates of a window, sorted by enrolment.

    Args:
        evidence: Classes, enrolments and applications.
        rows: Who is eligible, of that evidence.
        window: Such as `2021-08`.
    """
    classes = {one.class_id: one for one in evidence.classes}
    learners = {one.enrolment_id: one.learner_id for one in evidence.enrolments}
    days = {one.class_id: one.assessment_on for one in evidence.applications if one.window == window}
    found = [
        candidate_of(
            classes[row.class_id],
            days[row.class_id],
            row.enrolment_id,
            learners[row.enrolment_id],
            row.unconfirmed,
        )
        for row in rows
        if row.eligible and row.window == window
    ]
    return tuple(sorted(found, key=lambda one: one.enrolment_id))
