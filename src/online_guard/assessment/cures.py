"""What would cure each failed test of eligibility: what to do, until when or from when, in Chinese and English.

The days follow from the class, approved leave, the application and the law; nothing is decided here. Other classes of a
learner may be another platform's, so they aren't named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from math import ceil

from online_guard.assessment import study_cures
from online_guard.assessment.situation import Cure, Details, Situation
from online_guard.assessment.windows import add_days, add_months
from online_guard.terms import LABELS, CertificateRoute, Mode


def cures(failed: Mapping[str, Details], situation: Situation) -> dict[str, list[Cure]]:
    """Return what would cure each failed or unconfirmed test.

    Args:
        failed: Evidence by code, as in a row of eligibility.
        situation: What is known besides.
    """
    return {code: CURES[code](situation, details, failed) for code, details in failed.items()}


def _mode(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    occupation = case.training_class.occupation
    modes = [mode for mode in Mode if case.policy.occupations.may_run(occupation, mode)]
    if not modes:
        return [
            Cure(
                f"{occupation}不在附件3内,不能线上培训,请改为线下培训",
                f"{occupation} isn't in Annex 3: it can't run online, train it off line",
            )
        ]
    zh, en = ("、".join(LABELS[mode][0] for mode in modes), " or ".join(LABELS[mode][1] for mode in modes))
    return [
        Cure(
            f"{occupation}只能以“{zh}”方式开班:请更正班次,或另立班次",
            f"{occupation} may run {en} only: correct the class, or register another",
        )
    ]


def _applicant(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    return [
        Cure(
            "线上培训只接受企业申请考核:请由用工企业作为本班申请单位",
            "only an enterprise may apply for an online class: the employer has to be its applicant",
        )
    ]


def _decisions(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    count = len(details["waiting"])
    return [
        Cure(
            f"{count} 项等待审核人员决定(见证据),决定后自动重新判定;学员可补充说明",
            f"waiting for auditors: {count} (see the evidence); eligibility follows their decisions at once",
        )
    ]


def _controls(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    share, until = case.policy.control.min_share, case.training_class.ends_on
    appeal = Cure("平台可对 OG901 提出申诉", "the platform may appeal against OG901")
    if case.today > until:
        return [appeal, Cure("否则学员须参加管控齐全的新班次", "else join another class that runs every control")]
    return [
        Cure(
            f"平台须补齐管控,并在 {until} 或之前重学,使每项管控的比例达到 {share:.0%}",
            f"the platform has to run every control and lessons to be studied again by {until}, until each control "
            f"reaches {share:.0%}",
            until_on=until,
        ),
        appeal,
    ]


def _rest(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    named, months = set(details["projects"]), case.policy.assessment.rest_months
    earlier = [project for project in case.projects if project.class_id in named]
    assessed = [project.assessed_on for project in earlier if project.assessed_on is not None]
    found = []
    if len(assessed) < len(earlier):
        found.append(
            Cure(
                f"上一项目须先考核;考核满 {months} 个月后开班的班次方可参加",
                f"the project before has to be assessed first; a class may start {months} month(s) after that",
            )
        )
    if assessed:
        free = add_months(max(assessed), months)
        found.append(
            Cure(
                f"间隔期至 {add_days(free, -1)}:请参加 {free} 当日或之后开班的班次",
                f"the rest lasts until {add_days(free, -1)}: join a class that starts on {free} or later",
                from_on=free,
            )
        )
    return found


def _application(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    chance, notice = case.next_chance(), case.policy.assessment.notice_days
    if chance is None:
        return [Cure("已没有可申请的批次", "no window is left")]
    why_zh, why_en = _why_not(case)
    return [
        Cure(
            f"{why_zh}请由企业申请 {chance.window} 批次,考核日自 {chance.from_on} 起,提前 {notice} 天提出,"
            f"至迟 {chance.apply_until_on}",
            f"{why_en}let the enterprise apply for {chance.window}, for a day from {chance.from_on} on, {notice} days "
            f"ahead, at the latest on {chance.apply_until_on}",
            from_on=chance.from_on,
            until_on=chance.apply_until_on,
            window=chance.window,
        )
    ]


def _why_not(case: Situation) -> tuple[str, str]:
    """Return which parts of E09 the application misses."""
    filed, rule = case.application, case.policy.assessment
    if filed is None:
        return "", ""
    latest = add_days(filed.assessment_on, -rule.notice_days)
    missed = []
    if filed.applied_on > latest:
        missed.append((f"该考核日至迟应在 {latest} 申请", f"that day had to be applied for by {latest}"))
    if filed.assessment_on.month not in rule.months or f"{filed.assessment_on:%Y-%m}" != filed.window:
        missed.append((f"考核日不在 {filed.window} 批次内", f"the day isn't in a window {filed.window}"))
    if filed.assessment_on <= case.training_class.ends_on:
        missed.append(("考核日须在结班之后", "the day has to come after the class"))
    return "".join(f"{zh};" for zh, _ in missed), "".join(f"{en}; " for _, en in missed)


def _size(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    limits, learners = case.policy.training_class, details["learners"]
    found = []
    if learners > limits.max_learners:
        over = learners - limits.max_learners
        found.append(
            Cure(
                f"超出 {over} 人:请分班,每班不超过 {limits.max_learners} 人",
                f"{over} too many: split the class, at most {limits.max_learners} each",
            )
        )
    needed = ceil(min(learners, limits.max_learners) / limits.learners_per_teacher)
    if details["teachers"] < needed:
        found.append(
            Cure(
                f"现有教师 {details['teachers']} 人,至少须 {needed} 人:请补充教师并更正班次",
                f"{details['teachers']} teachers, at least {needed} are needed: add them and correct the class",
            )
        )
    return found


def _suspended(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    months = case.policy.satisfaction.suspension_months
    free = add_months(date.fromisoformat(max(details["surveyed_on"])), months)
    return [
        Cure(
            f"机构整改至 {add_days(free, -1)}:请参加 {free} 当日或之后开班的班次",
            f"suspended until {add_days(free, -1)}: join a class that starts on {free} or later",
            from_on=free,
        )
    ]


def _certificate(case: Situation, details: Details, failed: Mapping[str, Details]) -> list[Cure]:
    others = [route for route in CertificateRoute if route is not CertificateRoute.COMPLETION]
    zh = "、".join(LABELS[route][0] for route in others)
    en = ", ".join(LABELS[route][1] for route in others)
    return [
        Cure(
            f"须由考核人员确认该职业没有其他证书;有其他证书的,请改报其他途径并更正班次({zh})",
            f"an assessor has to confirm that there is no other certificate; where there is one, take its route: {en}",
        )
    ]


CURES: Mapping[str, Callable[[Situation, Details, Mapping[str, Details]], list[Cure]]] = {
    "E01": _mode,
    "E02": _applicant,
    "E03": study_cures.online_hours,
    "E04": study_cures.practice,
    "E05": study_cures.all_hours,
    "E06": _decisions,
    "E07": _controls,
    "E08": _rest,
    "E09": _application,
    "E10": _size,
    "E11": _suspended,
    "E12": _certificate,
}
