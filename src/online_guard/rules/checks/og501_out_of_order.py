"""OG501 out-of-order 未按顺序学习

查什么 / What it looks for
    order.kinds 中某课的会话开始播放时,此前同类课程中有一课(按已看部分,不论通过与否)尚未达到 order.min_coverage。

    A session of a lesson of order.kinds starts to play before every earlier lesson of those kinds had been watched to
    order.min_coverage, whether its sessions were accepted or not.

阈值 / Thresholds
    order.kinds, order.min_coverage, windows.overlap_slack_s, playback.max_rate, playback.rate_tolerance,
    playback.slack_s

条款 / Clause
    专业课程学习不按内容先后顺序设置管理的视同培训无效。比例是工程容差。

    Professional lessons have to be studied in order of their content. The share is engineering.

证据 / Evidence
    value: 最早一课未学完的课程当时的覆盖率
    limit: order.min_coverage
    count: 未学完的课数
    lesson_no: 最早未学完的课程编号

    value: coverage of the first unfinished lesson at that moment
    limit: order.min_coverage
    count: unfinished lessons
    lesson_no: number of the first unfinished lesson

边界 / Boundary
    恰好 order.min_coverage 即可;在开始时刻起 overlap_slack_s 内结束的片段也算。

    Exactly order.min_coverage is enough; segments that ended up to overlap_slack_s after the start count.

诚实学员 / Honest learner
    前一课在手机上学完但离线未上报,随即用电脑开始下一课;或误点了后一课,看几秒就退出。

    The lesson before was studied on a phone that was off line, and the next one begun on a computer; or a wrong click
    on a later lesson, left after some seconds.

申诉 / Appeal
    学员可让手机补报(24 小时内),顺序随之成立;误点的短会话被拒不影响重学。平台可出示前一课的完成时间早于证据时刻,或课程
    编号在开班后被调换。

    A learner can bring the phone on line within 24 h, and the order holds; a short session clicked by mistake may
    stay rejected and the lesson be studied again. A platform can show that the lesson before had been finished, or
    that lessons were renumbered.

不应报 / Must stay silent
    重看早先的课程;前一课已看但未被认可;公共课。

    Watching an earlier lesson again; an earlier lesson watched but refused; general lessons.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Flags, Floats, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.coverage import credited_at_ns, credited_ns, reaches, share
from online_guard.timeline.digest import NEVER
from online_guard.timeline.segments import group_starts, pairs, running


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions that begin before the earlier lessons were watched."""
    starts = facts.digest.sittings.starts_ms
    begun = np.flatnonzero(starts != NEVER)
    session, moment = facts.digest.sittings.session[begun], starts[begun]
    slack = milliseconds(policy.windows.overlap_slack_s)
    final, settled = _final(facts, policy), _settled(facts)
    suspect = np.flatnonzero(
        _watched_since(facts, final, settled, policy)[facts.lessons.of_session[session]] > moment + slack
    )
    session, moment = session[suspect], moment[suspect]
    query, lesson_no, opened = _earlier_lessons(facts, session, policy)
    until = moment[query] + slack
    coverage = _coverage_at(facts, opened, until, final, settled, policy)
    missing = np.flatnonzero(~reaches(coverage, policy.order.min_coverage))
    missing = missing[np.lexsort((lesson_no[missing], session[query[missing]]))]
    owner = session[query[missing]]
    at_ms = moment[query[missing]] - facts.offset_ms[owner]
    return Findings.of_places(
        owner,
        value=np.round(coverage[missing], 6),
        limit=policy.order.min_coverage,
        start_ms=at_ms,
        end_ms=at_ms,
        greatest=False,
        lesson_no=lesson_no[missing],
    )


def _ordered(facts: Facts, policy: Policy) -> Flags:
    """Return which lessons of the syllabus are of order.kinds."""
    return np.isin(facts.lessons.planned.kind, list(policy.order.kinds))


def _watched_since(facts: Facts, final: Integers, settled: Integers, policy: Policy) -> Integers:
    """Return for each opened lesson a moment from which every earlier lesson of order.kinds was watched, or later.

    A lesson's own moment is when the last of it was watched, if all of that is enough; else it never comes.
    """
    planned, lessons = facts.lessons.planned, facts.lessons
    moment = np.full(len(planned.lesson_no), NEVER)
    ordered = _ordered(facts, policy)
    moment[ordered] = np.iinfo(np.int64).max
    enough = reaches(share(final, lessons.duration_ns), policy.order.min_coverage)
    row = np.flatnonzero(ordered & (planned.opened >= 0))
    row = row[enough[planned.opened[row]]]
    moment[row] = settled[planned.opened[row]]
    latest = np.full(len(moment), NEVER)
    starts = group_starts(planned.enrolment)
    latest[1:] = running(np.maximum, moment, starts)[:-1]
    latest[starts] = NEVER
    latest[~ordered] = NEVER
    result = np.full(len(lessons), NEVER)
    opened = np.flatnonzero(planned.opened >= 0)
    result[planned.opened[opened]] = latest[opened]
    return result


def _final(facts: Facts, policy: Policy) -> Integers:
    """Return the credited length of each opened lesson by all its sessions, in ns."""
    return credited_ns(facts.lessons, facts.digest, np.ones(len(facts.evidence.sessions), bool), policy)


def _settled(facts: Facts) -> Integers:
    """Return when the last of each opened lesson was watched or played, NEVER if nothing was."""
    of_session, digest = facts.lessons.of_session, facts.digest
    settled = np.full(len(facts.lessons), NEVER)
    np.maximum.at(settled, of_session[digest.watched.session], digest.watched.ended_ms)
    np.maximum.at(settled, of_session[digest.spans.group], digest.spans.end)
    return settled


def _earlier_lessons(facts: Facts, session: Integers, policy: Policy) -> tuple[Integers, Integers, Integers]:
    """Return for each session its earlier lessons of order.kinds: query, lesson number, row if opened (else -1).

    Args:
        facts: Tables of all sessions.
        session: Sessions of lessons of order.kinds.
        policy: Gives order.kinds.
    """
    planned, sessions = facts.lessons.planned, facts.evidence.sessions
    query, row = pairs(sessions.enrolment[session], planned.enrolment)
    earlier = _ordered(facts, policy)[row] & (planned.lesson_no[row] < sessions.lesson_no[session][query])
    query, row = query[earlier], row[earlier]
    return query, planned.lesson_no[row], planned.opened[row]


def _coverage_at(
    facts: Facts, opened: Integers, until: Integers, final: Integers, settled: Integers, policy: Policy
) -> Floats:
    """Return the coverage of lessons as watched at a moment; 0 of one that was never opened.

    Only where a lesson was watched after the moment too is it worked out for that moment: else all of it counts.
    """
    lessons, digest = facts.lessons, facts.digest
    row = np.maximum(opened, 0)
    credit = np.where(opened >= 0, final[row] if len(final) else 0, 0)
    later = np.flatnonzero((opened >= 0) & (settled[row] > until)) if len(settled) else np.zeros(0, np.int64)
    credit[later] = credited_at_ns(lessons, digest, opened[later], until[later], policy)
    whole = lessons.duration_ns[row] if len(lessons) else np.ones(len(row), np.int64)
    return share(credit, whole)


RULE = Rule("OG501", "out-of-order", "未按顺序学习", Subject.SESSION, Together.ENROLMENT, Reads.FACTS, check)
