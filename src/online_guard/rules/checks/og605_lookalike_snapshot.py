"""OG605 lookalike-snapshot 与他人照片相似

查什么 / What it looks for
    合格照片的感知哈希与另一学员更早收到的合格照片相同,或相似行给出的哈希距离不超过 phash_distance;残差证明不同的、以
    及 OG602 已成立的除外。

    A good snapshot's perceptual hash equals that of another learner's received earlier, or a likeness row says a
    distance of at most phash_distance; unless a residual shows two pictures, or OG602 holds.

阈值 / Thresholds
    snapshot.phash_distance, snapshot.same_picture_residual

条款 / Clause
    随机保留的照片与他人相似,可能是代替。由人工复核;位数是工程容差。

    A snapshot like another learner's may be a stand-in. A person decides; the bits are engineering.

证据 / Evidence
    value: 先前的照片
    limit: phash_distance
    count: 此类照片数

    value: the earlier snapshot
    limit: phash_distance
    count: such snapshots

边界 / Boundary
    等于 phash_distance 算;同时收到则两者都点名。

    Equal to phash_distance holds; received together, both are named.

诚实学员 / Honest learner
    同一机房、同一位置、同样背景的两名学员,人像很小时哈希可能相同。

    Two learners in the same seat of the same room before the same wall: with small faces the hashes may agree.

申诉 / Appeal
    审核人员并排看两张照片即可。平台可补算残差:大于 same_picture_residual 即证明是两张。学员可说明在同一教室学习。

    An auditor puts the two side by side. A platform can have the residual measured: more than same_picture_residual
    shows two pictures. Learners can say that they studied in one room.

不应报 / Must stay silent
    残差已证明不同的一对;同一学员的照片;比对视频的帧。

    A pair whose residual shows two pictures; one learner's own snapshots; frames of clips.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.captures import (
    RESIDUAL_NOISE,
    Pairs,
    captures,
    earlier_elsewhere,
    likened,
    same_pictures,
)
from online_guard.terms import Subject
from online_guard.timeline.segments import pairs


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose snapshots look like another learner's."""
    known, snapshots, likenesses = captures(facts), facts.evidence.snapshots, facts.evidence.likenesses
    good = np.flatnonzero(snapshots.good)
    left, right = pairs(snapshots.phash[good].view(np.int64), snapshots.phash[good].view(np.int64))
    close = ~likenesses.other_is_reference & (likenesses.phash_distance <= policy.snapshot.phash_distance)
    near = likened(facts, known, np.flatnonzero(close)).both_ways()
    found = Pairs(np.concatenate((good[left], near.capture)), np.concatenate((good[right], near.other)))
    found = _between_learners(facts, found)
    kept = earlier_elsewhere(known, found) & ~_shown_different(facts, found, policy)
    reusing = same_pictures(facts, known, policy)
    reused = known.session[reusing.capture[earlier_elsewhere(known, reusing)]]
    session = known.session[found.capture]
    kept &= np.isin(session, facts.digest.sittings.session) & ~np.isin(session, reused)
    capture, other = found.capture[kept], found.other[kept]
    order = np.lexsort((other, known.received_ms[other], known.at_ms[capture], known.session[capture]))
    order = order[np.sort(np.unique(capture[order], return_index=True)[1])]
    at_ms = known.at_ms[capture[order]]
    return Findings.of_places(
        known.session[capture[order]],
        value=known.key[other[order]],
        limit=policy.snapshot.phash_distance,
        start_ms=at_ms,
        end_ms=at_ms,
        greatest=False,
    )


def _between_learners(facts: Facts, found: Pairs) -> Pairs:
    """Return the pairs of good snapshots of two learners."""
    snapshots = facts.evidence.snapshots
    size = len(snapshots)
    both = (found.capture >= 0) & (found.capture < size) & (found.other >= 0) & (found.other < size)
    capture, other = found.capture[both], found.other[both]
    learner = facts.learner[snapshots.session]
    kept = snapshots.good[capture] & snapshots.good[other] & (learner[capture] != learner[other])
    return Pairs(capture[kept], other[kept])


def _shown_different(facts: Facts, found: Pairs, policy: Policy) -> np.ndarray:
    """Return for which pairs a likeness row says that the residual is that of two pictures."""
    likenesses = facts.evidence.likenesses
    large = likenesses.residual > policy.snapshot.same_picture_residual + RESIDUAL_NOISE
    rows = np.flatnonzero(large & ~likenesses.other_is_reference)
    apart = likened(facts, captures(facts), rows).both_ways()
    different = set(zip(apart.capture.tolist(), apart.other.tolist(), strict=True))
    return np.array(
        [pair in different for pair in zip(found.capture.tolist(), found.other.tolist(), strict=True)], bool
    )


RULE = Rule("OG605", "lookalike-snapshot", "与他人照片相似", Subject.SESSION, Together.FINGERPRINT, Reads.FACTS, check)
