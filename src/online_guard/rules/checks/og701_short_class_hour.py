"""OG701 short-class-hour 课时不足

查什么 / What it looks for
    课程内容少于 class_hours × class_hour_s − tolerance_s:该课不得学时。

    A lesson has less content than class_hours × class_hour_s − tolerance_s: it earns nothing.

阈值 / Thresholds
    hours.class_hour_s, hours.tolerance_s

条款 / Clause
    每课时不低于 40 分钟。tolerance_s 是工程容差。

    A class hour has at least 40 minutes. tolerance_s is engineering.

证据 / Evidence
    value: 最多短缺的秒数
    limit: tolerance_s
    count: 课数
    lessons: 这些课的编号

    value: greatest shortfall in seconds
    limit: tolerance_s
    count: number of lessons
    lessons: their numbers

边界 / Boundary
    恰好短缺 tolerance_s 不算。一个班的全部此类课程合为一条疑点。

    A shortfall of exactly tolerance_s passes. One finding names all such lessons of a class.

诚实学员 / Honest learner
    学员无从触发:登记的课时数是机构填的。片头片尾不计入时长而机构按 45 分钟申报时,全班受累。

    No learner can trigger it: the institution declares class hours. A file trimmed of its opening titles, declared as
    before, costs the whole class.

申诉 / Appeal
    机构可出示视频文件的真实时长,更正登记的 duration_s(有会话之前),或把 class_hours 减到实际。学员在更正后即得学时,无
    须重学。

    An institution can show the true length of the file and correct `duration_s` before sessions exist, or lower
    class_hours. After that learners earn their hours without studying again.

不应报 / Must stay silent
    更长的课程;0 课时的附加内容。

    Longer lessons; further content of 0 class hours.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject

NOISE_S = 1e-6


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the classes with lessons that are too short; one finding names all of a class."""
    hour, tolerance = policy.hours.class_hour_s, policy.hours.tolerance_s
    missing = [
        [(x.class_hours * hour - x.duration_s, x.lesson_no) for x in training_class.lessons]
        for training_class in facts.evidence.classes
    ]
    short = [[pair for pair in pairs if pair[0] - tolerance > NOISE_S] for pairs in missing]
    row = np.array([number for number, pairs in enumerate(short) if pairs], np.int64)
    return Findings.of(
        row,
        value=[round(max(shortfall for shortfall, _ in short[number]), 3) for number in row],
        limit=tolerance,
        count=[len(short[number]) for number in row],
        lessons=[sorted(lesson_no for _, lesson_no in short[number]) for number in row],
    )


RULE = Rule("OG701", "short-class-hour", "课时不足", Subject.CLASS, Together.CLASS, Reads.VERDICTS, check)
