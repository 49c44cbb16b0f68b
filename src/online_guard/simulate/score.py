"""How a judgement met what was planted: caught or not, by the expected rule or another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from online_guard.judge import Judgement
from online_guard.simulate.scene import Planted
from online_guard.terms import Effect, Subject, Verdict


@dataclass(frozen=True)
class Score:
    """What became of one plant.

    fate: `rejected` or `held` (some session of it), `earns nothing` (by a finding about lesson, enrolment or class), or
    `earns`. earned: class hours of its lessons. found: rules about it, without notes. harmed: innocent enrolments of
    which a session was rejected. waiting: those of which a lesson earns nothing, until a person decides.
    """

    planted: Planted
    fate: str
    earned: float
    found: frozenset[str]
    harmed: tuple[str, ...]
    waiting: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Return whether none of its lessons earns anything."""
        return self.earned == 0

    @property
    def hit(self) -> bool:
        """Return whether an expected rule was found."""
        return bool(self.found & set(self.planted.rules))


def scores(planted: Iterable[Planted], judgement: Judgement) -> Iterator[Score]:
    """Yield the score of each plant, in their order."""
    verdicts = {row.session_id: row.verdict for row in judgement.sessions}
    hours = {f"{row.enrolment_id}/{row.lesson_no}": row.hours for row in judgement.ledger}
    of_enrolment: dict[str, set[Verdict]] = defaultdict(set)
    for row in judgement.sessions:
        of_enrolment[row.session_id.rsplit("/", 1)[-1].rsplit("-s", 1)[0]].add(row.verdict)
    hours_of_enrolment: dict[str, list[float]] = defaultdict(list)
    for entry in judgement.ledger:
        hours_of_enrolment[entry.enrolment_id].append(entry.hours)
    found: dict[tuple[Subject, str], set[str]] = defaultdict(set)
    for finding in judgement.findings:
        if finding.effect is not Effect.NOTE:
            found[finding.subject, finding.subject_id].add(finding.rule)
    for plant in planted:
        said = {verdicts[name] for name in plant.sessions}
        earned = sum(hours[name] for name in plant.lessons)
        subjects = [
            *((Subject.SESSION, name) for name in plant.sessions),
            *((Subject.LESSON, name) for name in plant.lessons),
            *((Subject.ENROLMENT, name.rsplit("/", 1)[0]) for name in plant.lessons),
            *((Subject.CLASS, name) for name in plant.class_ids),
        ]
        rules = frozenset().union(*(found.get(subject, set()) for subject in subjects))
        harmed = tuple(name for name in plant.innocent if Verdict.REJECTED in of_enrolment[name])
        waiting = tuple(name for name in plant.innocent if not all(hours_of_enrolment[name]))
        yield Score(plant, _fate(said, earned), earned, rules, harmed, waiting)


def _fate(said: set[Verdict], earned: float) -> str:
    if Verdict.REJECTED in said:
        return "rejected"
    if Verdict.HELD in said:
        return "held"
    return "earns" if earned else "earns nothing"
