"""Dated cases of eligibility: YAML that an assessor can read, as evidence for `assess` or, with sessions, for `judge`.

`tests/assessment/scenarios/*.yaml` are lists of cases. A case (defaults in brackets):

    name: 中文 / a sentence                     # unique in all files
    today: 2021-04-01                           # when cures are asked for [the day of the first application]
    law: ["assessment.notice_days=5"]           # over the shipped pack
    certificate: no                             # whether the occupations have a vocational certificate [unknown]
    classes: {c1: {starts_on: 2021-03-01, ends_on: 2021-03-31, occupation: 电子商务师, mode: online, teachers: 1,
              applicant: enterprise, route: skill_level, required: 2, institution: 甲校, platform: p, lessons: 2}}
    learners: {e1: {class: c1, learner: l1, refused: {1: [OG102]}, practice: {2021-03-10: 8},
               leave: [[2021-03-10, 2021-03-12, true]], study: [[1, 2021-03-05], [2, 2021-03-06, {rate: 2.0}]]}}
    classmates: {c1: 79}                        # so many more learners, who earned everything
    applications: {c1: {2021-04: [2021-04-01, 2021-04-10]}}     # applied on, assessment on; {} = none
    projects: [[l1, c0, 2021-01-20, 2021-02-01]]                # learner, class, ended on, assessed on (null: not yet)
    surveys: [[甲校, 2021-02-10, 0.84]]
    waiting: {e1: [OG801 e1], c1: [OG701 c1]}   # findings that wait, of an enrolment or a class
    controls_missing: [c1]
    rules: [OG703]                              # with `study`: the rules that keep their effect; all others are notes
    decisions: [[OG103, session, p/e1-1, dismiss, 甲, 乙]]
    expect: {failed: [E09], unconfirmed: [E12], cure: {E09: {window: 2021-08}}}     # of every row, or by row:
    expect: {e1 2021-04: {failed: []}, e1 2021-08: {failed: [E09]}}

A learner without `study` earned every lesson but those `refused`. A study is a session over a whole lesson at nine in
the morning, named `enrolment-n`. Of a cure, some step must have the fields named, and say what it `says`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from evidence_builder import START_MS, event, evidence_of, lesson, session, training_class, watched

from online_guard.assessment.cures import cures
from online_guard.assessment.eligibility import Eligibility, Waiting, assess
from online_guard.assessment.situation import Situations
from online_guard.evidence import Application, Decision, Enrolment, Evidence, Leave, Practice, Project, Survey, day_of
from online_guard.judge import judge
from online_guard.ledger import LedgerEntry
from online_guard.policy import Policy, load_policy
from online_guard.policy.sections import VocationalCertificate
from online_guard.rules.catalogue import RULES
from online_guard.terms import ApplicantKind, CertificateRoute, DecisionKind, Mode, Subject

FOLDER = Path(__file__).parent / "scenarios"
CLASS: dict[str, Any] = {
    "starts_on": date(2021, 3, 1),
    "ends_on": date(2021, 3, 31),
    "occupation": "电子商务师",
    "mode": "online",
    "teachers": 1,
    "applicant": "enterprise",
    "route": "skill_level",
    "required": 2,
    "institution": "甲校",
    "platform": "p",
    "lessons": 2,
}
LEARNER: dict[str, Any] = {"class": "c1", "learner": "l1", "refused": {}, "practice": {}, "leave": (), "study": ()}
FILED = {"c1": {"2021-04": [date(2021, 4, 1), date(2021, 4, 10)]}}
CASE = {
    "name", "today", "law", "certificate", "classes", "learners", "classmates", "applications", "projects", "surveys",
    "waiting", "controls_missing", "rules", "decisions", "expect",
}  # fmt: skip
EXPECTED = {"failed", "unconfirmed", "cure"}


class CaseError(ValueError):
    """A case says something that has no meaning."""


@dataclass(frozen=True)
class Case:
    """One case: what is known, the law, and what is expected of each row (`*`: of all)."""

    name: str
    evidence: Evidence
    ledger: tuple[LedgerEntry, ...] | None
    waiting: Waiting
    policy: Policy
    today: date
    expect: Mapping[str, Mapping[str, Any]]

    def rows(self) -> tuple[list[Eligibility], list[LedgerEntry]]:
        """Return the rows of eligibility, and the ledger."""
        if self.ledger is not None:
            return assess(self.evidence, self.ledger, self.waiting, self.policy), list(self.ledger)
        judgement = judge(self.evidence, self.policy)
        return list(judgement.eligibility), list(judgement.ledger)


def read_cases() -> list[Case]:
    """Return all cases, in the order of the files."""
    cases = [
        read_case(row) for path in sorted(FOLDER.glob("*.yaml")) for row in yaml.safe_load(path.read_text("utf-8"))
    ]
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CaseError(f"named twice: {', '.join(twice)}")
    return cases


def read_case(row: dict[str, Any]) -> Case:
    """Return one case."""
    _known(row, CASE, "a case")
    if " / " not in row["name"]:
        raise CaseError(f"{row['name']}: 中文 / English")
    classes = {name: _filled(given, CLASS) for name, given in row.get("classes", {"c1": {}}).items()}
    learners = {name: _filled(given, LEARNER) for name, given in row.get("learners", {"e1": {}}).items()}
    for owner, count in row.get("classmates", {}).items():
        learners |= {
            f"{owner}-{n:03}": _filled({"class": owner, "learner": f"{owner}-{n:03}"}, LEARNER) for n in range(count)
        }
    applications = [
        Application(owner, str(window), *days)
        for owner, filed in row.get("applications", FILED).items()
        for window, days in filed.items()
    ]
    evidence = _evidence(row, classes, learners, applications)
    studied = any(learner.study for learner in learners.values())
    waits = {name: tuple(words) for name, words in row.get("waiting", {}).items()}
    return Case(
        name=row["name"],
        evidence=evidence,
        ledger=None if studied else tuple(_ledger(classes, learners)),
        waiting=Waiting(waits, waits, frozenset(row.get("controls_missing", ()))),
        policy=_law(tuple(row.get("law", ())), row.get("certificate", "unknown"), _rules(row, studied)),
        today=row.get("today") or min((one.applied_on for one in applications), default=date(2021, 4, 1)),
        expect=_expected(row),
    )


def _expected(row: dict[str, Any]) -> dict[str, Mapping[str, Any]]:
    expect = row["expect"]
    by_row = (
        expect if all(isinstance(value, dict) for value in expect.values()) and "cure" not in expect else {"*": expect}
    )
    for wanted in by_row.values():
        _known(wanted, EXPECTED, "an expectation")
        if "failed" not in wanted:
            raise CaseError(f"{row['name']}: says which tests fail, or []")
    return by_row


def _rules(row: dict[str, Any], studied: bool) -> tuple[str, ...] | None:
    if studied != ("rules" in row):
        raise CaseError(f"{row['name']}: `study` and `rules` go together")
    return tuple(row["rules"]) if studied else None


def _evidence(row: dict[str, Any], classes: Any, learners: Any, applications: list[Application]) -> Evidence:
    return evidence_of(
        *(
            one
            for name, learner in learners.items()
            for one in _sessions(name, learner, classes[learner.__dict__["class"]])
        ),
        classes=[_class(name, given) for name, given in classes.items()],
        enrolments=[
            Enrolment(name, one.__dict__["class"], one.learner, leave=tuple(Leave(*days) for days in one.leave))
            for name, one in learners.items()
        ],
        practice=[Practice(name, day, hours) for name, one in learners.items() for day, hours in one.practice.items()],
        projects=[Project(*given) for given in row.get("projects", ())],
        surveys=[Survey(*given) for given in row.get("surveys", ())],
        applications=applications,
        decisions=[one for number, given in enumerate(row.get("decisions", ())) for one in _decided(number, *given)],
    )


def _class(name: str, given: SimpleNamespace) -> Any:
    return training_class(
        name,
        platform_id=given.platform,
        institution=given.institution,
        applicant_kind=ApplicantKind(given.applicant),
        occupation=given.occupation,
        mode=Mode(given.mode),
        certificate_route=CertificateRoute(given.route),
        starts_on=given.starts_on,
        ends_on=given.ends_on,
        required_online_hours=given.required,
        teachers=given.teachers,
        lessons=tuple(lesson(number) for number in range(1, given.lessons + 1)),
    )


def _sessions(name: str, learner: SimpleNamespace, given: SimpleNamespace) -> Iterator[SimpleNamespace]:
    for number, (lesson_no, day, *marks) in enumerate(learner.study, 1):
        begin_s = (day - day_of(START_MS)).days * 86_400.0
        rate = marks[0]["rate"] if marks else 1.0
        rows = watched(begin_s, 2400)
        faster = [event("rate", begin_s + 10.5, 10.5, True, rate=rate)] if marks else []
        rows = sorted([*rows, *faster], key=lambda one: one.at_ms)
        yield session(
            f"{name}-{number}",
            rows,
            platform_id=given.platform,
            enrolment_id=name,
            lesson_no=lesson_no,
            opened_s=begin_s,
        )


def _decided(number: int, rule: str, subject: str, subject_id: str, decision: str, *by: str) -> Iterator[Decision]:
    for place, reviewer in enumerate(by):
        said = DecisionKind(decision)
        yield Decision(rule, Subject(subject), subject_id, said, "看过", START_MS + number * 10 + place, reviewer)


def _ledger(classes: Any, learners: Any) -> Iterator[LedgerEntry]:
    for name, one in learners.items():
        for number in range(1, classes[one.__dict__["class"]].lessons + 1):
            refused = one.refused.get(number)
            earned = refused is None
            yield LedgerEntry(name, number, 1.0 if earned else 0, 2400.0, float(earned), tuple(refused or ()))


@cache
def _law(overrides: tuple[str, ...], certificate: str | bool, kept: tuple[str, ...] | None) -> Policy:
    """Return the shipped pack with other values; of the rules only those kept have an effect."""
    notes = [] if kept is None else [f'effect.{rule.id}="note"' for rule in RULES if rule.id not in kept]
    policy = load_policy("huangchuan-2021", [*notes, *overrides])
    word = VocationalCertificate({True: "yes", False: "no"}.get(certificate, certificate))  # type: ignore[call-overload]
    known = tuple(replace(one, vocational_certificate=word) for one in policy.occupations.online)
    return replace(policy, occupations=replace(policy.occupations, online=known))


def _known(row: Mapping[str, Any], keys: Any, what: str) -> None:
    if unknown := row.keys() - set(keys):
        raise CaseError(f"unknown key of {what}: {', '.join(sorted(map(str, unknown)))}")


def _filled(given: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> SimpleNamespace:
    _known(given or {}, defaults, "a class or learner")
    return SimpleNamespace(**{**defaults, **(given or {})})


def cures_of(case: Case, row: Eligibility, ledger: list[LedgerEntry]) -> dict[str, list[dict[str, Any]]]:
    """Return what would cure the failed tests of a row."""
    situations = Situations(case.evidence, ledger, case.policy, case.today)
    found = cures(row.evidence, situations.of(row.class_id, row.window, row.enrolment_id))
    return {code: [cure.as_row() for cure in helps] for code, helps in found.items()}
