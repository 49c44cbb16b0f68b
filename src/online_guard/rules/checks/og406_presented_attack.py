"""OG406 presented-attack 呈现攻击

查什么 / What it looks for
    被动检测把照片或活体比对视频判为打印件、屏幕翻拍或注入画面。

    The passive check takes a snapshot or the clip of a liveness check for a print, a screen or an injected picture.

阈值 / Thresholds
    -

条款 / Clause
    对着照片做不了活体比对。术语依 ISO/IEC 30107-3;由人工复核。

    A picture of a face is no live face. Terms as in ISO/IEC 30107-3; a person decides.

证据 / Evidence
    value: 1:每处记一次
    limit: 0
    count: 被判为攻击的次数

    value: 1: each place counts once
    limit: 0
    count: captures so judged

边界 / Boundary
    一次即复核。检测的阈值属于模型,写在模型清单里,不在政策包里。

    One is reviewed. The check's threshold is the model's and stands in its manifest, not in the pack.

诚实学员 / Honest learner
    低分辨率摄像头、强反光眼镜、身后挂着大幅海报,都可能被误判。

    A camera of low resolution, glasses that reflect, a large poster behind the learner may be mistaken.

申诉 / Appeal
    审核人员直接看图:能看出边框、摩尔纹或纸边才维持。学员可在同一设备上再做一次活体比对;平台可出示模型版本及其误判率。

    An auditor looks at the picture: uphold only where an edge, moiré or paper shows. A learner can do a liveness
    check on the same device; a platform can show the model's version and its error rates.

不应报 / Must stay silent
    没有做被动检测的会话(报告为无法判断)。

    Sessions without a passive check, which are reported as not evaluable.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions with a capture that the passive check takes for an attack."""
    snapshots, checks = facts.evidence.snapshots, facts.evidence.checks
    session = np.concatenate((snapshots.session, checks.session))
    said = np.concatenate((snapshots.presented_attack, checks.presented_attack))
    at_ms = np.concatenate((snapshots.at_ms, checks.at_ms))
    known = facts.digest.sittings.session
    rows = np.flatnonzero((said == 1) & np.isin(session, known))
    rows = rows[np.lexsort((at_ms[rows], session[rows]))]
    said_of = np.zeros(len(facts.evidence.sessions), bool)
    said_of[session[said >= 0]] = True
    without = int((~said_of[known]).sum())
    found = Findings.of_places(
        session[rows], value=np.ones(len(rows), np.int64), limit=0, start_ms=at_ms[rows], end_ms=at_ms[rows]
    )
    return found.skipping({"no passive check": without} if without else {})


RULE = Rule("OG406", "presented-attack", "呈现攻击", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
