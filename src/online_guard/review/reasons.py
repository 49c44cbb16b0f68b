"""The structured reasons of decisions. What is kept says both languages, so that it can be read by anyone later."""

from __future__ import annotations

from collections.abc import Mapping

from online_guard.review.language import Language
from online_guard.terms import DecisionKind

REASONS: Mapping[DecisionKind, tuple[tuple[str, str], ...]] = {
    DecisionKind.UPHOLD: (
        ("证据清楚,与条款相符", "the evidence is clear and is what the clause means"),
        ("与时间线一致", "the timeline shows it"),
        ("照片或活体比对显示并非本人", "pictures or liveness show another person"),
        ("同一时间另有学习", "studied elsewhere at the same time"),
        ("符合脚本或刷课工具的特征", "bears the marks of a script or tool"),
        ("未按要求应答弹窗", "pop-ups were not answered as asked"),
        ("申诉理由不成立", "the appeal gives no good reason"),
        ("同意初审意见", "agrees with the first auditor"),
        ("其他,见备注", "another reason, see the note"),
    ),
    DecisionKind.DISMISS: (
        ("平台或网络故障所致", "a fault of platform or network"),
        ("设备或浏览器异常所致", "a fault of device or browser"),
        ("记录不完整,不足以认定", "the record is too incomplete to conclude"),
        ("经人工比对确为本人", "compared by eye: it is the learner"),
        ("另有其他证据证明在学", "other evidence shows that they studied"),
        ("光线或拍摄条件所致", "light or camera caused it"),
        ("申诉理由成立", "the appeal is right"),
        ("同意初审意见", "agrees with the first auditor"),
        ("其他,见备注", "another reason, see the note"),
    ),
}
NOTE = " — "
"""Between a reason and the note behind it, as `static/case.js` writes them."""


def read(reason: str, language: Language) -> str:
    """Return a kept reason in a language, with its note; one that isn't of these as it is."""
    for zh, en in (pair for pairs in REASONS.values() for pair in pairs):
        both = f"{zh} / {en}"
        if reason == both or reason.startswith(f"{both}{NOTE}"):
            return language.pick(zh, en) + reason[len(both) :]
    return reason
