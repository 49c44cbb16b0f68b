"""Pop-ups: what became of each showing, and which of them control (SPEC OG301, OG302)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from online_guard.evidence import Flags, Integers
from online_guard.policy.pack import Policy
from online_guard.terms import EventType
from online_guard.timeline.clocks import Clocks
from online_guard.timeline.columns import ABSENT, Timeline, milliseconds


@dataclass(frozen=True)
class Showings:
    """One row for each `popup_shown`, in (session, seq) order.

    session: local number. shown, answer: rows of the events, answer ABSENT if nobody answered. shown_clock_ms: the
    session's playing clock at the showing. waited_ms: how far that clock moved to the answer, else to the expiry or
    next showing of the id, else to the session's end. reaction_ms: client clock from showing to answer, 0 without.
    controls: whether this pop-up controls.
    """

    session: Integers
    shown: Integers
    answer: Integers
    shown_clock_ms: Integers
    waited_ms: Integers
    reaction_ms: Integers
    controls: Flags

    @property
    def answered(self) -> Flags:
        """Return which showings were answered."""
        return np.asarray(self.answer != ABSENT)


def read(timeline: Timeline, clocks: Clocks, policy: Policy) -> Showings:
    """Return the showings of a timeline; `popup.answer_timeout_s` bounds how long an answer may take."""
    kinds = timeline.is_type(EventType.POPUP_SHOWN, EventType.POPUP_ANSWERED, EventType.POPUP_EXPIRED)
    rows = np.flatnonzero(kinds)
    rows = rows[np.lexsort((rows, timeline.popup[rows], timeline.session[rows]))]
    follower = np.full(len(rows), ABSENT)
    same = (timeline.session[rows[1:]] == timeline.session[rows[:-1]]) & (
        timeline.popup[rows[1:]] == timeline.popup[rows[:-1]]
    )
    follower[:-1][same] = rows[1:][same]
    is_shown = timeline.type[rows] == EventType.POPUP_SHOWN.code
    shown, follower = rows[is_shown], follower[is_shown]
    order = np.argsort(shown)
    shown, follower = shown[order], follower[order]
    session = timeline.session[shown]
    after = np.maximum(follower, 0)
    answered = (follower != ABSENT) & (timeline.type[after] == EventType.POPUP_ANSWERED.code)
    clock = clocks.at_event_ms
    until = np.where(follower == ABSENT, clocks.playing_ms[session], clock[after])
    waited = until - clock[shown]
    in_time = waited <= milliseconds(policy.popup.answer_timeout_s)
    is_last = np.append(session[1:] != session[:-1], True)[: len(session)]
    first_answer = np.full(timeline.sessions, len(shown))
    np.minimum.at(first_answer, session[answered], np.flatnonzero(answered))
    to_end = clocks.playing_ms[session] - clock[shown]
    left_open = (
        ~answered
        & is_last
        & (first_answer[session] < np.arange(len(shown)))
        & (to_end <= milliseconds(policy.popup.answer_timeout_s))
    )
    return Showings(
        session=session,
        shown=shown,
        answer=np.where(answered, follower, ABSENT),
        shown_clock_ms=clock[shown],
        waited_ms=waited,
        reaction_ms=np.where(answered, timeline.at_ms[after] - timeline.at_ms[shown], 0),
        controls=(answered & in_time) | left_open,
    )
