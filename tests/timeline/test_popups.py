"""Which pop-up controls, and what became of each showing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from evidence_builder import beats, event, evidence_of, session
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import read, showings

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.timeline.digest import view
from online_guard.timeline.popups import Showings


def shown(at_s: float, popup: str, **marks: object) -> SimpleNamespace:
    return event("popup_shown", at_s, at_s, True, popup=popup, **marks)


def answered(at_s: float, popup: str, **marks: object) -> SimpleNamespace:
    return event("popup_answered", at_s, at_s, True, popup=popup, **marks)


def expired(at_s: float, popup: str) -> SimpleNamespace:
    return event("popup_expired", at_s, at_s, True, popup=popup)


def showings_of(policy: Policy, *popups: SimpleNamespace, end_s: float = 300) -> Showings:
    """Return the showings of a player that plays from 0 to `end_s`, with pop-ups between its beats."""
    rows = sorted([*beats(0, end_s, 0), *popups], key=lambda row: row.at_ms)
    return view(evidence_of(session("s1", rows)), policy).showings


@given(evidence=messy_evidence())
def test_every_showing_is_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    seen = view(evidence, policy)
    place = seen.timeline.rows[seen.showings.session]
    for number in np.unique(evidence.events.session).tolist():
        expected = showings(read(evidence, number))
        here = np.flatnonzero(place == number)
        found = seen.showings
        assert seen.timeline.seq[found.shown[here]].tolist() == [one.shown.seq for one in expected]
        answers = [int(seen.timeline.seq[row]) if row >= 0 else None for row in found.answer[here]]
        assert answers == [one.answer.seq if one.answer else None for one in expected]
        assert found.answered[here].tolist() == [one.answer is not None for one in expected]
        assert found.waited_ms[here].tolist() == [one.waited for one in expected]
        reactions = [one.answer.at_ms - one.shown.at_ms if one.answer else 0 for one in expected]
        assert found.reaction_ms[here].tolist() == reactions
        assert found.controls[here].tolist() == [one.controls for one in expected]


@pytest.mark.parametrize(("after_s", "controls"), [(60, True), (60.001, False)])
def test_an_answer_within_a_minute_of_playing_controls(policy: Policy, after_s: float, controls: bool) -> None:
    found = showings_of(policy, shown(40, "a"), answered(40 + after_s, "a"))
    assert (found.controls.tolist(), found.waited_ms.tolist()) == ([controls], [round(after_s * 1000)])
    assert found.reaction_ms.tolist() == [round(after_s * 1000)]


def test_time_in_a_pause_does_not_count(policy: Policy) -> None:
    rows = [*beats(0, 30, 0), event("pause", 40, 40, False), event("popup_shown", 41, 40, False, popup="a")]
    rows.append(event("popup_answered", 2_000, 40, False, popup="a"))
    found = view(evidence_of(session("s1", rows)), policy).showings
    assert (found.controls.tolist(), found.waited_ms.tolist()) == ([True], [0])


def test_an_answer_after_the_expiry_is_none(policy: Policy) -> None:
    found = showings_of(
        policy, shown(10, "a"), expired(40, "a"), answered(41, "a"), shown(100, "b"), answered(101, "b")
    )
    assert found.answered.tolist() == [False, True]
    assert found.waited_ms.tolist() == [30_000, 1_000]
    assert found.controls.tolist() == [False, True]


def test_a_second_showing_takes_the_answer(policy: Policy) -> None:
    found = showings_of(policy, shown(10, "a"), shown(40, "a"), answered(41, "a"))
    assert found.answered.tolist() == [False, True]
    assert found.waited_ms.tolist() == [30_000, 1_000]


def test_only_the_first_answer_counts(policy: Policy) -> None:
    found = showings_of(policy, shown(10, "a"), answered(12, "a"), answered(14, "a"))
    assert found.waited_ms.tolist() == [2_000]


def test_an_answer_before_the_showing_is_none(policy: Policy) -> None:
    found = showings_of(policy, answered(9, "a"), shown(10, "a"))
    assert found.answered.tolist() == [False]


def test_another_player_may_answer(policy: Policy) -> None:
    rows = [*beats(0, 60, 0, player="x"), event("popup_shown", 61, 61, True, popup="a", player="x")]
    rows.append(event("popup_answered", 65, 0, False, popup="a", player="y"))
    found = view(evidence_of(session("s1", rows)), policy).showings
    assert found.answered.tolist() == [True]
    assert found.controls.tolist() == [True]


@pytest.mark.parametrize(("end_s", "controls"), [(300, True), (300.001, False)])
def test_the_last_showing_controls_unanswered_if_the_session_ends_within_a_minute(
    policy: Policy, end_s: float, controls: bool
) -> None:
    rows = [shown(100, "a"), answered(101, "a"), shown(240, "b"), event("heartbeat", end_s, end_s, True)]
    assert showings_of(policy, *rows, end_s=285).controls.tolist() == [True, controls]


@pytest.mark.parametrize(
    "rows",
    [
        [shown(280, "b")],
        [shown(100, "a"), shown(280, "b")],
        [shown(280, "b"), shown(281, "c"), answered(282, "c")],
    ],
    ids=["the only one", "no earlier one was answered", "a later one was answered"],
)
def test_an_unanswered_showing_does_not_control_otherwise(policy: Policy, rows: list[SimpleNamespace]) -> None:
    assert not showings_of(policy, *rows).controls[[row.popup for row in rows if row.type == "popup_shown"].index("b")]


def test_an_earlier_answer_may_have_come_too_late_to_control(policy: Policy) -> None:
    found = showings_of(policy, shown(100, "a"), answered(200, "a"), shown(280, "b"))
    assert found.controls.tolist() == [False, True]


def test_the_last_showing_may_expire_and_still_control(policy: Policy) -> None:
    found = showings_of(policy, shown(100, "a"), answered(101, "a"), shown(260, "b"), expired(290, "b"))
    assert found.controls.tolist() == [True, True]


def test_showings_of_sessions_do_not_mix(policy: Policy) -> None:
    evidence = evidence_of(
        session("s1", [*beats(0, 15, 0), shown(20, "a")]),
        session("s2", [answered(21, "a"), *beats(30, 45, 0)]),
    )
    assert view(evidence, policy).showings.answered.tolist() == [False]


def test_no_popups(policy: Policy) -> None:
    assert len(showings_of(policy).session) == 0
