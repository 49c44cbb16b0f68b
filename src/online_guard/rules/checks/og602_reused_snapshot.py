"""OG602 reused-snapshot 重复使用照片

查什么 / What it looks for
    合格照片或活体视频帧,与另一会话(不论何人)更早收到的为同一张:SHA-256 相同,或对齐后残差不超过
    same_picture_residual。

    A good snapshot or a frame of a clip is the same picture as one of another session, whoever's, that was received
    earlier: equal SHA-256, or a residual after alignment of at most same_picture_residual.

阈值 / Thresholds
    snapshot.same_picture_residual

条款 / Clause
    重复使用的照片不是此刻随机保留的。残差界限是测量所得的工程容差。

    A picture used again wasn't taken at that random moment. The residual's limit is engineering, measured.

证据 / Evidence
    value: 先前的照片;数据包外的写作 –
    limit: same_picture_residual
    count: 被重复使用的张数

    value: the earlier capture; – for one outside the bundle
    limit: same_picture_residual
    count: captures used again

边界 / Boundary
    残差恰好等于界限算;同时收到则两者都点名;数据包之外的视为更早。

    A residual equal to the limit holds; received at the same moment, both are named; one outside the bundle is
    earlier.

诚实学员 / Honest learner
    平台程序出错,把同一张照片附到相邻两个会话;学员并不知情。真实拍摄的两张残差不小于 0.054。

    A platform's error attaches one picture to two neighbouring sessions, unknown to the learner. Two pictures truly
    taken differ by a residual of 0.054 or more.

申诉 / Appeal
    平台可出示两次拍摄的原始文件及其摄像头时间。照片先被他人使用的学员可出示自己的拍摄记录:先收到的不算是本规则的前提,
    接收时间有误即应驳回。

    A platform can show both originals with the camera's times. A learner whose picture someone else uploaded first
    can show when it was taken: the rule rests on the times of receipt, and a wrong one is a reason to dismiss.

不应报 / Must stay silent
    被盗用照片的本人(更早收到);不合格的照片,如黑屏;同一会话内的重复(OG604)。

    The owner of a stolen picture, received earlier; captures that aren't good, such as black frames; repeats within a
    session (OG604).

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.captures import captures, earlier_elsewhere, same_pictures
from online_guard.terms import Subject
from online_guard.timeline.segments import group_starts


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions that use a picture of another session again."""
    known = captures(facts)
    found = same_pictures(facts, known, policy)
    kept = earlier_elsewhere(known, found) & np.isin(known.session[found.capture], facts.digest.sittings.session)
    capture, other = found.capture[kept], found.other[kept]
    order = np.lexsort((other, known.received_ms[other], capture))
    first = order[group_starts(capture[order])]
    names = np.append(known.key, "–")[other[first]]
    capture = capture[first]
    order = np.lexsort((known.at_ms[capture], known.session[capture]))
    at_ms = known.at_ms[capture[order]]
    return Findings.of_places(
        known.session[capture[order]],
        value=names[order],
        limit=policy.snapshot.same_picture_residual,
        start_ms=at_ms,
        end_ms=at_ms,
        greatest=False,
    )


RULE = Rule("OG602", "reused-snapshot", "重复使用照片", Subject.SESSION, Together.FINGERPRINT, Reads.FACTS, check)
