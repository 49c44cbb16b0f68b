"""OG405 bad-snapshot 照片不合格

查什么 / What it looks for
    照片不合格(good = false):无人脸、多人脸、过暗、模糊或无法读取,不计为留存照片。

    A snapshot isn't good (`good = false`): no face, several, too dark, too blurred or unreadable. It doesn't count as
    retained.

阈值 / Thresholds
    -

条款 / Clause
    留存的照片须能看出是谁。照片不足由 OG601 判断,本规则只作提示。

    A retained snapshot has to show who it is. Whether too few remain is OG601's; this is a note.

证据 / Evidence
    value: 0,即不合格
    limit: 1
    count: 1

    value: 0, not good
    limit: 1
    count: 1

边界 / Boundary
    以照片核验给出的 good 为准,没有阈值。

    The check of the picture says so itself; there is no threshold.

诚实学员 / Honest learner
    低头记笔记、灯光昏暗、家人走过镜头,都会拍到不合格的照片。

    Bent over notes, dim light, a relative who walks by: all give such a picture.

申诉 / Appeal
    提示不影响结论。若学员认为照片合格,平台可重新提交原图核验;缺照片引起的 OG601 在补拍(服务端会在该段再次要求)后消
    失。

    A note changes nothing. Where a learner finds the picture good, a platform can have the original checked again; an
    OG601 that follows goes once the service has asked for another one in that part.

不应报 / Must stay silent
    合格的照片。

    Good snapshots.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the snapshots that aren't good."""
    snapshots = facts.evidence.snapshots
    bad = np.flatnonzero(~snapshots.good)
    return Findings.of(bad, value=0, limit=1, start_ms=snapshots.at_ms[bad], end_ms=snapshots.at_ms[bad])


RULE = Rule("OG405", "bad-snapshot", "照片不合格", Subject.SNAPSHOT, Together.SESSION, Reads.FACTS, check)
