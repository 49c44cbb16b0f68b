"""OG403 liveness-doubtful 活体比对存疑

查什么 / What it looks for: 通过次数已够,但失败不少于 failures_for_review 次;或做过比对、无一失败、通过次数不够(均无
    结论)。Enough passed but many failed, or attempts that were all inconclusive.
条款 / Clause: 21(2) 无法进行人脸活体比对; 由人工复核 a person decides.
证据 / Evidence: value = 失败次数 checks failed, limit = failures_for_review, count = 比对次数 checks attempted,
    passed = 通过次数 checks passed.
边界 / Boundary: 恰好 failures_for_review 次即复核 exactly that many failures are reviewed.
不应报 / Must stay silent: 偶尔一两次失败 one or two failures before a pass.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.liveness import count_checks
from online_guard.terms import Subject


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions whose checks leave a doubt."""
    counts = count_checks(facts)
    enough = counts.passed >= policy.liveness.passes_per_session
    many = enough & (counts.failed >= policy.liveness.failures_for_review)
    open_ = ~enough & (counts.attempted > 0) & (counts.failed == 0)
    named = np.flatnonzero(counts.has_events & (many | open_))
    return Findings.of(
        named,
        value=counts.failed[named],
        limit=policy.liveness.failures_for_review,
        count=counts.attempted[named],
        passed=counts.passed[named],
    )


RULE = Rule("OG403", "liveness-doubtful", "活体比对存疑", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
