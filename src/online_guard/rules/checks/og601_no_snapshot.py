"""OG601 no-snapshot 课时无留存照片

查什么 / What it looks for
    课程由通过的会话达到 min_coverage,但内容按课时数(向上取整)均分后,有一段少于 per_class_hour 张合格且由服务端要求的
    照片。

    The accepted sessions of a lesson reach min_coverage, and of the equal parts into which its content is cut, one
    for each class hour (rounded up), one holds fewer than per_class_hour good snapshots that the service asked for.

阈值 / Thresholds
    snapshot.per_class_hour, hours.min_coverage, playback.max_rate, playback.rate_tolerance, playback.slack_s

条款 / Clause
    每课时无随机保留影像照片的视同培训无效。拒绝人脸比对的学员改为人工复核。

    A class hour without a retained random snapshot makes the training void. It is a review where the learner declined
    face checks.

证据 / Evidence
    value: 照片最少的一段的张数
    limit: per_class_hour
    count: 不足的段数
    parts: 段数

    value: snapshots in the poorest part
    limit: per_class_hour
    count: parts that fall short
    parts: number of parts

边界 / Boundary
    恰在分界处的照片属于后一段。不计入被拒会话的照片。

    A snapshot on a cut belongs to the later part. Those of rejected sessions don't count.

诚实学员 / Honest learner
    服务端要求时摄像头被会议软件占用,或上传失败后播放器没有重试;后半课恰好断网。

    The camera was taken by a meeting at the moment asked, or a failed upload wasn't tried again; or the line broke in
    the second half.

申诉 / Appeal
    平台可补传确由服务端要求、随机数相符而未送达的原图。学员可只重学缺照片的那一段:服务端会在该段再次要求,一张合格照片
    即足。

    A platform can upload an original that the service asked for and that never arrived, with its nonce. A learner can
    study just that part again: the service asks there once more, and one good snapshot is enough.

不应报 / Must stay silent
    分几天学完的课程:各会话的照片合计;覆盖不足的课程(OG702)。

    A lesson studied over several days, whose snapshots add up; a lesson that isn't covered (OG702).

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.coverage import SHARE_TOLERANCE, reaches, share
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
    covered = share(facts.accepted_study.credited_ns(policy), lessons.duration_ns)
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
