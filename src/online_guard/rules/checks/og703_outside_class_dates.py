"""OG703 outside-class-dates 不在培训期间

查什么 / What it looks for
    会话(服务端时钟的北京日期)在开班前开始播放;或在结束后,而学员没有与班期重叠的已批准请假;或在学员本班考核日之后。

    A session starts to play (civil date in Beijing, service clock) before the class starts; or after it ends, when no
    approved leave of the learner overlaps its dates; or after the day on which the learner was assessed for it.

阈值 / Thresholds
    -

条款 / Clause
    请假的学员可在结业考核前补课;其他人须在培训期间学习。

    A learner on leave can make up lessons before the final assessment; others study between the class's dates.

证据 / Evidence
    value: 开始播放的日期
    limit: 越过的日期:开班日、结束日或考核日
    count: 1

    value: date on which it starts to play
    limit: date that it passes: the first day, the last, or that of the assessment
    count: 1

边界 / Boundary
    开班日、结束日、考核日当天均可。跨零点的会话按开始播放的日期。

    The first day, the last day and the day of assessment are inside. A session over midnight goes by the day on which
    it starts to play.

诚实学员 / Honest learner
    请假已获准而机构没有登记;或班次延期后没有改结束日期。

    A leave that was approved and never recorded; or a class that was prolonged without its new last day.

申诉 / Appeal
    学员可出示批准的请假条,机构补登记后疑点消失。机构可出示延期的批文。考核之后的学习不能再计入,只能说明考核日期登记有
    误。

    A learner can show the approved leave: recorded, it removes the finding. An institution can show the approval of
    the longer dates. Study after the assessment can't count; only its date may be wrong.

不应报 / Must stay silent
    已批准请假后的补课;没有播放的会话。

    Make-up study after approved leave; sessions that don't play.

起 / Since
    0.1
"""

from __future__ import annotations

from datetime import date

import numpy as np

from online_guard.evidence import Enrolment, TrainingClass, civil_day
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import Subject
from online_guard.timeline.digest import NEVER


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions that start to play on a day on which they may not."""
    evidence, sittings = facts.evidence, facts.digest.sittings
    classes = {c.class_id: c for c in evidence.classes}
    assessed = {(p.learner_id, p.class_id): p.assessed_on for p in evidence.projects}
    allowed = [
        _days(enrolment, classes[enrolment.class_id], assessed.get((enrolment.learner_id, enrolment.class_id)))
        for enrolment in evidence.enrolments
    ]
    first = np.array([days[0] for days in allowed], "datetime64[D]")
    last = np.array([days[1] for days in allowed], "datetime64[D]")
    playing = np.flatnonzero(sittings.starts_ms != NEVER)
    session = sittings.session[playing]
    enrolment = evidence.sessions.enrolment[session]
    day = civil_day(sittings.starts_ms[playing])
    early, late = day < first[enrolment], day > last[enrolment]
    outside = np.flatnonzero(early | late)
    limit = np.where(early, first[enrolment], last[enrolment])[outside]
    at_ms = (sittings.starts_ms - sittings.offset_ms)[playing][outside]
    return Findings.of(
        session[outside], value=day[outside].astype(str), limit=limit.astype(str), start_ms=at_ms, end_ms=at_ms
    )


def _days(enrolment: Enrolment, training_class: TrainingClass, assessed_on: date | None) -> tuple[date, date]:
    """Return the first and last day on which a session of the enrolment may start to play."""
    on_leave = enrolment.on_leave(training_class.starts_on, training_class.ends_on)
    last = date.max if on_leave else training_class.ends_on
    return training_class.starts_on, min(last, assessed_on or date.max)


RULE = Rule("OG703", "outside-class-dates", "不在培训期间", Subject.SESSION, Together.SESSION, Reads.FACTS, check)
