"""The plan of a window: the best that is found within an effort that doesn't depend on the machine's load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from online_guard.assessment.planning.answers import Blocked, Progress, Tell
from online_guard.assessment.planning.check import check
from online_guard.assessment.planning.keeping import Holds, keep
from online_guard.assessment.planning.layout import Layout
from online_guard.assessment.planning.measure import measure, weigh
from online_guard.assessment.planning.placing import SMALL, is_possible, place, size
from online_guard.assessment.planning.seating import seat
from online_guard.assessment.planning.stating import state
from online_guard.assessment.planning.what_blocks import what_blocks
from online_guard.assessment.roster import Candidate, Duty, Plan, Sitting
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import WorkingDays
from online_guard.errors import ErrorKind, GuardError


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
        GuardError: `planning.candidate_twice`, `planning.no_candidates`.
    """
    _must_be_sound(candidates)
    problem = state(candidates, venues, window, calendar, candidates_per_examiner, before)
    had = {(one.enrolment_id, one.part): one.seat_no for one in before.sittings} if before is not None else {}
    kept = {}
    if before is not None:
        kept = keep(problem, before, _holds(before, candidates, venues, calendar, candidates_per_examiner))

    def tell(layout: Layout, bound: int) -> int:
        objective = weigh(measure(*seat(problem, layout, had), candidates, venues, window, calendar))
        progress(Progress(objective, bound))
        return objective

    found = place(problem, kept, seed, deadline_s, tell)
    if found.left:

        def works(other: Venues) -> bool:
            changed = state(candidates, other, window, calendar, candidates_per_examiner)
            return is_possible(changed, seed)

        only = frozenset(problem.groups[g].occupation for g in found.left) if size(problem) > SMALL else None
        reasons, remedies = what_blocks(candidates, venues, window, calendar, works, only)
        unplaced = sum(found.left.values())
        return Blocked(window=window, unplaced=unplaced, proved=found.proved, reasons=reasons, remedies=remedies)
    sittings, duties = seat(problem, found.layout, had)
    objective = weigh(measure(sittings, duties, candidates, venues, window, calendar))
    progress(Progress(objective, found.bound))
    return Plan(window=window, sittings=sittings, duties=duties, objective=objective, bound=found.bound, seed=seed)


def _holds(
    before: Plan, candidates: Sequence[Candidate], venues: Venues, calendar: WorkingDays, per_examiner: int
) -> Holds:
    known = {one.enrolment_id: one for one in candidates}

    def holds(sittings: tuple[Sitting, ...], duties: tuple[Duty, ...]) -> bool:
        day = before.model_copy(update={"sittings": sittings, "duties": duties})
        people = [known[who] for who in sorted({one.enrolment_id for one in sittings})]
        return not check(day, people, venues, calendar, candidates_per_examiner=per_examiner)

    return holds


def _must_be_sound(candidates: Sequence[Candidate]) -> None:
    if not candidates:
        raise GuardError(
            ErrorKind.INVALID,
            "planning.no_candidates",
            "没有考生可排 / there are no candidates to plan for",
            remedy="先受理申请 / decide on applications first",
        )
    twice = sorted(who for who, times in Counter(one.enrolment_id for one in candidates).items() if times > 1)
    if twice:
        raise GuardError(
            ErrorKind.INVALID,
            "planning.candidate_twice",
            f"同一报名出现多次 / an enrolment is given more than once: {', '.join(twice[:5])}",
            where="/candidates",
            remedy="每个报名只列一次 / name each enrolment once",
        )
