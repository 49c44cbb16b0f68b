"""OG403 liveness-doubtful 活体比对存疑

查什么 / What it looks for
    通过次数已够,但失败不少于 failures_for_review 次;或做过比对、无一失败、通过次数不够(均无结论)。

    Enough checks passed, but failures_for_review or more failed; or checks were attempted, none failed and too few
    passed: all inconclusive.

阈值 / Thresholds
    liveness.passes_per_session, liveness.failures_for_review

条款 / Clause
    活体比对存疑时由人工判断能否视为已进行。次数是工程容差。

    Where a liveness check leaves a doubt, a person decides whether it was done. The number is engineering.

证据 / Evidence
    value: 失败次数
    limit: failures_for_review
    count: 比对次数
    passed: 通过次数

    value: checks failed
    limit: failures_for_review
    count: checks attempted
    passed: checks passed

边界 / Boundary
    恰好 failures_for_review 次即复核。无结论的次数不计为失败。

    Exactly failures_for_review are reviewed. Inconclusive checks aren't failures.

诚实学员 / Honest learner
    摄像头太慢、光线太暗,模型给不出结论;或学员不熟悉动作,试到第四次才过。

    A camera too slow or too dark for a verdict; or a learner new to the moves who passes at the fourth try.

申诉 / Appeal
    审核人员比对通过的那次与登记照即可决定。学员可在审核人员面前再做一次;平台可出示摄像头型号与帧率。驳回后该会话视为
    已核验。

    An auditor compares the passed check with the reference. A learner can do one before an auditor; a platform can
    show the camera's model and frame rate. Dismissed, the session counts as verified.

不应报 / Must stay silent
    偶尔一两次失败后通过;播放太短而失败的(不判断)。

    One or two failures before a pass; failures of sessions too short to be judged.

起 / Since
    0.1
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
