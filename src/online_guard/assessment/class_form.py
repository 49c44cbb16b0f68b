"""What the form of Annex 2 can say of a class by what is registered; the rest stays free on the paper."""

from __future__ import annotations

from collections.abc import Sequence

from online_guard.assessment.attendance import Attendance
from online_guard.assessment.documents import AnnexTwo
from online_guard.assessment.outcomes import Result, figures
from online_guard.evidence import TrainingClass
from online_guard.terms import bilingual


def annex_two(training_class: TrainingClass, attended: Attendance, results: Sequence[Result] = ()) -> AnnexTwo:
    """Return the form of a class, of who attended it, and of what the assessment gave once it was held."""
    counted = figures(results).values()
    return AnnexTwo(
        class_id=training_class.class_id,
        institution=training_class.institution,
        occupation=training_class.occupation,
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        class_hours=sum(lesson.class_hours for lesson in training_class.lessons),
        mode=bilingual(training_class.mode),
        planned=attended.enrolled,
        certificate_route=training_class.certificate_route,
        present_at_start=attended.first_day if attended.days else None,
        average_present=attended.average if attended.days else None,
        sat=sum(one.assessed for one in counted) if results else None,
        certified=sum(one.certified for one in counted) if results else None,
    )
