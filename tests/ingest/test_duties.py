"""What a log can't prove of the six controls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from online_guard.evidence import Events
from online_guard.ingest.duties import Facts, six_duties
from online_guard.policy import Policy
from online_guard.terms import EventType

COMPLETE = [
    EventType.PLAY,
    EventType.HEARTBEAT,
    EventType.HIDDEN,
    EventType.VISIBLE,
    EventType.POPUP_SHOWN,
    EventType.POPUP_ANSWERED,
]


def events(kinds: list[EventType], step_ms: int = 1000) -> Events:
    number = len(kinds)
    return Events(
        session=np.zeros(number, np.int64),
        seq=np.arange(number, dtype=np.int32),
        type=np.array([kind.code for kind in kinds], np.int8),
        at_ms=np.arange(number) * step_ms,
        received_ms=np.arange(number) * step_ms,
        position_s=np.zeros(number),
        from_s=np.full(number, np.nan),
        playing=np.ones(number, np.bool_),
        rate=np.ones(number, np.float32),
        player=np.zeros(number, np.int32),
        popup=np.full(number, -1, np.int32),
        player_names=np.array(["p"], object),
    )


def unproven(facts: Facts, policy: Policy) -> set[str]:
    return {duty.duty for duty in six_duties(facts, policy) if not duty.provable}


def complete(policy: Policy) -> Facts:
    facts = Facts(foreign=False, checks=1, snapshots=1)
    facts.count(events(COMPLETE), policy)
    return facts


def test_a_complete_log_can_prove_all_six(policy: Policy) -> None:
    assert unproven(complete(policy), policy) == set()


@pytest.mark.parametrize(
    ("kind", "duty"),
    [
        (EventType.PLAY, "no_fast_forward"),
        (EventType.HEARTBEAT, "no_fast_forward"),
        (EventType.HIDDEN, "one_window"),
        (EventType.VISIBLE, "one_window"),
        (EventType.POPUP_SHOWN, "pop_ups"),
        (EventType.POPUP_ANSWERED, "pop_ups"),
    ],
)
def test_without_one_type_of_event_its_duty_alone_is_open(kind: EventType, duty: str, policy: Policy) -> None:
    facts = Facts(foreign=False, checks=1, snapshots=1)
    facts.count(events([other for other in COMPLETE if other is not kind]), policy)
    assert unproven(facts, policy) == {duty}
    (report,) = [report for report in six_duties(facts, policy) if not report.provable]
    assert f"{kind}" in report.missing[0].send_en
    assert report.missing[0].send_zh


@pytest.mark.parametrize(
    ("change", "duties"),
    [
        ({"checks": 0}, {"liveness"}),
        ({"snapshots": 0}, {"snapshots"}),
        ({"course_derived": True}, {"lesson_order"}),
        ({"foreign": True}, {"no_fast_forward", "one_window"}),
        ({"blind_seeks": 1}, {"no_fast_forward"}),
    ],
)
def test_other_facts(change: dict[str, int], duties: set[str], policy: Policy) -> None:
    assert unproven(replace(complete(policy), **change), policy) == duties


@pytest.mark.parametrize(("step_ms", "silences"), [(60_000, 0), (60_001, 1)])
def test_silence_is_longer_than_the_policys_limit(step_ms: int, silences: int, policy: Policy) -> None:
    facts = Facts(foreign=False)
    facts.count(events([EventType.HEARTBEAT, EventType.HEARTBEAT], step_ms), policy)
    assert (facts.unobserved, facts.heartbeat_ms) == (silences, step_ms)
    closed = Facts(foreign=False)
    closed.count(events([EventType.PLAYER_CLOSED, EventType.PLAY], step_ms), policy)
    assert closed.unobserved == 0


def test_only_a_foreign_log_must_tell_changes_of_the_rate(policy: Policy) -> None:
    for kinds, number in ((COMPLETE, 2), ([*COMPLETE, EventType.RATE], 1)):
        facts = Facts(checks=1, snapshots=1)
        facts.count(events(kinds), policy)
        assert len(six_duties(facts, policy)[0].missing) == number


def test_a_seek_without_its_origin_is_counted(policy: Policy) -> None:
    facts = Facts()
    facts.count(events([EventType.SEEK, EventType.PLAY]), policy)
    assert facts.blind_seeks == 1
