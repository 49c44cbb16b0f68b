"""What the form of Annex 2 can say of a class by what is registered; the rest stays free on the paper."""

from __future__ import annotations

from online_guard.assessment.documents import AnnexTwo
from online_guard.evidence import TrainingClass
from online_guard.terms import bilingual


def annex_two(training_class: TrainingClass, members: int) -> AnnexTwo:
    """Return the form of a class of so many members."""
    return AnnexTwo(
        class_id=training_class.class_id,
        institution=training_class.institution,
        occupation=training_class.occupation,
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        class_hours=sum(lesson.class_hours for lesson in training_class.lessons),
        mode=bilingual(training_class.mode),
        planned=members,
        certificate_route=training_class.certificate_route,
    )
