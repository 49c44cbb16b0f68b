"""What the pages show at a glance: rules over weeks, platforms, and a learner across platforms."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import CHINA_OFFSET_MS
from online_guard.ledger import UNFINISHED, LedgerEntry
from online_guard.pictures.heat_map import Cell
from online_guard.pictures.rule_trend import RuleWeeks, Week
from online_guard.policy import Policy
from online_guard.rules.catalogue import BY_ID
from online_guard.service.house import House, clock_ms
from online_guard.service.reviewing.cases import History
from online_guard.store import overview_rows, review_rows
from online_guard.store.decision_tables import AppealRecord, CaseRecord, DecisionRecord
from online_guard.store.overview_rows import WEEK_MS, Total, week_start_ms
from online_guard.store.tables import ClassRecord, EnrolmentRecord, FindingRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import DecisionKind, Effect
from online_guard.wording import in_words

WEEKS = 14
"""Of a trend: a quarter of a year."""
RECENT_WEEKS = 4
"""What the weeks before are compared with, to see a rule drift."""


@dataclass(frozen=True)
class RuleLine:
    """A rule over all platforms.

    Attributes:
        total: Its findings and their last decisions.
        recent: The share of sessions in which it was found in the last weeks, None without sessions.
        before: Likewise in the weeks before those.
        weeks: All of them.
    """

    total: Total
    recent: float | None
    before: float | None
    weeks: RuleWeeks

    @property
    def upheld_share(self) -> float | None:
        """Return the share of decided findings that were upheld: how often the rule was right."""
        decided = self.total.upheld + self.total.dismissed
        return self.total.upheld / decided if decided else None


@dataclass(frozen=True)
class PlatformFacts:
    """A platform: its size, what is wrong with its controls, what it was refused, and its rules over weeks."""

    platform_id: str
    classes: int
    sessions: int
    controls: tuple[tuple[FindingRecord, str, str], ...]
    refused: tuple[tuple[str, str, int], ...]
    trends: tuple[RuleWeeks, ...]


@dataclass(frozen=True)
class Enrolled:
    """An enrolment of a learner: its class, its lessons as a row of a heat map, and its cases."""

    enrolment: EnrolmentRecord
    training_class: ClassRecord
    cells: Mapping[int, Cell]
    hours: float
    cases: tuple[CaseRecord, ...]


@dataclass(frozen=True)
class _Counts:
    """What was counted of some weeks, by week."""

    weeks: range
    sessions: Mapping[str, Counter[int]]
    hits: Mapping[str, Mapping[str, Counter[int]]]
    upheld: Mapping[str, Mapping[str, Counter[int]]]
    dismissed: Mapping[str, Mapping[str, Counter[int]]]

    @classmethod
    def of(cls, database: Session, weeks: int, rules: Collection[str] = ()) -> _Counts:
        """Count the weeks up to that of the newest session; of all rules if none is named."""
        newest_ms = overview_rows.last_opened_ms(database) or clock_ms()
        last = (newest_ms - week_start_ms(0)) // WEEK_MS
        span = range(last - weeks + 1, last + 1)
        since = week_start_ms(span[0])
        sessions: dict[str, Counter[int]] = defaultdict(Counter)
        for count in overview_rows.sessions_by_week(database, since):
            sessions[count.platform_id][count.week] = count.number
        hits, upheld, dismissed = (defaultdict(lambda: defaultdict(Counter)) for _ in range(3))  # type: ignore[var-annotated]
        for hit in overview_rows.hits_by_week(database, since, rules):
            hits[hit.rule][hit.platform_id][hit.week] = hit.number
        for said in overview_rows.decided_by_week(database, since, rules):
            upheld[said.rule][said.platform_id][said.week] = said.upheld
            dismissed[said.rule][said.platform_id][said.week] = said.dismissed
        return cls(span, sessions, hits, upheld, dismissed)

    def trend(self, rule: str, is_meant: Callable[[str], bool], compare: bool = False) -> RuleWeeks:
        """Return a rule's weeks at the platforms that are meant; `compare`: with how it was at the others."""

        def count(of: Mapping[str, Counter[int]], week: int, meant: bool = True) -> int:
            return sum(weeks[week] for name, weeks in of.items() if is_meant(name) is meant)

        rows = []
        for week in self.weeks:
            others = count(self.sessions, week, False)
            rows.append(
                Week(
                    starts_on=_day(week_start_ms(week)),
                    sessions=count(self.sessions, week),
                    hits=count(self.hits.get(rule, {}), week),
                    upheld=count(self.upheld.get(rule, {}), week),
                    dismissed=count(self.dismissed.get(rule, {}), week),
                    elsewhere=count(self.hits.get(rule, {}), week, False) / others if compare and others else None,
                )
            )
        return RuleWeeks(rule, tuple(rows))


def _day(moment_ms: int) -> date:
    return datetime.fromtimestamp((moment_ms + CHINA_OFFSET_MS) / 1000, UTC).date()


def _share(weeks: Iterable[Week]) -> float | None:
    sessions, hits = 0, 0
    for week in weeks:
        sessions, hits = sessions + week.sessions, hits + week.hits
    return hits / sessions if sessions else None


