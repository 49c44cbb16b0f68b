"""Broken grammar of a player (OG107)."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_builder import NS, START_MS, beats, event, evidence_of, session, watched
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import SLACK_NS, Row, exceeds, reached, read

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.timeline import grammar, leaps
from online_guard.timeline.columns import build
from online_guard.timeline.grammar import Breaks, EarlyEnds

DURATION_NS = 2_400 * NS


def both(policy: Policy, *events: object) -> tuple[EarlyEnds, Breaks]:
    timeline = build(evidence_of(session("s1", events)), policy)
    return grammar.early_ends(
        timeline, grammar.ends_before_play(timeline), leaps.reached(timeline), policy
    ), grammar.breaks(timeline, policy)


@given(evidence=messy_evidence())
def test_early_ends_are_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    found = grammar.early_ends(timeline, grammar.ends_before_play(timeline), leaps.reached(timeline), policy)
    expected = []
    for local, place in enumerate(timeline.rows.tolist()):
        rows = read(evidence, place)
        for row in rows:
            said = [one for one in rows if one.player == row.player and one.type == "play" and one.seq <= row.seq]
            own = reached(rows, row.at_ms)
            if row.type == "ended" and not said and exceeds(DURATION_NS - own, SLACK_NS):
                expected.append((local, row.at_ms, own))
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


@given(evidence=messy_evidence(most=40))
def test_breaks_are_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    timeline = build(evidence, policy)
    found = grammar.breaks(timeline, policy)
    expected = []
    for local, place in enumerate(timeline.rows.tolist()):
        rows = read(evidence, place)
        expected += [
            (local, row.before.at_ms, row.at_ms) for row in rows if row.before and _moved_while_paused(rows, row)
        ]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def _moved_while_paused(rows: list[Row], row: Row) -> bool:
    before = row.before
    if before is None or before.playing or row.type in ("seek", "player_opened"):
        return False
    own = [one for one in rows if one.player == row.player and one.seq <= before.seq]
    since = max((n for n, one in enumerate(own) if one.type == "player_opened"), default=0)
    return any(one.type == "play" for one in own[since:]) and exceeds(row.position - before.position, SLACK_NS)


@pytest.mark.parametrize(("count", "found"), [(19, 0), (20, 1)])
def test_twenty_playing_heartbeats_without_a_play(policy: Policy, count: int, found: int) -> None:
    _, breaks = both(policy, *beats(0, 15 * (count - 1), 0))
    assert breaks.at_ms.tolist() == breaks.until_ms.tolist() == [START_MS] * found


@pytest.mark.parametrize("place", [0, 10, 19])
def test_a_play_anywhere_makes_heartbeats_right(policy: Policy, place: int) -> None:
    rows = beats(0, 15 * 25, 0)
    rows[place].type = event("play", 0, 0, True).type
    assert len(both(policy, *rows)[1].session) == 0


def test_heartbeats_are_counted_by_player(policy: Policy) -> None:
    rows = sorted(
        [
            *beats(0, 15 * 18, 0, player="x"),
            *beats(1, 1 + 15 * 24, 0, player="y"),
            event("play", 3, 0, True, player="x"),
        ],
        key=lambda row: row.at_ms,
    )
    assert both(policy, *rows)[1].at_ms.tolist() == [START_MS + 1_000]


def test_paused_heartbeats_do_not_count(policy: Policy) -> None:
    assert len(both(policy, *[event("heartbeat", 15 * n, 0, False) for n in range(30)])[1].session) == 0


@pytest.mark.parametrize(("place_s", "found"), [(62, 0), (62.000002, 1)])
def test_a_paused_player_moves_by_slack_at_most(policy: Policy, place_s: float, found: int) -> None:
    _, breaks = both(policy, *watched(0, 60), event("heartbeat", 75, place_s, False))
    assert breaks.until_ms.tolist() == [START_MS + 75_000] * found


def test_a_bookmark_is_restored_before_the_first_play(policy: Policy) -> None:
    rows = [event("player_opened", 0, 0, False), event("pause", 1, 900, False), event("play", 2, 900, True)]
    rows += [event("player_opened", 60, 0, False), event("pause", 61, 900, False)]
    assert len(both(policy, *rows)[1].session) == 0
    assert both(
        policy, *rows, event("play", 62, 900, True), event("pause", 63, 900, False), event("pause", 70, 950, False)
    )[1].at_ms.tolist() == [START_MS + 63_000]


@pytest.mark.parametrize(("reached_s", "found"), [(2_398, 0), (2_397.9, 1)])
def test_ended_before_any_play_unless_the_end_was_reached(policy: Policy, reached_s: float, found: int) -> None:
    rows = [*watched(0, reached_s, player="x"), event("ended", 2_500, 2_400, False, player="y")]
    ends, _ = both(policy, *rows)
    assert ends.reached_ns.tolist() == [round(reached_s * NS)] * found


def test_ended_after_a_play_is_right(policy: Policy) -> None:
    assert len(both(policy, event("play", 0, 0, True), event("ended", 1, 1, False))[0].session) == 0


def test_both_kinds_of_breaks_come_in_the_order_of_their_ends(policy: Policy) -> None:
    rows = [
        *watched(0, 30, player="x"),
        event("heartbeat", 45, 500, False, player="x"),
        *beats(100, 100 + 15 * 25, 0, player="y"),
    ]
    breaks = both(policy, *rows)[1]
    assert breaks.until_ms.tolist() == [START_MS + 45_000, START_MS + 100_000]
    assert np.all(breaks.at_ms <= breaks.until_ms)
