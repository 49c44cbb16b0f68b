"""Hypothesis strategies: sessions as real and hostile players might send them."""

from __future__ import annotations

from types import SimpleNamespace

from evidence_builder import event, evidence_of, session
from hypothesis import strategies as st

from online_guard.evidence import Evidence

KINDS = ("play", "pause", "seek", "rate", "heartbeat", "ended", "hidden", "visible", "blur", "focus")
POPUPS = ("popup_shown", "popup_answered", "popup_expired")
EDGES = ("player_opened", "player_closed")
STEPS_S = (1.0, 15.0, 15.001, 30.0, 59.999, 60.0, 60.001, 200.0, 0.0)
BACK_S = (-0.5, -3.0, -40.0)
MOVES_S = (0.0, 1.0, -5.0, 2.0, 2.000001, 2.000002, 40.0, -1_000.0)
POPUP_NAMES = ("a", "b", "c")


@st.composite
def messy_events(draw: st.DrawFn, *, forward: bool = False, most: int = 25) -> list[SimpleNamespace]:
    """Return events of one to three players; with `forward`, of clocks that never step back."""
    players = draw(st.sampled_from([("x",), ("x",), ("x", "y"), ("x", "y", "z")]))
    begin_s = draw(st.sampled_from([0.0, 10.0]))
    clock_s, stood_s = dict.fromkeys(players, begin_s), dict.fromkeys(players, 0.0)
    left_s = dict.fromkeys(players, 0.0)
    kinds = st.sampled_from((*KINDS, *KINDS, "play", "seek", "heartbeat", "heartbeat", *POPUPS, *EDGES))
    rows = []
    for _ in range(draw(st.integers(0, most))):
        player, kind = draw(st.sampled_from(players)), draw(kinds)
        step_s = draw(st.sampled_from(STEPS_S if forward else STEPS_S * 2 + BACK_S))
        now_s = clock_s[player] + step_s
        went_s = max(step_s, 0.0) * draw(st.sampled_from((0.0, 1.0, 1.0, 1.0, 1.02, 2.0)))
        place_s = max(0.0, stood_s[player] + went_s + draw(st.sampled_from((0.0, 0.0, 0.0, *MOVES_S))))
        if kind == "play" and draw(st.booleans()):
            place_s = left_s[player]
        from_s = None
        if kind == "seek":
            from_s = draw(st.sampled_from((None, stood_s[player], stood_s[player] + max(step_s, 0.0))))
            left_s[player] = stood_s[player] if from_s is None else from_s
        popup = draw(st.sampled_from(POPUP_NAMES)) if kind in POPUPS else None
        late_s = draw(st.sampled_from((0.5, 0.2, 30.0, -70.0)))
        playing = draw(st.sampled_from((True, True, False)))
        rows.append(event(kind, now_s, place_s, playing, player=player, from_s=from_s, popup=popup, late_s=late_s))
        clock_s[player], stood_s[player] = now_s, place_s
    return rows


@st.composite
def messy_evidence(draw: st.DrawFn, *, forward: bool = False, sessions: int = 3, most: int = 25) -> Evidence:
    """Return one to some sessions of an enrolment, in two lessons, opened at various moments; some have no events."""
    made = [
        session(
            f"s{number}",
            draw(messy_events(forward=forward, most=most)),
            lesson_no=draw(st.sampled_from((1, 1, 2))),
            opened_s=draw(st.sampled_from((0.0, 100.0))),
            late_s=draw(st.sampled_from((0.5, 3.0, -20.0))),
        )
        for number in range(draw(st.integers(1, sessions)))
    ]
    return evidence_of(*made)
