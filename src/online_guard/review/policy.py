"""The law in force, value by value with its clause; and what another value would change."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from online_guard.api.bodies import Id
from online_guard.api.callers import PEOPLE, TheHouse, callers
from online_guard.api.dry_runs import WHO_TRY
from online_guard.assessment.eligibility import TESTS
from online_guard.policy import Policy, describe
from online_guard.policy.listing import PolicyLine
from online_guard.policy.sections import ViolationScope
from online_guard.review.language import Language
from online_guard.review.pages import TheShell, page
from online_guard.rules.catalogue import BY_ID, RULES
from online_guard.rules.manual import page_of
from online_guard.service.reviewing import dry_runs
from online_guard.terms import ApplicantKind, Effect, LessonKind

router = APIRouter()
ENGINEERING = "工程容差"
"""How the clause of a value begins that the notice doesn't give."""
CATALOGUES = ("effect", "tasks", "occupations", "known_tools")
"""Sections that have tables of their own."""
WORDS: tuple[type[StrEnum], ...] = (LessonKind, ApplicantKind, Effect)
SCOPES: Mapping[str, tuple[str, str]] = {
    ViolationScope.LESSON: ("仅该课", "the lesson only"),
    ViolationScope.ENROLMENT: ("该学员本班全部学时", "all hours of the learner in the class"),
}
SECTIONS: Mapping[str, tuple[str, str]] = {
    "violation_scope": ("违规的影响范围", "How far a violation reaches"),
    "playback": ("播放与快进", "Playback"),
    "clock": ("时钟", "Clock"),
    "windows": ("多窗口与隐藏播放", "Windows"),
    "popup": ("弹窗管控", "Pop-ups"),
    "order": ("内容先后顺序", "Order of lessons"),
    "assessment": ("线下考核批次", "Assessment windows"),
    "control": ("平台的管控", "The platform's controls"),
    "liveness": ("人脸活体比对", "Liveness and faces"),
    "snapshot": ("随机影像照片", "Snapshots"),
    "device": ("设备", "Devices"),
    "hours": ("学时", "Class hours"),
    "class": ("班级规模", "Classes"),
    "offline": ("线下实训", "Offline practice"),
    "satisfaction": ("满意度与整改", "Satisfaction"),
    "retention": ("影像留存", "Retention"),
    "review": ("复核", "Review"),
}


def in_words(language: Language, value: Any, unit: str = "") -> str:
    """Return a value of the pack with its unit, as a language writes it."""
    match value:
        case list():
            return language.pick("、", ", ").join(in_words(language, item, unit) for item in value)
        case bool():
            return language.measured(value)
        case int() | float():
            if unit == "share":
                return language.share(value)
            return f"{language.number(value, 3)} {language.unit(unit) if unit not in ('', 'distance') else ''}".rstrip()
    if value in SCOPES:
        return language.pick(*SCOPES[value])
    labelled = (language.label(str(value), kind) for kind in WORDS)
    return next((text for text in labelled if text != value), str(value))


def toml_value(text: str) -> Any:
    """Return what a value of TOML says; the text itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _as_typed(value: Any) -> str:
    """Return a value as a person types it in TOML: a word without quotes, a number without needless digits."""
    return f"{value:.12g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False).strip('"')


@cache
def _rules_by_key() -> Mapping[str, Sequence[str]]:
    """Return the rules that read each key of the pack."""
    found: dict[str, list[str]] = defaultdict(list)
    for rule in RULES:
        for key in page_of(rule).thresholds:
            found[key].append(rule.id)
    return found


def _sections(policy: Policy) -> dict[str, list[PolicyLine]]:
    """Return the lines of each section that is no catalogue."""
    found: dict[str, list[PolicyLine]] = defaultdict(list)
    for line in describe(policy):
        section = line.key.partition(".")[0]
        if section not in CATALOGUES:
            found[section].append(line)
    return found


@router.get("/console/policy", openapi_extra=callers(*PEOPLE))
def policy_page(
    house: TheHouse, shell: TheShell, key: Annotated[str, Query(alias="try", max_length=128)] = ""
) -> Response:
    """Return every value of the pack with its clause, its catalogues, and the form that tries another value."""
    lines = {line.key: line for line in describe(house.policy)}
    return page(
        shell,
        "policy.html",
        policy=house.policy,
        lines=lines,
        sections=_sections(house.policy),
        names=SECTIONS,
        engineering=ENGINEERING,
        tolerances=sum(line.clause.startswith(ENGINEERING) for line in lines.values()),
        in_words=in_words,
        toml_value=toml_value,
        rules=BY_ID,
        rules_by_key=_rules_by_key(),
        to_try=[line for line in lines.values() if dry_runs.can_be_tried(line)],
        tried=lines.get(key),
        as_typed="" if key not in lines else _as_typed(lines[key].value),
        may_try=shell.caller is not None and shell.caller.role in WHO_TRY,
        days=dry_runs.DAYS,
        runs=dry_runs.listed(house),
    )


@router.get("/console/policy/dry-runs/{dry_run_id}", openapi_extra=callers(*PEOPLE))
def dry_run_page(house: TheHouse, shell: TheShell, dry_run_id: Annotated[Id, Path()]) -> Response:
    """Return how far a dry run is, then what would change and by which rules, case by case."""
    line = {line.key: line for line in describe(house.policy)}
    run = dry_runs.told(house, dry_run_id)
    return page(
        shell,
        "dry_run.html",
        run=run,
        line=line.get(run["key"]),
        in_words=in_words,
        toml_value=toml_value,
        rules=BY_ID,
        tests=TESTS,
        when_recorded=run["key"] in dry_runs.WHEN_RECORDED,
    )
