"""Laws that hold for every rule: inputs unchanged, groups apart and together, blocks, names, evidence as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_groups import POLICY, Group, evidence_of, groups, joined, renamed
from scenario_check import all_cases, policy_of

from online_guard.evidence import Events, Evidence
from online_guard.judge import Judgement, conclude, judge, observe
from online_guard.rules.base import Facts, Reads
from online_guard.rules.catalogue import RULES
from online_guard.timeline.coverage import opened_lessons
from online_guard.timeline.digest import digest, join, needs_detail, view

# A failing group is shown as it was drawn: shrinking it takes minutes.
LAWS = settings(max_examples=settings().max_examples // 2, phases=(Phase.explicit, Phase.generate))
PER_EVENT = ("session", "seq", "type", "at_ms", "received_ms", "position_s", "from_s", "playing", "rate", "player")


def policy() -> Any:
    return policy_of(POLICY)


def plain(judged: Judgement, mark: str = "") -> dict[str, Any]:
    """Return a judgement as JSON values, without `mark` in its names."""
    tables = {name: [row.as_row() for row in getattr(judged, name)] for name in ("findings", "sessions", "ledger")}
    tables["eligibility"] = [row.as_row() for row in judged.eligibility]
    skipped = {rule: dict(reasons) for rule, reasons in judged.not_evaluable.items()}
    text = json.dumps([tables, skipped, len(judged.unused_decisions)], ensure_ascii=False, allow_nan=False)
    loaded, skipped, unused = json.loads(text.replace(mark, "") if mark else text)
    return {**loaded, "not_evaluable": skipped, "unused": unused}


def differing(left: dict[str, Any], right: dict[str, Any]) -> list[Any]:
    """Return the rows that only one of two judgements has."""
    rows: list[Any] = []
    for key, mine in left.items():
        theirs = right[key]
        if isinstance(mine, list):
            rows += [row for row in mine if row not in theirs] + [row for row in theirs if row not in mine]
            rows += [key] if len(mine) != len(theirs) or (not rows and mine != theirs) else []
        elif mine != theirs:
            rows.append((key, mine, theirs))
    return rows


def together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what several judgements say, as one."""
    keys = {
        "findings": ("rule", "subject", "subject_id"),
        "sessions": ("session_id",),
        "ledger": ("enrolment_id", "lesson_no"),
        "eligibility": ("class_id", "enrolment_id"),
    }
    tables: dict[str, Any] = {
        name: sorted((row for part in parts for row in part[name]), key=lambda row: [row[key] for key in own])
        for name, own in keys.items()
    }
    skipped: dict[str, Counter[str]] = {}
    for part in parts:
        for rule, reasons in part["not_evaluable"].items():
            skipped.setdefault(rule, Counter()).update(reasons)
    return {
        **tables,
        "not_evaluable": {rule: dict(reasons) for rule, reasons in sorted(skipped.items())},
        "unused": sum(part["unused"] for part in parts),
    }


@LAWS
@given(groups("a", 0.0), groups("b", 0.25))
def test_two_unrelated_groups_give_together_what_each_gives_alone(left: Group, right: Group) -> None:
    both = plain(judge(evidence_of(joined(left, right)), policy()))
    apart = [plain(judge(evidence_of(one), policy())) for one in (left, right)]
    assert differing(both, together(apart)) == []


