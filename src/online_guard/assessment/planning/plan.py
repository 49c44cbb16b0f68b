"""The plan of a window: the best that is found within an effort that doesn't depend on the machine's load."""

from __future__ import annotations

from collections.abc import Sequence

from online_guard.assessment.planning.answers import Blocked, Progress, Tell
from online_guard.assessment.roster import Candidate, Plan
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import WorkingDays


def _untold(_: Progress) -> None:
    pass


def plan(
    candidates: Sequence[Candidate],
    venues: Venues,
    window: str,
    calendar: WorkingDays,
    *,
    candidates_per_examiner: int,
    seed: int = 0,
    deadline_s: float = 60.0,
    before: Plan | None = None,
    progress: Tell = _untold,
) -> Plan | Blocked:
    """Return a place in both parts for each candidate and examiners for each room, or what stands in the way.

    The same input and seed give the same plan, whatever the order of candidates and however busy the machine.

    Args:
        candidates: Each enrolment once.
        venues: Sites, rooms, slots, examiners.
        window: The month, such as `2021-08`; its past days aren't left out: `Candidate.not_before` does that.
        calendar: Working days.
        candidates_per_examiner: Of a room and slot (policy `class.learners_per_teacher`, clause (四)21(1)).
        seed: Of the search.
        deadline_s: Effort, in the solver's own seconds: about as many on an idle machine.
        before: The plan in force: as few of its candidates as possible are given another day, slot or room.
        progress: Told of each better plan and bound.

    Raises:
        GuardError: `planning.candidate_twice`, `planning.window`, `planning.no_candidates`.
    """
    raise NotImplementedError
