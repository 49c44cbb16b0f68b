"""One liveness check of each kind, as the report and the screen show it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from online_guard.demo.camera import GENUINE, LABELS
from online_guard.demo.people import name_of
from online_guard.demo.platform import CheckAnswer, Platform
from online_guard.terms import Outcome, bilingual


@dataclass(frozen=True)
class CheckCard:
    """One liveness check: what was asked, shown and found; `strip` is a JPEG in base64."""

    name: str
    lesson_no: int
    label_zh: str
    label_en: str
    asked: tuple[str, ...]
    outcome: str
    outcome_label: str
    reasons: tuple[tuple[str, str], ...]
    fps: float
    distance: float | None
    strip: str


def check_cards(platform: Platform) -> Iterator[CheckCard]:
    """Yield one check of each kind that was shown to the service: a genuine one that passed, attacks that failed."""
    for kind in LABELS:
        made = [check for check in platform.checks if check.kind == kind]
        telling = Outcome.PASSED if kind == GENUINE else Outcome.FAILED
        if made:
            yield _card(platform, next((check for check in made if check.outcome is telling), made[0]))


def _card(platform: Platform, check: CheckAnswer) -> CheckCard:
    zh, en = LABELS[check.kind]
    return CheckCard(
        name=name_of(platform.numbers[check.enrolment_id]),
        lesson_no=check.lesson_no,
        label_zh=zh,
        label_en=en,
        asked=tuple(map(bilingual, check.asked)),
        outcome=str(check.outcome),
        outcome_label=bilingual(check.outcome),
        reasons=check.reasons,
        fps=check.fps,
        distance=check.distance,
        strip=b64encode(platform.strip(check)).decode(),
    )
