"""What papers are made of: a roster, and what isn't in it because it names persons or comes from elsewhere."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from online_guard.assessment.roster import Roster
from online_guard.errors import ErrorKind, GuardError
from online_guard.policy.sections import Task
from online_guard.terms import CertificateRoute


@dataclass(frozen=True)
class Person:
    """A candidate as papers name them.

    Args:
        name: As the identity card has it.
        identity_masked: What `masked` leaves of the number, or empty: then the line stays free.
    """

    name: str
    identity_masked: str = ""


@dataclass(frozen=True)
class AnnexTwo:
    """What is known of a class for its form (附件2); None and empty stay free on the paper, to be filled in by hand.

    Args:
        class_id: The class; its number of candidates, days and route come from the roster.
        institution: 培训机构(或企业、个人)名称.
        occupation: 培训工种, without level.
        starts_on: First day of the class.
        ends_on: Its last day.
        class_hours: 课时.
        mode: 拟培训方式, in words.
        planned: 拟培训人数.
        certificate_route: One of the five of the form.
        contact: Name and telephone.
        bank: 开户银行名称.
        account: 银行帐号.
        level: 级别.
        batch: 开班批次.
        present_at_start: Learners on the first day; who is there counts (三(二)).
        average_present: Of all days.
        sat: Who took part in the assessment; without it the number planned is shown and called so.
        certified: Who was certified.
    """

    class_id: str
    institution: str
    occupation: str
    starts_on: date
    ends_on: date
    class_hours: float
    mode: str
    planned: int
    certificate_route: CertificateRoute
    contact: str = ""
    bank: str = ""
    account: str = ""
    level: str = ""
    batch: str = ""
    present_at_start: int | None = None
    average_present: float | None = None
    sat: int | None = None
    certified: int | None = None


@dataclass(frozen=True)
class Papers:
    """A published roster with everything that its papers need besides.

    Args:
        roster: A version of a window's roster.
        people: Candidates by enrolment, those of `changes` too; one who is missing is printed as their enrolment.
        examiners: Names by examiner; one who is missing is printed as their id.
        annex_two: A form for each class that has one.
        tasks: Rows of Annex 1: `policy.tasks.rows`.
        policy_title: Under which policy the assessment is held, as a line below headings; `policy.title`.
        task_of_class: `no` of the row under which a class is counted; a class that isn't here is 未注明.
        earlier: Rosters of the year's windows before this one, for the sum of the year.
        before: The version before this one: its sittings that are gone are cancelled in calendars.
    """

    roster: Roster
    people: Mapping[str, Person]
    examiners: Mapping[str, str] = field(default_factory=dict)
    annex_two: tuple[AnnexTwo, ...] = ()
    tasks: tuple[Task, ...] = ()
    policy_title: str = ""
    task_of_class: Mapping[str, int] = field(default_factory=dict)
    earlier: tuple[Roster, ...] = ()
    before: Roster | None = None


def of_class(papers: Papers, class_id: str) -> Papers:
    """Return the papers of one class alone: its candidates, their places, what changed for them, and its form.

    Raises:
        GuardError: No candidate of this or the version before is of the class.
    """
    known = [one for roster in (papers.roster, papers.before) if roster for one in roster.candidates]
    members = {one.enrolment_id for one in known if one.class_id == class_id}
    if not members:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "documents.no_class",
            f"考场安排中没有班次 {class_id} / the roster has nobody of class {class_id}",
            where="class_id",
        )
    return replace(
        papers,
        roster=_part_of(papers.roster, members),
        before=papers.before and _part_of(papers.before, members),
        annex_two=tuple(form for form in papers.annex_two if form.class_id == class_id),
        earlier=(),
    )


def _part_of(roster: Roster, members: Container[str]) -> Roster:
    sittings = tuple(one for one in roster.plan.sittings if one.enrolment_id in members)
    return roster.model_copy(
        update={
            "candidates": tuple(one for one in roster.candidates if one.enrolment_id in members),
            "plan": roster.plan.model_copy(update={"sittings": sittings}),
            "changes": tuple(one for one in roster.changes if one.enrolment_id in members),
        }
    )


def masked(identity_number: str) -> str:
    """Return an identity number of which the first three and last four characters are left; a short one not at all.

    >>> masked("413026199001011234")
    '413***********1234'
    """
    hidden = len(identity_number) - 7
    if hidden < 4:
        return "*" * len(identity_number)
    return f"{identity_number[:3]}{'*' * hidden}{identity_number[-4:]}"
