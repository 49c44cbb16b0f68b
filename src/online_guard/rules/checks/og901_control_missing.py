"""OG901 control-missing 平台未设置管控

查什么 / What it looks for
    四项管控(弹窗、活体比对、随机照片、学习顺序)中有一项:在不少于 min_sessions 个应有的情形里,实有比例低于 min_share。
    全班不得学时。

    For one of the four controls (pop-ups, liveness, snapshots, order), of min_sessions cases or more that should have
    had it fewer than min_share did. The class earns nothing.

阈值 / Thresholds
    control.min_share, control.min_sessions, popup.max_gap_s, liveness.min_playing_s, hours.class_hour_s, order.kinds

条款 / Clause
    平台没有设置管控的,视同培训无效,不接受线下考核申请。比例与样本数是工程容差。

    Where the platform doesn't run a control the training is void and no application is taken. Share and number are
    engineering.

证据 / Evidence
    value: 最低的比例
    limit: min_share
    count: 缺失的管控数
    controls: 各缺失管控的 [实有, 应有]

    value: lowest share
    limit: min_share
    count: controls missing
    controls: each of them with [had it, cases]

边界 / Boundary
    恰好 min_share 不算;少于 min_sessions 个情形不判断。学习顺序的情形是开始过两课以上的报名,其违反是成立的 OG501。

    Exactly min_share passes; fewer cases aren't judged. Cases of order are enrolments that began two lessons or more;
    a standing OG501 breaks it.

诚实学员 / Honest learner
    学员无从触发:这是平台的事。但全班多数人的摄像头被机房停用时,也会显得平台没有拍照。

    No learner can: it is the platform's. Yet where a computer room has switched off most cameras it looks as if the
    platform took no pictures.

申诉 / Appeal
    平台可出示下达的指令与各学员未执行的原因,补传漏传的照片、弹窗和比对后重新核验;被驳回的 OG501 随之恢复学习顺序的比
    例。学员可联名要求平台补正。

    A platform can show the directives and why learners didn't follow them, and deliver what wasn't uploaded: the
    class is judged again; a dismissed OG501 restores the share of order. Learners can ask the platform together to
    mend it.

不应报 / Must stay silent
    拒绝人脸比对的学员(不计入活体与照片);人数很少的班。

    Learners who declined face checks, no cases for liveness and snapshots; very small classes.

起 / Since
    0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.evidence import Flags, Integers
from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.terms import FaceChecks, Subject
from online_guard.timeline.columns import milliseconds
from online_guard.timeline.coverage import SHARE_TOLERANCE
from online_guard.timeline.digest import NEVER
from online_guard.timeline.syllabus import class_of_enrolment

Case = tuple[Integers, Flags]
"""Class row of each case, and whether it had the control."""


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the classes whose platform doesn't run a control."""
    of_enrolment = class_of_enrolment(facts.evidence)
    cases = {
        "popup": _pop_ups(facts, of_enrolment, policy),
        "liveness": _liveness(facts, of_enrolment, policy),
        "snapshot": _snapshots(facts, of_enrolment, policy),
        "order": _order(facts, of_enrolment, policy),
    }
    size = len(facts.evidence.classes)
    missing: dict[int, dict[str, list[int]]] = {}
    for control, (row, had) in cases.items():
        total, present = np.bincount(row, minlength=size), np.bincount(row[had], minlength=size)
        few = present / np.maximum(total, 1) < policy.control.min_share - SHARE_TOLERANCE
        for number in np.flatnonzero((total >= policy.control.min_sessions) & few).tolist():
            missing.setdefault(number, {})[control] = [int(present[number]), int(total[number])]
    rows = sorted(missing)
    return Findings.of(
        np.array(rows, np.int64),
        value=[min(had / cases_ for had, cases_ in missing[row].values()) for row in rows],
        limit=policy.control.min_share,
        count=[len(missing[row]) for row in rows],
        controls=[missing[row] for row in rows],
    )


def _checked(facts: Facts) -> Flags:
    """Return which enrolments take part in face checks."""
    return np.array([e.face_checks is not FaceChecks.DECLINED for e in facts.evidence.enrolments], bool)


def _pop_ups(facts: Facts, of_enrolment: Integers, policy: Policy) -> Case:
    sittings = facts.digest.sittings
    long = sittings.playing_ms >= milliseconds(policy.popup.max_gap_s)
    return of_enrolment[facts.evidence.sessions.enrolment[sittings.session[long]]], sittings.shown[long] > 0


def _liveness(facts: Facts, of_enrolment: Integers, policy: Policy) -> Case:
    sittings, enrolment = facts.digest.sittings, facts.evidence.sessions.enrolment
    attempted = np.isin(sittings.session, facts.evidence.checks.session)
    case = sittings.playing_ms >= milliseconds(policy.liveness.min_playing_s)
    case &= _checked(facts)[enrolment[sittings.session]]
    return of_enrolment[enrolment[sittings.session[case]]], attempted[case]


def _snapshots(facts: Facts, of_enrolment: Integers, policy: Policy) -> Case:
    lessons, snapshots = facts.lessons, facts.evidence.snapshots
    played = np.zeros(len(lessons), np.int64)
    np.add.at(played, lessons.of_session, facts.playing_ms)
    retained = np.zeros(len(lessons), bool)
    retained[lessons.of_session[snapshots.session[snapshots.good & snapshots.asked]]] = True
    case = (played >= milliseconds(policy.hours.class_hour_s)) & _checked(facts)[lessons.enrolment]
    return of_enrolment[lessons.enrolment[case]], retained[case]


def _order(facts: Facts, of_enrolment: Integers, policy: Policy) -> Case:
    evidence, lessons, sittings = facts.evidence, facts.lessons, facts.digest.sittings
    planned = lessons.planned
    ordered = np.isin(planned.kind[planned.opened >= 0], list(policy.order.kinds))
    begun = np.zeros(len(lessons), bool)
    begun[lessons.of_session[sittings.session[sittings.starts_ms != NEVER]]] = True
    started = np.bincount(lessons.enrolment[begun & ordered], minlength=len(of_enrolment))
    broken = np.zeros(len(of_enrolment), bool)
    broken[evidence.sessions.enrolment[facts.standing.get("OG501", np.zeros(0, np.int64))]] = True
    case = started >= 2
    return of_enrolment[case], ~broken[case]


RULE = Rule("OG901", "control-missing", "平台未设置管控", Subject.CLASS, Together.CLASS, Reads.VERDICTS, check)
