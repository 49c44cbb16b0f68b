"""A self-contained HTML report of one class: who was flagged why, which hours count, who may sit the assessment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from online_guard import page
from online_guard.assessment.eligibility import Eligibility
from online_guard.demo.check_cards import CheckCard
from online_guard.demo.office import PublishedRoster
from online_guard.evidence import Evidence, Lesson, TrainingClass
from online_guard.judge import Judgement
from online_guard.ledger import LedgerEntry
from online_guard.pictures import stylesheet
from online_guard.pictures.facts import SessionFacts
from online_guard.pictures.session_facts import session_facts
from online_guard.pictures.session_timeline import session_timeline
from online_guard.pictures.timeline_legend import timeline_legend
from online_guard.pictures.words import Language
from online_guard.policy import Policy
from online_guard.rules.catalogue import BY_ID
from online_guard.terms import Effect, Subject, Verdict, bilingual
from online_guard.timeline.digest import view
from online_guard.verdict import Finding
from online_guard.wording import failed_test_in_words, in_words

NARROW_PX = 400
"""Width of the pictures for phones."""
SEVERITY = {Effect.REJECT: 2, Effect.REVIEW: 1, Effect.NOTE: 0}


@dataclass(frozen=True)
class Person:
    """How an enrolment is shown: a name, and for simulated learners how they studied."""

    name: str
    label_zh: str = ""
    label_en: str = ""


@dataclass(frozen=True)
class FindingLine:
    """One finding in words."""

    rule: str
    name_zh: str
    name_en: str
    effect: str
    effect_label: str
    clause: str
    zh: str
    en: str
    subject: str


@dataclass(frozen=True)
class LessonCard:
    """One lesson of one learner: what it earned, why not, and its pictures for wide and narrow screens."""

    lesson_no: int
    title: str
    hours: float
    coverage: float
    verdicts: tuple[tuple[str, str], ...]
    refused_by: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    sessions: int
    wide: str
    narrow: str


@dataclass(frozen=True)
class LearnerCard:
    """One learner: hours, whether they may sit the assessment, and the lessons.

    findings: about the learner as a whole. rules: one line for each rule that was found anywhere.
    """

    enrolment_id: str
    person: Person
    hours: float
    state: str
    failed: tuple[tuple[str, str, str, str], ...]
    findings: tuple[FindingLine, ...]
    rules: tuple[FindingLine, ...]
    lessons: tuple[LessonCard, ...]


@dataclass(frozen=True)
class Refused:
    """Something that the service refused to take, with the words of its answer."""

    what_zh: str
    what_en: str
    status: int
    title: str
    detail: str


@dataclass(frozen=True)
class Report:
    """Everything the page shows; `findings` are those about the class, `sessions` counts verdicts.

    roster: as it was published; its files lie beside the page.
    """

    course: TrainingClass
    policy: Policy
    window: str
    learners: tuple[LearnerCard, ...]
    events: int
    sessions: Mapping[str, int]
    findings: tuple[FindingLine, ...] = ()
    refused: tuple[Refused, ...] = ()
    checks: tuple[CheckCard, ...] = ()
    roster: PublishedRoster | None = None

    @property
    def hours(self) -> float:
        """Return the hours that count."""
        return sum(learner.hours for learner in self.learners)

    @property
    def claimed(self) -> float:
        """Return the hours of all lessons for all learners."""
        return len(self.learners) * sum(lesson.class_hours for lesson in self.course.lessons)


@dataclass(frozen=True)
class _Rows:
    """The judgement by enrolment and lesson."""

    entries: Mapping[tuple[str, int], LedgerEntry]
    eligible: Mapping[str, Eligibility]
    findings: Mapping[tuple[str, int], list[Finding]]
    of_learner: Mapping[str, list[Finding]]
    sessions: Mapping[tuple[str, int], list[str]]
    verdicts: Mapping[str, Verdict]
    facts: Callable[[Sequence[str]], SessionFacts]
    policy: Policy = field(repr=False)


def build_report(
    evidence: Evidence,
    judgement: Judgement,
    policy: Policy,
    people: Mapping[str, Person],
    refused: Sequence[Refused] = (),
    checks: Sequence[CheckCard] = (),
) -> Report:
    """Return the report of the only class of some evidence.

    Args:
        evidence: With its events.
        judgement: Of that evidence.
        policy: By which it was judged.
        people: How each enrolment is shown; one that is missing is shown by its id.
        refused: Bad input to be shown.
        checks: Liveness checks to be shown.
    """
    course = evidence.classes[0]
    rows = _Rows(
        entries={(entry.enrolment_id, entry.lesson_no): entry for entry in judgement.ledger},
        eligible={row.enrolment_id: row for row in judgement.eligibility},
        findings=_by_lesson(evidence, judgement.findings),
        of_learner=_about(Subject.ENROLMENT, judgement.findings),
        sessions=_sessions(evidence),
        verdicts={row.session_id: row.verdict for row in judgement.sessions},
        facts=partial(session_facts, evidence, policy, judgement.findings, seen=view(evidence, policy)),
        policy=policy,
    )
    counts = dict.fromkeys((str(verdict) for verdict in Verdict), 0)
    for row in judgement.sessions:
        counts[str(row.verdict)] += 1
    learners = tuple(
        _learner(enrolment.enrolment_id, people, course, rows)
        for enrolment in evidence.enrolments
        if enrolment.class_id == course.class_id
    )
    window = next((row.window for row in judgement.eligibility if row.window), "")
    of_class = _about(Subject.CLASS, judgement.findings).get(course.class_id, ())
    lines = tuple(finding_line(finding, policy) for finding in of_class)
    return Report(course, policy, window, learners, len(evidence.events), counts, lines, tuple(refused), tuple(checks))


def render(report: Report) -> str:
    """Return the page: one file without scripts or anything from elsewhere."""
    names = {learner.enrolment_id: learner.person.name for learner in report.learners}
    legends = {"wide": timeline_legend(Language.BOTH), "narrow": timeline_legend(Language.BOTH, NARROW_PX)}
    return page.render(
        "online_guard.demo", "report.html", report=report, names=names, looks=stylesheet(), legends=legends
    )


def finding_line(finding: Finding, policy: Policy) -> FindingLine:
    """Return a finding in words."""
    rule = BY_ID[finding.rule]
    zh, en = in_words(finding.rule, finding.evidence)
    return FindingLine(
        rule=finding.rule,
        name_zh=rule.zh,
        name_en=rule.name,
        effect=str(finding.effect),
        effect_label=bilingual(finding.effect),
        clause=policy.clauses[finding.rule],
        zh=zh,
        en=en,
        subject=finding.subject_id,
    )


def _lines(findings: Sequence[Finding], policy: Policy) -> tuple[FindingLine, ...]:
    """Return findings in words; those about single pictures are one line for each rule, with their number."""
    lines = [finding_line(finding, policy) for finding in findings if finding.subject is not Subject.SNAPSHOT]
    pictures: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.subject is Subject.SNAPSHOT:
            pictures[finding.rule].append(finding)
    for found in pictures.values():
        line, number = finding_line(found[0], policy), len(found)
        lines.append(replace(line, zh=f"{line.zh}（{number} 张）", en=f"{line.en} ({number} snapshots)"))
    return tuple(lines)


def _about(subject: Subject, findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Return the findings about one kind of subject by its id."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.subject is subject:
            found[finding.subject_id].append(finding)
    return found


def _by_lesson(evidence: Evidence, findings: Sequence[Finding]) -> dict[tuple[str, int], list[Finding]]:
    """Return the findings about sessions, their pictures and lessons by enrolment and lesson, the gravest first."""
    sessions = evidence.sessions
    place = {
        str(key): (evidence.enrolments[enrolment].enrolment_id, int(lesson_no))
        for key, enrolment, lesson_no in zip(sessions.key, sessions.enrolment, sessions.lesson_no, strict=True)
    }
    found: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.subject is Subject.SESSION:
            found[place[finding.subject_id]].append(finding)
        elif finding.subject is Subject.SNAPSHOT:
            found[place[finding.subject_id.rpartition("/")[0]]].append(finding)
        elif finding.subject is Subject.LESSON:
            enrolment_id, _, lesson_no = finding.subject_id.rpartition("/")
            found[enrolment_id, int(lesson_no)].append(finding)
    return {key: sorted(rows, key=lambda row: (-SEVERITY[row.effect], row.rule)) for key, rows in found.items()}


def _sessions(evidence: Evidence) -> dict[tuple[str, int], list[str]]:
    """Return the sessions that have events, by enrolment and lesson."""
    sessions = evidence.sessions
    rows: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in dict.fromkeys(evidence.events.session.tolist()):
        enrolment = evidence.enrolments[sessions.enrolment[row]]
        rows[enrolment.enrolment_id, int(sessions.lesson_no[row])].append(str(sessions.key[row]))
    return rows


def _learner(enrolment_id: str, people: Mapping[str, Person], course: TrainingClass, rows: _Rows) -> LearnerCard:
    """Return what the report says of one learner."""
    lessons = tuple(_lesson(enrolment_id, lesson, rows) for lesson in course.lessons)
    own = tuple(finding_line(finding, rows.policy) for finding in rows.of_learner.get(enrolment_id, ()))
    first = {line.rule: line for line in (*own, *(line for lesson in lessons for line in lesson.findings))}
    row = rows.eligible.get(enrolment_id)
    state = "eligible" if row and row.eligible else "waiting" if row and "E06" in row.failed else "refused"
    return LearnerCard(
        enrolment_id=enrolment_id,
        person=people.get(enrolment_id, Person(enrolment_id)),
        hours=sum(lesson.hours for lesson in lessons),
        state=state,
        failed=tuple(_test(code, row.evidence.get(code, {})) for code in row.failed) if row else (),
        findings=own,
        rules=tuple(sorted(first.values(), key=lambda line: line.rule)),
        lessons=lessons,
    )


def _test(code: str, evidence: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return code, Chinese, English and clause of a failed test."""
    return code, *failed_test_in_words(code, evidence), str(evidence.get("clause", ""))


def _lesson(enrolment_id: str, lesson: Lesson, rows: _Rows) -> LessonCard:
    """Return what the report says of one learner's lesson."""
    key = (enrolment_id, lesson.lesson_no)
    sessions = rows.sessions.get(key, [])
    entry = rows.entries[key]
    verdicts = dict.fromkeys(rows.verdicts[key] for key in sessions)
    facts = rows.facts(sessions) if sessions else None
    prefix = f"{enrolment_id}-{lesson.lesson_no}"
    return LessonCard(
        lesson_no=lesson.lesson_no,
        title=lesson.title,
        hours=entry.hours,
        coverage=entry.coverage,
        verdicts=tuple((str(verdict), bilingual(verdict)) for verdict in verdicts),
        refused_by=entry.refused_by,
        findings=_lines(rows.findings.get(key, ()), rows.policy),
        sessions=len(sessions),
        wide=session_timeline(facts, Language.BOTH, prefix=f"{prefix}-", legend=False) if facts else "",
        narrow=session_timeline(facts, width=NARROW_PX, prefix=f"{prefix}-narrow-", legend=False) if facts else "",
    )
