"""OG406 presented-attack 呈现攻击

查什么 / What it looks for: 被动检测判定照片或活体视频为打印件、屏幕或注入画面。The passive check takes a snapshot
    or a liveness clip for a print, a screen or an injected picture.
条款 / Clause: 21(2) 无法进行人脸活体比对; 术语见 ISO/IEC 30107-3.
证据 / Evidence: value = count = 张数 captures so judged, limit = 0.
边界 / Boundary: 一张即复核 one is reviewed.
不应报 / Must stay silent: 未做被动检测的照片(计入无法判断) captures without a passive check are not evaluable.
起 / Since: 0.1
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
    without = len(known) - len(np.intersect1d(session[said >= 0], known))
    found = Findings.of_places(
        session[rows], value=np.ones(len(rows), np.int64), limit=0, start_ms=at_ms[rows], end_ms=at_ms[rows]
    )
    return found.skipping({"no passive check": without} if without else {})


RULE = Rule("OG406", "presented-attack", "呈现攻击", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
