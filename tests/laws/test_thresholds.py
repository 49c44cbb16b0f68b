"""A stricter threshold accepts no session that a looser one refuses, where SPEC says so.

That follows for the `THRESHOLDS` below, as long as nobody has decided a finding: OG304 gives way to OG301, OG407 to
OG404 and OG605 to OG602, so that a dismissal of the one may free a session that the other held. It is about sessions:
`hours.*`, `snapshot.per_class_hour`, `control.*` and the rest touch none.

It doesn't follow, and `test_a_stricter_value_may_accept_more` shows a session for each, for

- `popup.max_gap_s`: sessions further apart than that are two sittings, and OG304's clock begins anew. Without OG304 it
  follows, and is tested so;
- `liveness.passes_per_session`: OG403's failures count where enough passed; where not enough did, OG402 asks for more
  playing than a short session has;
- `playback.max_silence_s`: a longer interval isn't observed, and nothing has played that pop-ups or liveness must
  control;
- `playback.slack_s`: it also says whether a `play` repeats the position before a seek, and so where it stands;
- `clock.max_lead_s`: it also bounds the offset of a session whose opening came late, and moves it against the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from evidence_builder import START_MS, beats, event, session, watched
from evidence_builder import evidence_of as evidence_with
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_groups import POLICY, Group, evidence_of, groups
from scenario_check import SCENARIOS, policy_of
from scenario_reader import Case, read_cases

from online_guard.evidence import Evidence
from online_guard.judge import judge
from online_guard.policy import DEFAULT_POLICY, Policy, load_policy
from online_guard.terms import Effect, Outcome, Subject, Verdict

BASE = (*POLICY, "windows.max_hidden_total_s=10")
GAP = "popup.max_gap_s"
THRESHOLDS: dict[str, tuple[str, Any, Any, Any]] = {
    "playback.max_rate": ("OG101 OG102 OG103 OG501", 2.0, 1.0, 0.5),
    "playback.rate_tolerance": ("OG101", 0.5, 0.02, 0.0),
    "windows.overlap_slack_s": ("OG102 OG201 OG202 OG501 OG802", 60, 5, 0),
    "windows.max_hidden_s": ("OG203", 100, 30, 0),
    "windows.max_hidden_total_s": ("OG203", 900, 120, 0),
    "windows.max_hidden_share": ("OG203", 1.0, 0.1, 0.0),
    GAP: ("OG301 OG305", 600, 300, 20),
    "popup.answer_timeout_s": ("OG301 OG302 OG304 OG305", 200, 60, 1),
    "popup.min_reaction_ms": ("OG303", 0, 300, 60_000),
    "order.kinds": ("OG501", [], ["professional"], ["professional", "general"]),
    "order.min_coverage": ("OG501", 0.1, 0.8, 1.0),
    "liveness.min_playing_s": ("OG401 OG402", 600, 60, 1),
    "liveness.failures_for_review": ("OG403", 9, 3, 1),
    "liveness.match_distance": ("OG407", 0.7, 0.55, 0.2),
    "liveness.reject_distance": ("OG404 OG407", 0.9, 0.7, 0.56),
    "snapshot.phash_distance": ("OG605", 0, 4, 64),
    "snapshot.same_picture_residual": ("OG602 OG604", 0.0, 0.04, 0.5),
    "device.max_learners": ("OG802", 1, 3, 1_000),
    "effect.OG204": ("OG204", "note", "note", "review"),
}
"""Rules that use the threshold, and its values: a loose one, the middle (shipped, mostly), a strict one."""
GIVES_WAY = {"OG304": "OG301", "OG407": "OG404", "OG605": "OG602"}
"""Rules that are silent where another one, no milder, holds for the session."""
LAWS = settings(max_examples=settings().max_examples // 2, phases=(Phase.explicit, Phase.generate))
"""A failing group is shown as it was drawn: shrinking it takes minutes."""


@cache
def policies(key: str, base: tuple[str, ...]) -> list[Policy]:
    """Return the policies with the threshold's values, from loose to strict."""
    more = (*base, 'effect.OG304="note"') if key == GAP else base
    return [policy_of((*more, f"{key}={json.dumps(value)}")) for value in THRESHOLDS[key][1:]]


@cache
def short_cases(rule: str) -> list[Case]:
    """Return the rule's scenarios, but for a few with hundreds of events."""
    (path,) = SCENARIOS.glob(f"{rule.lower()}_*.yaml")
    return [case for case in read_cases(path) if len(case.evidence.events) < 300]