def rules_overview(house: House) -> list[RuleLine]:
    """Return every rule that was ever found or decided, with its share of sessions now and before."""
    with reading(house.engine) as database:
        counts, totals = _Counts.of(database, WEEKS), overview_rows.totals(database)
    lines = []
    for total in totals:
        trend = counts.trend(total.rule, lambda _: True)
        recent, before = _share(trend.weeks[-RECENT_WEEKS:]), _share(trend.weeks[:-RECENT_WEEKS])
        lines.append(RuleLine(total, recent, before, trend))
    return lines


def rule_by_platform(house: House, rule: str) -> list[RuleWeeks]:
    """Return a rule's weeks at each platform that had sessions, beside how it was at the others.

    Raises:
        GuardError: No such rule.
    """
    if rule not in BY_ID:
        raise GuardError(ErrorKind.NOT_FOUND, "not_found", "找不到该规则 / no such rule", where=rule)
    with reading(house.engine) as database:
        counts = _Counts.of(database, WEEKS, (rule,))
    return [replace(counts.trend(rule, name.__eq__, compare=True), place=name) for name in sorted(counts.sessions)]


def platforms(house: House) -> list[tuple[str, int, int]]:
    """Return each platform with its numbers of classes and of sessions."""
    with reading(house.engine) as database:
        return overview_rows.platforms(database)


def platform(house: House, platform_id: str) -> PlatformFacts:
    """Return what is known of a platform.

    Raises:
        GuardError: It has no class.
    """
    with reading(house.engine) as database:
        known = {name: (classes, sessions) for name, classes, sessions in overview_rows.platforms(database)}
        if platform_id not in known:
            raise GuardError(ErrorKind.NOT_FOUND, "not_found", "找不到该平台 / no such platform", where=platform_id)
        counts = _Counts.of(database, WEEKS)
        found = overview_rows.class_findings(database, platform_id)
        refused = overview_rows.dead_letters(database, platform_id)
    hit = sorted(rule for rule, by_platform in counts.hits.items() if platform_id in by_platform)
    trends = [counts.trend(rule, platform_id.__eq__, compare=True) for rule in hit]
    trends.sort(key=lambda trend: -(_share(trend.weeks) or 0.0))
    said = tuple((one, *in_words(one.rule, json.loads(one.evidence))) for one in found)
    return PlatformFacts(platform_id, *known[platform_id], said, tuple(refused), tuple(trends))


def learner(house: House, learner_id: str) -> list[Enrolled]:
    """Return a learner's enrolments at every platform.

    Raises:
        GuardError: Nobody of that id is enrolled.
    """
    with reading(house.engine) as database:
        rows = overview_rows.enrolments_of(database, learner_id)
        if not rows:
            raise GuardError(ErrorKind.NOT_FOUND, "not_found", "找不到该学员 / no such learner", where=learner_id)
        ids = [enrolment.enrolment_id for enrolment, _ in rows]
        cells = lesson_cells(database, house.policy, ids)
        cases = overview_rows.cases_of(database, ids)
    return [
        Enrolled(
            enrolment,
            training_class,
            cells.get(enrolment.enrolment_id, {}),
            sum(cell.hours for cell in cells.get(enrolment.enrolment_id, {}).values()),
            tuple(one for one in cases if one.enrolment_id == enrolment.enrolment_id),
        )
        for enrolment, training_class in rows
    ]


def lesson_cells(database: Session, policy: Policy, enrolment_ids: Sequence[str]) -> dict[str, dict[int, Cell]]:
    """Return what the ledgers say of each lesson of some enrolments, by enrolment and lesson number.

    A lesson is held where a rule that keeps it from earning waits for a decision and no other one stands.
    """
    findings = review_rows.findings_where(database, FindingRecord.enrolment_id.in_(enrolment_ids))
    history = History(
        review_rows.decisions_where(database, DecisionRecord.enrolment_id.in_(enrolment_ids)),
        review_rows.appeals_where(database, AppealRecord.finding_id.in_([one.finding_id for one in findings])),
    )
    waits: dict[str, set[str]] = defaultdict(set)
    stands: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        holds = history.standing(finding, policy).holds
        owner = str(finding.enrolment_id)
        if finding.effect == Effect.REVIEW and holds is None:
            waits[owner].add(finding.rule)
        elif (finding.effect == Effect.REJECT and holds != DecisionKind.DISMISS) or holds == DecisionKind.UPHOLD:
            stands[owner].add(finding.rule)
    result: dict[str, dict[int, Cell]] = defaultdict(dict)
    for row in overview_rows.ledgers(database, enrolment_ids):
        body = json.loads(row.body)
        entry = LedgerEntry(**body | {"refused_by": tuple(body["refused_by"])})
        refusing = set(entry.refused_by) - {UNFINISHED}
        held = bool(refusing & waits[row.owner]) and not refusing & stands[row.owner]
        result[row.owner][entry.lesson_no] = Cell.of(entry, held)
    return dict(result)