@LAWS
@given(groups(), st.data())
def test_blocks_give_what_the_whole_gives(group: Group, data: st.DataObject) -> None:
    evidence = evidence_of(group)
    count = len(evidence.sessions)
    block = np.cumsum(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    blocks = [_part(evidence, np.flatnonzero(block == number)) for number in np.unique(block)]
    observations = [observe(part, policy(), whole=False) for part in blocks]
    wanted = needs_detail(join([one.digest for one in observations]).sittings, evidence, policy())
    for number, one in enumerate(observations):
        rows = np.intersect1d(wanted, one.digest.sittings.session)
        if len(rows):
            observations[number] = observe(blocks[number], policy(), whole=rows)
    bare = evidence.with_events(Events())
    assert differing(plain(conclude(bare, policy(), observations)), plain(judge(evidence, policy()))) == []


def _part(evidence: Evidence, sessions: Any) -> Evidence:
    """Return the evidence with the events of some sessions only."""
    events = evidence.events
    rows = np.isin(events.session, sessions)
    columns = {name: getattr(events, name)[rows] for name in (*PER_EVENT, "popup")}
    conflicts = events.conflicts[np.isin(events.conflicts, sessions)]
    return evidence.with_events(replace(events, conflicts=conflicts, **columns))


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_scenarios_judged_session_by_session_give_what_they_give_whole(rule: Any) -> None:
    cases = [case for case in all_cases() if case.rule == rule.id and len(case.evidence.sessions) > 1]
    for case in sorted(cases, key=lambda case: not case.expect)[:4]:
        law, rows = policy_of(case.overrides), np.arange(len(case.evidence.sessions))
        blocks = [_part(case.evidence, [row]) for row in rows]
        wanted = needs_detail(
            join([observe(one, law, whole=False).digest for one in blocks]).sittings, case.evidence, law
        )
        observations = [observe(one, law, whole=wanted) for one in blocks]
        bare = case.evidence.with_events(Events())
        assert differing(plain(conclude(bare, law, observations)), plain(judge(case.evidence, law))) == []


@LAWS
@given(groups())
def test_names_change_nothing_but_names(group: Group) -> None:
    named = plain(judge(evidence_of(renamed(group, "~")), policy()), "~")
    assert differing(named, plain(judge(evidence_of(group), policy()))) == []


@LAWS
@given(groups(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(group: Group, random: Any) -> None:
    mixed = dict(group)
    for key in ("sessions", "likenesses", "decisions"):
        mixed[key] = random.sample(group[key], len(group[key]))
    mixed["sessions"] = [
        {**one, **{key: random.sample(one[key], len(one[key])) for key in ("snapshots", "checks", "directives")}}
        for one in mixed["sessions"]
    ]
    assert differing(plain(judge(evidence_of(mixed), policy())), plain(judge(evidence_of(group), policy()))) == []


def _freeze(value: Any) -> None:
    """Make every array inside a record read-only."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, tuple):
        for item in value:
            _freeze(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            _freeze(getattr(value, item.name))


@LAWS
@given(groups())
def test_no_rule_writes_into_what_it_reads(group: Group) -> None:
    evidence = evidence_of(group)
    _freeze(evidence)
    seen = view(evidence, policy())
    facts = Facts(
        evidence,
        digest(seen, evidence, policy()),
        opened_lessons(evidence),
        accepted=np.ones(len(evidence.sessions), bool),
        held=np.zeros(len(evidence.sessions), bool),
    )
    _freeze(seen)
    _freeze(facts)
    for rule in RULES:
        rule.check(*((seen, evidence) if rule.reads is Reads.VIEW else (facts,)), policy())


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_evidence_is_json_with_value_limit_and_count(rule: Any) -> None:
    cases = [case for case in all_cases() if case.rule == rule.id and case.expect]
    for case in cases[:5]:
        judged = judge(case.evidence, policy_of(case.overrides))
        for finding in (one for one in judged.findings if one.rule == rule.id):
            row = finding.as_row()
            assert json.loads(json.dumps(row, allow_nan=False)) == row
            assert row["evidence"].keys() >= {"value", "limit", "count"}
            assert (row["start_ms"] is None) == (row["end_ms"] is None)
            assert row["start_ms"] is None or row["start_ms"] <= row["end_ms"]


@LAWS
@given(groups())
def test_random_groups_say_something(group: Group) -> None:
    """The law tests above would be empty if groups were: what is judged is all there, and JSON."""
    evidence = evidence_of(group)
    judged = plain(judge(evidence, policy()))
    assert [row["session_id"] for row in judged["sessions"]] == list(evidence.sessions.key)
    assert {row["rule"] for row in judged["findings"]} <= {rule.id for rule in RULES}
    opened = {(row["enrolment_id"], row["lesson_no"]) for row in judged["ledger"]}
    assert len(opened) == 2 * len(evidence.enrolments)


def test_random_groups_reach_most_rules() -> None:
    fired: set[str] = set()

    @settings(LAWS, max_examples=60, database=None)
    @given(groups())
    def collect(group: Group) -> None:
        fired.update(row.rule for row in judge(evidence_of(group), policy()).findings)

    collect()
    assert len(fired) >= 20
