"""OG305 pop-up-not-shown 弹窗未显示

查什么 / What it looks for: 服务端按时下达的弹窗,播放时长越过应显示时刻 answer_timeout_s 以上,却没有显示,附近也没有
    其他弹窗起作用。A pop-up directed in time was never shown, and no other controls around its moment.
条款 / Clause: 21(2) 弹窗管控.
证据 / Evidence: value = 越过的秒数 how far the clock went past it, limit = answer_timeout_s, count = 弹窗数 pop-ups
    not shown, directive = 第一个 the first.
边界 / Boundary: 恰好 answer_timeout_s 不算 equal to the timeout passes.
不应报 / Must stay silent: 下达太晚(离线播放)的弹窗 a directive issued too late, such as to an off-line player.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Evidence, Flags, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Findings, Reads, Rule, Together, seconds
from online_guard.terms import EventType, Subject
from online_guard.timeline.clocks import moment_of
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.digest import View
from online_guard.timeline.segments import pairs


def check(view: View, evidence: Evidence, policy: Policy) -> Findings:
    """Return the sessions that went past a directed pop-up without showing it or another."""
    timeline, clocks, directives = view.timeline, view.clocks, evidence.directives
    timeout = milliseconds(policy.popup.answer_timeout_s)
    row = np.flatnonzero((directives.kind == "popup") & np.isin(directives.session, timeline.rows))
    local = np.searchsorted(timeline.rows, directives.session[row])
    due = directives.due_playing_ms[row]
    passed = clocks.playing_ms[local] - due
    row, local, due, passed = (column[passed > timeout] for column in (row, local, due, passed))
    moment = moment_of(clocks, local, due)
    in_time = directives.issued_ms[row] < moment + clocks.offset_ms[local]
    missing = in_time & ~_shown(view, evidence, row, local) & ~_controlled(view, local, due, policy)
    place = np.flatnonzero(missing)
    place = place[np.lexsort((due[place], local[place]))]
    without = timeline.sessions - len(np.intersect1d(directives.session, timeline.rows))
    found = Findings.of_places(
        timeline.rows[local[place]],
        value=seconds(passed[place]),
        limit=policy.popup.answer_timeout_s,
        start_ms=moment[place],
        end_ms=moment[place],
        directive=directives.directive_id[row[place]],
    )
    return found.skipping({"no directives": without} if without else {})


def _shown(view: View, evidence: Evidence, row: Integers, local: Integers) -> Flags:
    """Return which directives some `popup_shown` of their session names."""
    timeline, names = view.timeline, evidence.events.popup_names
    if not len(row):
        return np.zeros(0, bool)
    shown = np.flatnonzero(timeline.is_type(EventType.POPUP_SHOWN))
    said = set(zip(timeline.session[shown].tolist(), names[timeline.popup[shown]].tolist(), strict=True))
    asked = zip(local.tolist(), evidence.directives.directive_id[row].tolist(), strict=True)
    return np.array([pair in said for pair in asked], bool)


def _controlled(view: View, local: Integers, due: Integers, policy: Policy) -> Flags:
    """Return around which moments another pop-up controls: max_gap_s before to answer_timeout_s after."""
    showings = view.showings
    controls = np.flatnonzero(showings.controls)
    query, control = pairs(local, showings.session[controls])
    clock = showings.shown_clock_ms[controls[control]]
    near = (clock >= due[query] - milliseconds(policy.popup.max_gap_s)) & (
        clock <= due[query] + milliseconds(policy.popup.answer_timeout_s)
    )
    result = np.zeros(len(local), bool)
    result[query[near]] = True
    return result


RULE = Rule("OG305", "pop-up-not-shown", "弹窗未显示", Subject.SESSION, Together.SESSION, Reads.VIEW, check)
