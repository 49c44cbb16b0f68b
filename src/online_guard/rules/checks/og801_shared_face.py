"""OG801 shared-face 两名学员同一张脸

查什么 / What it looks for: 相似行显示照片(或活体视频帧)与另一学员的照片、视频帧或登记照距离不超过
    shared_face_distance:两个报名疑为同一人。Two learners are one person.
条款 / Clause: 三(三) 虚假培训; 由人工复核 a person decides.
证据 / Evidence: value = 最小距离 smallest distance, limit = shared_face_distance, count = 相似行数 likeness rows,
    others = 其他报名 the other enrolments.
边界 / Boundary: 等于 shared_face_distance 算 equal to the limit holds.
不应报 / Must stay silent: 同一学员的多个报名 several enrolments of one learner; 数据包中没有的照片 captures without
    a row.
起 / Since: 0.1
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
