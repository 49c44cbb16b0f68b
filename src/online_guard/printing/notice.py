"""The learner's notice (处理告知书): which class hours were refused, why, and what can be done until when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

from online_guard.printing.typesetting import Made, typeset
from online_guard.printing.words import day_en, day_zh, spans


class Words(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Ground:
    """What a refusal rests on.

    Args:
        rule: Such as `OG203`.
        name: The rule's name.
        found: What was measured, and the limit.
        when: When it happened; empty where it has no moment.
        clause: Of the policy.
        clause_text: Its text, which is Chinese.
        decided: Who upheld it and on which day, by role.
        helps: What would speak for the learner in an appeal.
    """

    rule: str
    name: Words
    found: Words
    when: Words
    clause: str
    clause_text: str
    decided: tuple[Words, ...]
    helps: Words


@dataclass(frozen=True)
class RefusedLesson:
    """A lesson that earns nothing.

    Args:
        lesson_no: Its number.
        title: Its title.
        class_hours: What it would have earned.
        state: What holds of the refusal now.
    """

    lesson_no: int
    title: str
    class_hours: float
    state: Words


@dataclass(frozen=True)
class Reason:
    """Lessons that are refused on the same grounds."""

    lesson_nos: tuple[int, ...]
    grounds: tuple[Ground, ...]


@dataclass(frozen=True)
class Notice:
    """A notice with everything that its paper says.

    Args:
        number: The notice's id.
        issued: When it was issued, in the time of China.
        name: The learner's, or their enrolment where the name is no longer known.
        identity: The masked identity number, or empty.
        facts: What the class is: a label and its value.
        lessons: Which lessons are refused, by number.
        reasons: Why.
        is_in_force: Whether the refusal of some lesson still holds or is being appealed.
        cures: What to do to earn the hours.
        appeal: How to appeal.
        policy: Title and version of the policy by which it was decided.
        log_entry: Number of the notice's entry in the evidence log.
        leaf_hash: SHA-256 of its leaf, hexadecimal.
        proof: Address at which anyone gets the proof.
    """

    number: str
    issued: datetime
    name: str
    identity: str
    facts: tuple[tuple[Words, str], ...]
    lessons: tuple[RefusedLesson, ...]
    reasons: tuple[Reason, ...]
    is_in_force: bool
    cures: tuple[Words, ...]
    appeal: tuple[Words, ...]
    policy: str
    log_entry: int
    leaf_hash: str
    proof: str


def notice_pdf(notice: Notice) -> Made:
    """Return the paper, for the learner; it says nothing that isn't in `notice`."""
    on = notice.issued.date()
    hours = sum(lesson.class_hours for lesson in notice.lessons)
    data = {
        **asdict(notice),
        "issued": Words(day_zh(on), day_en(on)),
        "class_hours": f"{hours:g}",
        "lessons": [asdict(one) | {"class_hours": f"{one.class_hours:g}"} for one in notice.lessons],
        "reasons": [asdict(one) | {"lessons": spans(one.lesson_nos)} for one in notice.reasons],
    }
    return typeset("printing/notice", data, int(notice.issued.timestamp()))
