"""OG602 reused-snapshot 重复使用照片

查什么 / What it looks for: 照片(合格的留存照片或活体视频帧)与另一会话(不论何人)更早收到的为同一张:SHA-256 相同,或对
    齐后残差不超过 same_picture_residual。A capture that was received earlier in another session, whoever's.
条款 / Clause: 21(2) 每课时无随机保留影像照片.
证据 / Evidence: value = 先前的照片 the earlier capture, limit = same_picture_residual, count = 张数 reused
    captures.
边界 / Boundary: 同时收到则两者都点名 received at the same moment: both are named.
不应报 / Must stay silent: 被盗用照片的本人(更早收到) the owner of a stolen picture, received earlier; 不合格的照片(
    如黑屏) captures that aren't good, such as black frames.
起 / Since: 0.1
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
