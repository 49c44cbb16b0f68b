"""Hidden and unfocused stretches."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_builder import beats, event, evidence_of, session
from hypothesis import given
from messy_sessions import messy_evidence
from plain_reading import observed, read, stretches, until

from online_guard.evidence import Evidence
from online_guard.policy import Policy
from online_guard.timeline import visibility
from online_guard.timeline.digest import View, view
from online_guard.timeline.visibility import Stretches


def found_in(seen: View, stretches: Stretches, place: int) -> list[tuple[int, int, int]]:
    timeline = seen.timeline
    return sorted(
        (int(timeline.seq[begin]), int(timeline.seq[end]), int(played))
        for begin, end, played in zip(stretches.begin, stretches.end, stretches.played_ms, strict=True)
        if timeline.rows[timeline.session[begin]] == place
    )


@given(evidence=messy_evidence())
def test_hidden_stretches_are_what_a_plain_reading_says(policy: Policy, evidence: Evidence) -> None:
    seen = view(evidence, policy)
    hidden = visibility.hidden(seen.timeline, seen.clocks)
    for place in np.unique(evidence.events.session).tolist():
        rows = read(evidence, place)
        expected = []
        for begin, end in stretches(rows, "hidden", "visible"):
            own = observed(rows, begin.player)
            expected.append((begin.seq, end.seq, until(own, end.at_ms) - until(own, begin.at_ms)))
        assert found_in(seen, hidden, place) == sorted(expected)


@given(evidence=messy_evidence(forward=True))
def test_unfocused_stretches_leave_hidden_time_out(policy: Policy, evidence: Evidence) -> None:
    seen = view(evidence, policy)
    unfocused = visibility.unfocused(seen.timeline, seen.clocks)
    for place in np.unique(evidence.events.session).tolist():
        rows = read(evidence, place)
        dark = stretches(rows, "hidden", "visible")
        expected = []
        for begin, end in stretches(rows, "blur", "focus"):
            own = observed(rows, begin.player)
            away = [(a.at_ms, b.at_ms) for a, b in dark if a.player == begin.player]
            visible = sum(
                until(own, min(stop, end.at_ms)) - until(own, max(start, begin.at_ms))
                for start, stop in _between(away, begin.at_ms, end.at_ms)
            )
            expected.append((begin.seq, end.seq, visible))
        assert found_in(seen, unfocused, place) == sorted(expected)


def _between(away: list[tuple[int, int]], begin: int, end: int) -> list[tuple[int, int]]:
    """Return what is left of [begin, end] outside the stretches, which don't overlap and are sorted."""
    edges = [begin]
    for start, stop in away:
        edges += [min(max(start, begin), end), min(max(stop, begin), end)]
    edges.append(end)
    return [(edges[n], edges[n + 1]) for n in range(0, len(edges), 2)]


@pytest.mark.parametrize("closing", ["visible", "player_closed", "player_opened"])
def test_a_stretch_ends_with_the_player_visible_closed_or_opened(policy: Policy, closing: str) -> None:
    rows = [*beats(0, 15, 0), event("hidden", 20, 20, True), event("hidden", 25, 25, True)]
    rows += [*beats(30, 45, 30), event(closing, 50, 50, True), *beats(60, 90, 60)]
    seen = view(evidence_of(session("s1", rows)), policy)
    found = visibility.hidden(seen.timeline, seen.clocks)
    assert (found.begin.tolist(), found.end.tolist(), found.played_ms.tolist()) == ([2], [6], [30_000])


def test_a_stretch_without_an_end_lasts_to_the_last_event_of_the_player(policy: Policy) -> None:
    rows = [event("hidden", 0, 0, True, player="x"), *beats(10, 25, 10, player="x")]
    rows += [event("visible", 30, 0, False, player="y"), event("hidden", 40, 0, False, player="y")]
    seen = view(evidence_of(session("s1", rows)), policy)
    found = visibility.hidden(seen.timeline, seen.clocks)
    assert found.played_ms.tolist() == [25_000, 0]
    assert found.end.tolist() == [2, 4]


def test_nothing_hidden(policy: Policy) -> None:
    seen = view(evidence_of(session("s1", beats(0, 60, 0))), policy)
    assert len(visibility.hidden(seen.timeline, seen.clocks).track) == 0
    assert len(visibility.unfocused(seen.timeline, seen.clocks).track) == 0
