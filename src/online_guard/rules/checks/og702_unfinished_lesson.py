"""OG702 unfinished-lesson 课程未学完

查什么 / What it looks for
    课程已打开(有会话),其通过和待复核会话合计的覆盖率低于 min_coverage。

    The lesson was opened, and its accepted and held sessions together cover less than min_coverage of it.

阈值 / Thresholds
    hours.min_coverage, playback.max_rate, playback.rate_tolerance, playback.slack_s

条款 / Clause
    完成规定课程才计入培训到课率。比例是工程容差;覆盖按已看内容的并集计算,并以播放时长为限。

    Only finished lessons count. The share is engineering; coverage is the union of what was watched, and no more than
    the playing clocks allow.

证据 / Evidence
    value: 覆盖率
    limit: min_coverage
    count: 1
    seconds_s: 计入的秒数

    value: coverage
    limit: min_coverage
    count: 1
    seconds_s: credited seconds

边界 / Boundary
    恰好 min_coverage 已足。被拒会话的内容不计,因此常随其他疑点出现。

    Exactly min_coverage is enough. What rejected sessions watched doesn't count, so it often follows other findings.

诚实学员 / Honest learner
    看到一半忘了继续;片尾字幕没看;或断网时段的心跳从未补报,内容看过而无记录。

    Stopping half-way and forgetting; leaving during the closing titles; or watching while the heartbeats were lost.

申诉 / Appeal
    学员最快的办法是补看缺的部分:覆盖率跨会话累计。平台可补报离线事件,或出示媒体取片记录请审核人员驳回;驳回后有通过且
    有播放的会话即得学时。

    The quickest is to watch what is missing: coverage adds up over sessions. A platform can deliver off-line events,
    or show the media requests for a dismissal; dismissed, the lesson earns its hours if an accepted session played.

不应报 / Must stay silent
    待复核的会话已覆盖的课程;从未打开的课程。

    A lesson covered by sessions that wait for a decision; a lesson never opened.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together, seconds_ns
from online_guard.terms import Subject
from online_guard.timeline.coverage import credited_ns, reaches, share


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the opened lessons that weren't finished."""
    credited = credited_ns(facts.lessons, facts.digest, facts.accepted | facts.held, policy)
    coverage = share(credited, facts.lessons.duration_ns)
    named = np.flatnonzero(~reaches(coverage, policy.hours.min_coverage))
    return Findings.of(
        named,
        value=np.round(coverage[named], 6),
        limit=policy.hours.min_coverage,
        seconds_s=seconds_ns(credited[named]),
    )


RULE = Rule("OG702", "unfinished-lesson", "课程未学完", Subject.LESSON, Together.ENROLMENT, Reads.VERDICTS, check)
