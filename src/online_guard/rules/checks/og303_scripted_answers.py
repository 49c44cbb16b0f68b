"""OG303 scripted-answers 脚本作答

查什么 / What it looks for: 两次以上作答快于 min_reaction_ms;或本会话(或学员本课所有会话合计)不少于 6 次作答,其中至
    少五分之四的反应时间在中位数 ±5% 之内。Answers faster than a person, or as regular as a script's.
条款 / Clause: 21(2) 弹窗管控; 界限为工程容差 limits are engineering tolerances.
证据 / Evidence: value = 中位反应毫秒 median reaction in ms, limit = min_reaction_ms, count = 作答数 answers of the
    session, fast = 过快次数 answers that were too fast, regular_share = 集中比例 share near the median (session or
    lesson).
边界 / Boundary: 等于 min_reaction_ms 不算快;恰好五分之四算 equal to the minimum isn't fast, exactly four fifths
    holds.
不应报 / Must stay silent: 一次碰巧很快的作答 a single quick answer.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Floats, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.segments import group_lasts, group_lengths, group_starts

FEWEST_ANSWERS = 6


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose answers are too fast or too regular, alone or with the lesson's other sessions."""
    answers = facts.digest.answers
    size = len(facts.evidence.sessions)
    count = np.bincount(answers.session, minlength=size)
    fast = np.bincount(answers.session[answers.reaction_ms < policy.popup.min_reaction_ms], minlength=size)
    lesson = facts.lessons.of_session
    own_share, median = _regularity(answers.session, answers.reaction_ms, size)
    pooled, _ = _regularity(lesson[answers.session], answers.reaction_ms, len(facts.lessons))
    share = np.maximum(own_share, pooled[lesson])
    named = np.flatnonzero((count > 0) & ((fast >= 2) | (share >= 0.8)))
    starts = group_starts(answers.session)
    first, last = np.full(size, 0), np.full(size, 0)
    ends = group_lasts(starts, len(answers.session))
    first[answers.session[starts]] = answers.shown_at_ms[starts]
    last[answers.session[starts]] = answers.shown_at_ms[ends] + answers.reaction_ms[ends]
    return Findings.of(
        named,
        value=median[named],
        limit=policy.popup.min_reaction_ms,
        count=count[named],
        fast=fast[named],
        regular_share=np.round(share[named], 6),
        start_ms=first[named],
        end_ms=last[named],
    )


def _regularity(group: Integers, reaction_ms: Integers, groups: int) -> tuple[Floats, Floats]:
    """Return by group the share of reactions within 5 % of their median (0 below six answers), and the median in ms."""
    order = np.lexsort((reaction_ms, group))
    group, reaction = group[order], reaction_ms[order]
    starts = group_starts(group)
    lengths = group_lengths(starts, len(group))
    twice_median = reaction[starts + (lengths - 1) // 2] + reaction[starts + lengths // 2]
    middle = np.repeat(twice_median, lengths)
    near = 20 * np.abs(2 * reaction - middle) <= np.abs(middle)
    close = np.add.reduceat(near.astype(np.int64), starts) if len(starts) else lengths
    share, median = np.zeros(groups), np.zeros(groups)
    share[group[starts]] = np.where(lengths >= FEWEST_ANSWERS, close / np.maximum(lengths, 1), 0)
    median[group[starts]] = twice_median / 2
    return share, median


RULE = Rule("OG303", "scripted-answers", "脚本作答", Subject.SESSION, Together.ENROLMENT, Reads.FACTS, check)
