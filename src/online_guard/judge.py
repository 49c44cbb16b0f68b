"""Evidence, policy and decisions → judgement: the only place that knows the order of the stages (BUNDLE.md).

`observe` works on blocks of events, `conclude` on what several of them gave; `judge` is both for one group.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from online_guard import ledger, verdict
from online_guard.assessment.eligibility import Eligibility, Waiting, assess
from online_guard.evidence import Decision, Evidence, Integers
from online_guard.ledger import LedgerEntry
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule
from online_guard.rules.catalogue import BY_ID, RULES
from online_guard.terms import DecisionKind, Effect, FaceChecks, Subject
from online_guard.timeline.coverage import opened_lessons, watched_ns
from online_guard.timeline.digest import Digest, digest, join, view
from online_guard.verdict import ACCEPTED, HELD, VERDICTS, Finding, SessionVerdict

DECLINED_FACE_CHECKS = ("OG401", "OG402", "OG408", "OG601")
"""Rules that only ask for a review where the learner declined face checks (SPEC 4)."""


@dataclass(frozen=True)
class Observation:
    """What a block of events gave: its digest and what the rules about one session's events said."""

    digest: Digest
    findings: Mapping[str, Findings]


@dataclass(frozen=True)
class Judgement:
    """Everything that follows from the evidence; each table sorted as its file is (SPEC 8)."""

    findings: tuple[Finding, ...]
    sessions: tuple[SessionVerdict, ...]
    ledger: tuple[LedgerEntry, ...]
    eligibility: tuple[Eligibility, ...]
    not_evaluable: Mapping[str, Mapping[str, int]]
    unused_decisions: tuple[Decision, ...]


def judge(evidence: Evidence, policy: Policy) -> Judgement:
    """Return the judgement of one group of sessions that holds all its events."""
    return conclude(evidence, policy, [observe(evidence, policy)])


def observe(evidence: Evidence, policy: Policy, *, whole: bool | Integers = True) -> Observation:
    """Return what a block of whole sessions gives.

    Args:
        evidence: With the block's events.
        policy: Effects and thresholds.
        whole: Which sessions keep every event's row in the digest; see `digest.needs_detail`.
    """
    seen = view(evidence, policy)
    said = {rule.id: rule.check(seen, evidence, policy) for rule in RULES if rule.reads is Reads.VIEW}
    return Observation(digest(seen, evidence, policy, whole=whole), said)


def conclude(evidence: Evidence, policy: Policy, observations: Iterable[Observation]) -> Judgement:
    """Return the judgement of sessions whose events were observed in one or several blocks.

    Args:
        evidence: All tables but events.
        policy: The law.
        observations: Of blocks that hold each session once. Of an iterator each is let go once it has been read.
    """
    count = len(evidence.sessions)
    said: list[Mapping[str, Findings]] = []
    joined = join(_digests(observations, said))
    nobody = np.zeros(count, bool)
    facts = Facts(evidence, joined, opened_lessons(evidence), nobody, nobody)
    decisions = verdict.decisions_by_finding(evidence.decisions)
    skipped: dict[str, Counter[str]] = defaultdict(Counter)
    early: list[Finding] = []
    for findings_of in said:
        for rule_id, found in findings_of.items():
            early += _records(BY_ID[rule_id], found, facts, policy, skipped)
    early += _run(Reads.FACTS, facts, policy, skipped)
    early = verdict.decide(early, decisions, policy)
    verdicts = verdict.session_verdicts(early, count)
    judged = replace(
        facts,
        accepted=verdicts == ACCEPTED,
        held=verdicts == HELD,
        dismissed=_sessions_by_rule(early, lambda finding: finding.decision is DecisionKind.DISMISS),
        standing=_sessions_by_rule(early, lambda finding: finding.stands),
    )
    late = verdict.decide(_run(Reads.VERDICTS, judged, policy, skipped), decisions, policy)
    findings = early + late
    entries = ledger.keep(judged, findings, verdicts, policy)
    known = {(f.rule, str(f.subject), f.subject_id) for f in findings}
    return Judgement(
        findings=tuple(sorted(findings, key=lambda f: (f.rule, str(f.subject), f.subject_id))),
        sessions=tuple(_sessions(judged, verdicts)),
        ledger=tuple(entries),
        eligibility=tuple(assess(evidence, entries, _waiting(judged, findings, verdicts), policy)),
        not_evaluable={rule: dict(sorted(reasons.items())) for rule, reasons in sorted(skipped.items())},
        unused_decisions=tuple(d for key, said in sorted(decisions.items()) if key not in known for d in said),
    )


