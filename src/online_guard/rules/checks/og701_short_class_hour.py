"""OG701 short-class-hour 课时不足

查什么 / What it looks for: 课程内容少于 class_hours × class_hour_s − tolerance_s:该课不得学时。A lesson has less
    content than the class hours it claims.
条款 / Clause: 21(1) 每课时不低于40分钟.
证据 / Evidence: value = 最短缺的秒数 greatest shortfall in seconds, limit = tolerance_s, count = 课数 number of
    lessons, lessons = 课程编号 their numbers.
边界 / Boundary: 恰好差 tolerance_s 不算 short by exactly tolerance_s passes.
不应报 / Must stay silent: 内容更长的课程 longer lessons.
起 / Since: 0.1
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
