"""OG303 scripted-answers 脚本作答

查什么 / What it looks for
    两次以上作答快于 min_reaction_ms;或本会话(或学员本课所有会话合计)不少于 6 次作答,其中至少五分之四的反应时间在中位
    数 ±5 % 之内。

    Two or more answers faster than min_reaction_ms; or, of the session or of all sessions of the enrolment in the
    lesson, six or more answers of which at least four fifths lie within 5 % of their median.

阈值 / Thresholds
    popup.min_reaction_ms

条款 / Clause
    脚本代答使弹窗管控落空。界限是工程容差,由人工复核。

    A script that answers defeats the pop-ups. The limits are engineering, and a person decides.

证据 / Evidence
    value: 本会话作答的中位反应毫秒
    limit: min_reaction_ms
    count: 本会话的作答数
    fast: 过快的作答数
    regular_share: 接近中位数的比例(会话与全课中较大者)

    value: median reaction of the session in ms
    limit: min_reaction_ms
    count: answers of the session
    fast: answers that were too fast
    regular_share: share near the median (of session or lesson, the greater)

边界 / Boundary
    恰好 min_reaction_ms 不算快;恰好五分之四、恰好 5 % 都算;5 次作答不判断规律。

    Exactly min_reaction_ms isn't fast; exactly four fifths and exactly 5 % hold; five answers aren't judged for
    regularity.

诚实学员 / Honest learner
    鼠标停在“继续”按钮处等候的熟练学员可能很快,但不会一再快于 0.3 秒;读屏软件的固定朗读时间会使反应时间整齐。

    A practised learner with the pointer on the button may be quick, but not faster than 0.3 s time and again; a
    screen reader's fixed reading time makes reactions regular.

申诉 / Appeal
    学员可在审核人员面前作答十个弹窗,比较反应时间。使用读屏或自动点击辅助设备的出示设备。平台可说明弹窗有固定的“n 秒
    后可点”:集中于该秒数即由此而来。

    A learner can answer ten pop-ups before an auditor to compare the times, or show the assistive device. A platform
    can show that its button works only after n seconds: reactions that crowd there come from that.

不应报 / Must stay silent
    一次碰巧很快的作答;分散的人的反应。

    A single quick answer; a person's scattered reactions.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Floats, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.segments import group_lasts, group_lengths, group_starts, sorted_within

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
    order = np.argsort(group, kind="stable")
    group = group[order]
    starts = group_starts(group)
    reaction = sorted_within(reaction_ms[order], starts)
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