def refused_and_accepted(evidence: Evidence, policy: Policy) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the (rule, session) that refuse or hold, and the accepted sessions."""
    judged = judge(evidence, policy)
    said = {
        (one.rule, one.subject_id)
        for one in judged.findings
        if one.subject is Subject.SESSION and one.effect is not Effect.NOTE
    }
    return said, {one.session_id for one in judged.sessions if one.verdict is Verdict.ACCEPTED}


def newly_refused(evidence: Evidence, laws: Sequence[Policy]) -> set[tuple[str, str]]:
    """Return the (rule, session) that stricter policies add, having checked that they free none."""
    undecided = replace(evidence, decisions=())
    results = [refused_and_accepted(undecided, policy) for policy in laws]
    added = set()
    for (loose, accepted), (strict, accepted_then) in pairwise(results):
        freed = {(rule, name) for rule, name in loose - strict if (GIVES_WAY.get(rule), name) not in strict}
        assert freed == set()
        assert accepted_then <= accepted
        added |= strict - loose
    return added


@LAWS
@given(groups(), st.sampled_from(sorted(THRESHOLDS)))
def test_a_stricter_threshold_accepts_no_more_sessions_of_a_group(group: Group, key: str) -> None:
    newly_refused(evidence_of(group), policies(key, BASE))


@pytest.mark.parametrize("key", THRESHOLDS)
def test_a_stricter_threshold_accepts_no_more_sessions_of_the_scenarios(key: str) -> None:
    """They stand around the shipped values, so that these are compared with the strict ones."""
    for rule in THRESHOLDS[key][0].split():
        added = [newly_refused(case.evidence, policies(key, case.overrides)[1:]) for case in short_cases(rule)]
        assert rule in {name for refused in added for name, _ in refused}, "no scenario comes near it"


def _pause_between_sittings() -> Evidence:
    return evidence_with(
        session("s1", watched(0, 200)), session("s2", watched(450, 190, 200), opened_s=450, device_id="other")
    )


def _three_failures_and_a_pass() -> Evidence:
    outcomes = [Outcome.FAILED] * 3 + [Outcome.PASSED]
    checks = [
        SimpleNamespace(
            platform_id="p",
            session_id="s1",
            check_id=f"k{number}",
            at_ms=START_MS + 1_000 * number,
            outcome=outcome,
            distance=0.3,
            presented_attack=None,
        )
        for number, outcome in enumerate(outcomes)
    ]
    return evidence_with(session("s1", watched(0, 30)), checks=checks)


def _beats_every_fifty_seconds() -> Evidence:
    return evidence_with(session("s1", [event("play", 0, 0, True), *beats(50, 350, 50, every_s=50)]))


def _play_after_a_step_back() -> Evidence:
    played = [event("heartbeat", at_s, at_s, True) for at_s in (0, 50, 100.9)]
    back = event("seek", 101, 0, False, from_s=100)
    return evidence_with(
        session("s1", [*played, back, event("play", 101.1, 101.5, True), event("heartbeat", 116.1, 116.5, True)])
    )


def _late_opening() -> Evidence:
    return evidence_with(session("s1", watched(150, 30), opened_s=150), session("s2", watched(100, 30), late_s=100))


@pytest.mark.parametrize(
    ("key", "loose", "strict", "rule", "evidence"),
    [
        (GAP, 300, 240, "OG304", _pause_between_sittings()),
        ("liveness.passes_per_session", 1, 2, "OG403", _three_failures_and_a_pass()),
        ("playback.max_silence_s", 60, 30, "OG301", _beats_every_fifty_seconds()),
        ("playback.slack_s", 2, 1, "OG101", _play_after_a_step_back()),
        ("clock.max_lead_s", 60, 10, "OG201", _late_opening()),
    ],
)
def test_a_stricter_value_may_accept_more(key: str, loose: float, strict: float, rule: str, evidence: Evidence) -> None:
    no_faces = ("liveness.min_playing_s=36000",)
    before, after = (
        refused_and_accepted(evidence, load_policy(DEFAULT_POLICY, (*no_faces, f"{key}={value}")))
        for value in (loose, strict)
    )
    assert {said for said, _ in before[0]} == {rule}
    assert after == (set(), set(evidence.sessions.key))
