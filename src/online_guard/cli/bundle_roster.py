"""A roster from a bundle, on a machine without a service: judged as re-validation does, planned as a service does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from online_guard.assessment.attendance import Attendance, attendance, days_of
from online_guard.assessment.candidates import candidates_of
from online_guard.assessment.class_form import annex_two
from online_guard.assessment.documents import Papers
from online_guard.assessment.planning import Blocked, Progress, plan
from online_guard.assessment.roster import Candidate, Plan, Roster
from online_guard.assessment.venues import Venues
from online_guard.assessment.working_days import read_working_days
from online_guard.batch import Progress as Judged
from online_guard.batch import revalidate
from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Evidence
from online_guard.ingest.bundle import open_bundle
from online_guard.judge import Judgement
from online_guard.ledger import hours_of
from online_guard.policy import Policy
from online_guard.terms import Verdict


@dataclass(frozen=True)
class Found:
    """Who is eligible by a bundle and attended by it, what was used, and how many of its rows were refused."""

    candidates: tuple[Candidate, ...]
    attended: Mapping[str, Attendance]
    evidence: Evidence
    refused_rows: int


def judged(bundle: str, policy: Policy, window: str, progress: Judged) -> Found:
    """Return who is eligible for a window by a bundle.

    Raises:
        GuardError: The bundle can't be read, or nobody is eligible.
    """
    result = revalidate(bundle, policy, progress=progress)
    evidence = open_bundle(bundle).evidence
    candidates = candidates_of(evidence, result.judgement.eligibility, window)
    if not candidates:
        raise GuardError(
            ErrorKind.CONFLICT,
            "plan.nobody",
            f"{window} 批次无可考人员 / nobody is eligible for this window",
            where=bundle,
            remedy="原因见 revalidate 的 eligibility.ndjson / see the reasons there.",
        )
    return Found(candidates, _attended(evidence, result.judgement), evidence, len(result.refused))


def _attended(evidence: Evidence, judgement: Judgement) -> dict[str, Attendance]:
    """Return the attendance of each class."""
    accepted = {row.session_id for row in judgement.sessions if row.verdict is Verdict.ACCEPTED}
    days, hours = list(days_of(evidence, accepted)), hours_of(judgement.ledger)
    return {one.class_id: attendance(one, evidence.enrolments, days, hours) for one in evidence.classes}


def planned(
    found: Found, venues: Venues, window: str, policy: Policy, seed: int, tell: Callable[[Progress], None]
) -> Plan | Blocked:
    """Return the plan of a window, or what blocks."""
    return plan(
        found.candidates,
        venues,
        window,
        read_working_days(),
        candidates_per_examiner=policy.training_class.learners_per_teacher,
        seed=seed,
        progress=tell,
    )


def papers_of(found: Found, roster: Roster, venues: Venues, policy: Policy) -> Papers:
    """Return what the papers of a roster are made of; a bundle names no persons."""
    classes = {one.class_id for one in found.candidates}
    return Papers(
        roster=roster,
        tasks=policy.tasks.rows,
        policy_title=policy.title,
        people={},
        examiners={one.examiner_id: one.name for one in venues.examiners},
        annex_two=tuple(
            annex_two(one, found.attended[one.class_id]) for one in found.evidence.classes if one.class_id in classes
        ),
    )
