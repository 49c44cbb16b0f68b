"""OG902 predictable-control 管控时刻可预知

查什么 / What it looks for
    一个班不少于 min_controls 个弹窗间隔(播放时长),或同样多的照片时刻中,至少一半落在某个 window_s 的范围内:谁都知道何
    时出现。

    Of min_controls gaps between pop-ups of a class (playing clock), or of as many snapshot moments, at least half lie
    within some window of window_s: anyone can tell when they come.

阈值 / Thresholds
    control.window_s, control.min_controls

条款 / Clause
    影像照片须随机保留。窗口与样本数是工程容差,只作提示。

    Snapshots have to be random. Window and number are engineering; a note.

证据 / Evidence
    value: 落在一个窗口内的最大比例
    limit: 0.5
    count: 可预知的管控数
    controls: 各管控的 [落入, 总数]

    value: greatest share within one window
    limit: 0.5
    count: controls that are predictable
    controls: each of them with [within, all]

边界 / Boundary
    恰好一半算;窗口两端都含;少于 min_controls 个不判断。

    Exactly half holds; both ends of the window are inside; fewer than min_controls aren't judged.

诚实学员 / Honest learner
    学员无从触发。离线的播放器每 4 分 45 秒自行弹窗,多数学员离线时会显得可预知。

    No learner can. Players that are off line show a pop-up of their own every 4 min 45 s: where most learners are off
    line, it looks predictable.

申诉 / Appeal
    提示不影响学时。平台可出示弹窗时刻由服务端抽取的指令;若使用固定间隔,改为随机即可,以后的班次不再出现。

    A note costs no hours. A platform can show that the service drew the moments; where it uses fixed gaps, random
    ones end it for later classes.

不应报 / Must stay silent
    随机的时刻。

    Random moments.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.segments import group_lengths, group_starts, sorted_within
from online_guard.timeline.syllabus import class_of_enrolment


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the classes whose pop-ups or snapshots come when anyone can tell."""
    of_session = class_of_enrolment(facts.evidence)[facts.evidence.sessions.enrolment]
    gaps, places = facts.digest.gaps, facts.digest.places
    moments = {
        "popup": (of_session[gaps.session], gaps.gap_ms),
        "snapshot": (of_session[facts.evidence.snapshots.session[places.snapshot]], places.clock_ms),
    }
    found: dict[int, dict[str, list[int]]] = {}
    for control, (row, moment) in moments.items():
        for number, within, total in _crowds(row, moment, policy):
            found.setdefault(number, {})[control] = [within, total]
    rows = sorted(found)
    return Findings.of(
        np.array(rows, np.int64),
        value=[max(within / total for within, total in found[row].values()) for row in rows],
        limit=0.5,
        count=[len(found[row]) for row in rows],
        controls=[found[row] for row in rows],
    )


def _crowds(group: Integers, moment_ms: Integers, policy: Policy) -> list[tuple[int, int, int]]:
    """Return group, number within the fullest window, and number in all, of the groups that are predictable."""
    order = np.argsort(group, kind="stable")
    group = group[order]
    starts = group_starts(group)
    moment = sorted_within(moment_ms[order], starts)
    result = []
    for start, total in zip(starts.tolist(), group_lengths(starts, len(group)).tolist(), strict=True):
        own = moment[start : start + total]
        reach = np.searchsorted(own, own + milliseconds(policy.control.window_s), "right") - np.arange(total)
        within = int(reach.max())
        if total >= policy.control.min_controls and 2 * within >= total:
            result.append((int(group[start]), within, total))
    return result


RULE = Rule("OG902", "predictable-control", "管控时刻可预知", Subject.CLASS, Together.CLASS, Reads.VERDICTS, check)
