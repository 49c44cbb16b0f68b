"""OG601 no-snapshot 课时无留存照片

查什么 / What it looks for: 课程由通过的会话达到 min_coverage,但内容按课时数(向上取整)均分后,有一段少于
    per_class_hour 张合格的、由服务端要求的留存照片。A class hour's part of the lesson without a retained snapshot.
条款 / Clause: 21(2) 每课时无随机保留影像照片.
证据 / Evidence: value = 最少一段的照片数 snapshots in the poorest part, limit = per_class_hour, count = 不足的段数
    parts that fall short, parts = 段数 number of parts.
边界 / Boundary: 恰在分界处的属于后一段 a position on a cut belongs to the later part.
不应报 / Must stay silent: 重学的会话各自计算 sessions of any day count. 学员拒绝人脸比对时改为人工复核 with face
    checks declined it is a review.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.coverage import SHARE_TOLERANCE, credited_ns, reaches, share
from online_guard.timeline.segments import TOLERANCE_NS


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the covered lessons with a part that holds too few snapshots."""
    lessons = facts.lessons
    parts = np.ceil(lessons.class_hours - SHARE_TOLERANCE).astype(np.int64)
    first = np.cumsum(parts) - parts
    held = np.bincount(_parts_held(facts, parts, first), minlength=int(parts.sum()))
    owner = np.repeat(np.arange(len(lessons)), parts)
    poor = np.bincount(owner[held < policy.snapshot.per_class_hour], minlength=len(lessons))
    fewest = np.full(len(lessons), len(facts.evidence.snapshots))
    np.minimum.at(fewest, owner, held)
    covered = share(credited_ns(lessons, facts.digest, facts.accepted, policy), lessons.duration_ns)
    named = np.flatnonzero(reaches(covered, policy.hours.min_coverage) & (poor > 0))
    return Findings.of(
        named, value=fewest[named], limit=policy.snapshot.per_class_hour, count=poor[named], parts=parts[named]
    )


def _parts_held(facts: Facts, parts: Integers, first: Integers) -> Integers:
    """Return the number (over all lessons) of the part in which each snapshot that counts lies."""
    snapshots, places = facts.evidence.snapshots, facts.digest.places
    row = places.snapshot
    session = snapshots.session[row]
    counts = snapshots.good[row] & snapshots.asked[row] & facts.accepted[session] & (places.place_ns >= 0)
    counts &= parts[facts.lessons.of_session[session]] > 0
    lesson = facts.lessons.of_session[session[counts]]
    duration = facts.lessons.duration_ns[lesson]
    part = (places.place_ns[counts] + TOLERANCE_NS) * parts[lesson] // np.maximum(duration, 1)
    return np.asarray(first[lesson] + np.minimum(part, parts[lesson] - 1))


RULE = Rule("OG601", "no-snapshot", "课时无留存照片", Subject.LESSON, Together.ENROLMENT, Reads.VERDICTS, check)