def _digests(observations: Iterable[Observation], said: list[Mapping[str, Findings]]) -> Iterator[Digest]:
    """Yield the digest of each observation; its findings go to `said`."""
    for part in observations:
        said.append(part.findings)
        yield part.digest


def _run(reads: Reads, facts: Facts, policy: Policy, skipped: dict[str, Counter[str]]) -> list[Finding]:
    return [
        finding
        for rule in RULES
        if rule.reads is reads
        for finding in _records(rule, rule.check(facts, policy), facts, policy, skipped)
    ]


def _records(
    rule: Rule, found: Findings, facts: Facts, policy: Policy, skipped: dict[str, Counter[str]]
) -> list[Finding]:
    if found.not_evaluable:
        skipped[rule.id].update(found.not_evaluable)
    if not len(found.row):
        return []
    enrolment_of, name_of = _subject(rule.subject, facts)
    rows = [int(row) for row in found.row]
    effects = [policy.effects[rule.id]] * len(rows)
    if rule.id in DECLINED_FACE_CHECKS:
        declined = [facts.evidence.enrolments[enrolment_of(row)].face_checks is FaceChecks.DECLINED for row in rows]
        effects = [
            Effect.REVIEW if away and effect is Effect.REJECT else effect
            for away, effect in zip(declined, effects, strict=True)
        ]
    return verdict.spell_out(rule, found, [name_of(row) for row in rows], effects)


def _subject(subject: Subject, facts: Facts) -> tuple[Callable[[int], int], Callable[[int], str]]:
    """Return how to find the enrolment's row and the name of a subject's row."""
    evidence, lessons = facts.evidence, facts.lessons
    match subject:
        case Subject.SESSION:
            return (lambda row: int(evidence.sessions.enrolment[row])), (lambda row: evidence.sessions.key[row])
        case Subject.SNAPSHOT:
            return (
                lambda row: int(evidence.sessions.enrolment[evidence.snapshots.session[row]]),
                lambda row: evidence.snapshots.key[row],
            )
        case Subject.LESSON:
            return (
                lambda row: int(lessons.enrolment[row]),
                lambda row: f"{evidence.enrolments[lessons.enrolment[row]].enrolment_id}/{lessons.lesson_no[row]}",
            )
        case Subject.ENROLMENT:
            return (lambda row: row), (lambda row: evidence.enrolments[row].enrolment_id)
        case Subject.CLASS:
            return (lambda _row: -1), (lambda row: evidence.classes[row].class_id)


def _sessions_by_rule(findings: Sequence[Finding], which: Callable[[Finding], bool]) -> dict[str, Integers]:
    rows: dict[str, list[int]] = defaultdict(list)
    for finding in findings:
        if finding.subject is Subject.SESSION and which(finding):
            rows[finding.rule].append(finding.row)
    return {rule: np.array(named, np.int64) for rule, named in rows.items()}


def _sessions(facts: Facts, verdicts: Integers) -> list[SessionVerdict]:
    watched = watched_ns(facts.lessons, facts.digest, len(verdicts))
    rows = zip(facts.evidence.sessions.key, verdicts.tolist(), facts.playing_ms.tolist(), watched.tolist(), strict=True)
    return [SessionVerdict(key, VERDICTS[code], playing, round(ns / 1e9, 3)) for key, code, playing, ns in rows]


def _waiting(facts: Facts, findings: Sequence[Finding], verdicts: Integers) -> Waiting:
    """Return what waits for a decision, in words, by enrolment and class (E06), and where OG901 stands (E07)."""
    evidence = facts.evidence
    of_enrolment: dict[str, list[str]] = defaultdict(list)
    of_class: dict[str, list[str]] = defaultdict(list)
    for row in np.flatnonzero(verdicts == HELD).tolist():
        owner = evidence.enrolments[evidence.sessions.enrolment[row]].enrolment_id
        of_enrolment[owner].append(evidence.sessions.key[row])
    for finding in findings:
        if not finding.waits:
            continue
        words = f"{finding.rule} {finding.subject_id}"
        if finding.subject is Subject.CLASS:
            of_class[finding.subject_id].append(words)
        elif finding.subject in (Subject.LESSON, Subject.ENROLMENT):
            enrolment_of, _ = _subject(finding.subject, facts)
            of_enrolment[evidence.enrolments[enrolment_of(finding.row)].enrolment_id].append(words)
    missing = frozenset(f.subject_id for f in findings if f.rule == "OG901" and f.stands)
    return Waiting(of_enrolment, of_class, missing)
