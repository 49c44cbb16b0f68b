"""OG405 bad-snapshot 照片不合格

查什么 / What it looks for: 照片无人脸、多人脸、过暗、模糊或无法读取(good=false):不计为留存照片。A snapshot that
    doesn't count as retained.
条款 / Clause: 21(2) 每课时无随机保留影像照片; 只作提示 a note.
证据 / Evidence: value = 0(不合格) not good, limit = 1.
边界 / Boundary: 由照片核验给出 good says so itself.
不应报 / Must stay silent: 合格的照片 good snapshots.
起 / Since: 0.1
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
