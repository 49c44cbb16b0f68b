"""OG801 shared-face 两名学员同一张脸

查什么 / What it looks for
    照片或活体视频帧与另一学员的照片、视频帧或登记照距离不超过 shared_face_distance:两个报名疑为同一人。

    A snapshot or a frame of a clip lies within shared_face_distance of another learner's snapshot, frame or
    reference: the two enrolments may be one person.

阈值 / Thresholds
    liveness.shared_face_distance

条款 / Clause
    一人顶替多人属虚假培训。由人工复核;距离的界限是工程容差。

    One person for several is sham training. A person decides; the distance is engineering.

证据 / Evidence
    value: 最小的距离
    limit: shared_face_distance
    count: 相似行数
    others: 其他报名

    value: smallest distance
    limit: shared_face_distance
    count: likeness rows
    others: the other enrolments

边界 / Boundary
    等于 shared_face_distance 算(浮点误差 10⁻⁶)。两边的报名都点名。

    Equal to shared_face_distance holds (within 10⁻⁶). The enrolments on both sides are named.

诚实学员 / Honest learner
    双胞胎、相貌相近的亲属同报一班;家人走进镜头,正好也是学员。

    Twins or close relatives in one class; a relative who walks into the picture and is a learner too.

申诉 / Appeal
    两名学员持身份证件同时到场即可驳回。平台可出示两人的活体比对视频。同一人重复报名的,机构应合并报名。

    Both learners come together with their identity cards: that settles it. A platform can show the liveness clips of
    both. Where one person enrolled twice, the institution merges the enrolments.

不应报 / Must stay silent
    同一学员的多个报名;数据包中没有的照片。

    Several enrolments of one learner; captures without a row in the bundle.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.captures import OUTSIDE, captures
from online_guard.rules.identity import DISTANCE_NOISE
from online_guard.terms import Subject
from online_guard.timeline.segments import group_lengths, group_starts


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the enrolments whose faces are too close to another learner's."""
    evidence, likenesses = facts.evidence, facts.evidence.likenesses
    rows = np.flatnonzero(likenesses.distance <= policy.liveness.shared_face_distance + DISTANCE_NOISE)
    mine, theirs = _enrolments(facts, rows)
    known = (mine != OUTSIDE) & (theirs != OUTSIDE)
    learner = np.array([e.learner_id for e in evidence.enrolments], object)
    known[known] = learner[mine[known]] != learner[theirs[known]]
    named = np.concatenate((mine[known], theirs[known]))
    other = np.concatenate((theirs[known], mine[known]))
    distance = np.concatenate((likenesses.distance[rows[known]],) * 2)
    order = np.lexsort((distance, named))
    named, other, distance = named[order], other[order], distance[order]
    starts = group_starts(named)
    names = [evidence.enrolments[row].enrolment_id for row in other]
    ends = np.append(starts[1:], len(named))
    return Findings.of(
        named[starts],
        value=np.round(distance[starts], 6),
        limit=policy.liveness.shared_face_distance,
        count=group_lengths(starts, len(named)),
        others=[sorted(set(names[first:last])) for first, last in zip(starts, ends, strict=False)],
    )


def _enrolments(facts: Facts, rows: Integers) -> tuple[Integers, Integers]:
    """Return the enrolments on both sides of likeness rows, OUTSIDE where the bundle doesn't know them."""
    evidence, likenesses, known = facts.evidence, facts.evidence.likenesses, captures(facts)
    owner = np.append(evidence.sessions.enrolment[known.session], OUTSIDE)
    enrolments = {e.enrolment_id: row for row, e in enumerate(evidence.enrolments)}
    of_reference = np.array([enrolments.get(name, OUTSIDE) for name in likenesses.other_id[rows]], np.int64)
    of_capture = owner[known.row_of(likenesses.other_id[rows])]
    theirs = np.where(likenesses.other_is_reference[rows], of_reference, of_capture)
    return owner[known.row_of(likenesses.capture[rows])], theirs


RULE = Rule("OG801", "shared-face", "两名学员同一张脸", Subject.ENROLMENT, Together.FINGERPRINT, Reads.FACTS, check)
