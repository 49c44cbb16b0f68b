"""The shipped pack says what the specification's table and the notice say."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from online_guard.policy import RULE_IDS, Policy, describe

ENGINEERING = "工程容差 / engineering"

VALUES = {
    "playback.max_rate": 1.0,
    "playback.rate_tolerance": 0.02,
    "playback.slack_s": 2.0,
    "playback.max_silence_s": 60.0,
    "clock.max_lead_s": 60.0,
    "windows.overlap_slack_s": 5.0,
    "windows.max_hidden_s": 30.0,
    "windows.max_hidden_share": 0.10,
    "windows.max_hidden_total_s": 120.0,
    "popup.max_gap_s": 300.0,
    "popup.answer_timeout_s": 60.0,
    "popup.min_reaction_ms": 300,
    "order.kinds": ["professional"],
    "order.min_coverage": 0.80,
    "assessment.months": [4, 8, 12],
    "assessment.notice_days": 3,
    "assessment.rest_months": 1,
    "assessment.applicant": "enterprise",
    "control.min_share": 0.80,
    "control.min_sessions": 10,
    "control.window_s": 5.0,
    "control.min_controls": 50,
    "liveness.min_playing_s": 60.0,
    "liveness.passes_per_session": 1,
    "liveness.failures_for_review": 3,
    "liveness.match_distance": 0.55,
    "liveness.reject_distance": 0.70,
    "liveness.shared_face_distance": 0.40,
    "snapshot.per_class_hour": 1,
    "snapshot.phash_distance": 4,
    "snapshot.same_picture_residual": 0.04,
    "device.max_learners": 20,
    "hours.class_hour_s": 2400.0,
    "hours.tolerance_s": 30.0,
    "hours.min_coverage": 0.95,
    "hours.certificate_minimum": 40.0,
    "class.max_learners": 80,
    "class.learners_per_teacher": 20,
    "offline.min_practice_hours": 8.0,
    "satisfaction.minimum": 0.85,
    "satisfaction.suspension_months": 1,
    "violation_scope": "lesson",
    "retention.media_days": 1095,
    "review.second_person": True,
}

REVIEW = {"OG105", "OG107", "OG302", "OG303", "OG305", "OG403", "OG406", "OG407", "OG603", "OG605"} | {
    f"OG80{number}" for number in range(1, 6)
}
NOTE = {"OG106", "OG204", "OG405", "OG902"}
CATALOGUES = {"occupations.online", "occupations.blended", "known_tools.signatures", "tasks.rows"}


def notice() -> str:
    """Return the notice without white space, or skip where the shared folder is absent."""
    repository = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("ONLINE_GUARD_SHARED", repository.parent / "shared"))
    file = shared / "policy" / "huangchuan-2021-01.txt"
    if not file.is_file():
        pytest.skip(f"the notice isn't on this machine: {file.name}")
    return re.sub(r"\s", "", file.read_text("utf-8"))


def test_pack_is_named(shipped: Policy) -> None:
    assert (shipped.id, shipped.version) == ("huangchuan-2021", "3")
    assert re.fullmatch(r"[0-9a-f]{64}", shipped.sha256)


def test_every_value_is_the_specification_s(shipped: Policy) -> None:
    rest = {line.key: line.value for line in describe(shipped) if not line.key.startswith("effect.")}
    assert {key: rest[key] for key in rest if key not in CATALOGUES} == VALUES
    assert rest.keys() - VALUES.keys() == CATALOGUES


def test_effects_of_the_forty_rules(shipped: Policy) -> None:
    assert len(RULE_IDS) == len(set(RULE_IDS)) == 40
    assert list(RULE_IDS) == sorted(RULE_IDS)
    expected = {rule: "review" if rule in REVIEW else "note" if rule in NOTE else "reject" for rule in RULE_IDS}
    assert shipped.effects == expected


def test_every_key_and_rule_has_a_clause(shipped: Policy) -> None:
    keys = {line.key.removeprefix("effect.") for line in describe(shipped)}
    assert shipped.clauses.keys() == shipped.texts.keys() == keys
    assert set(RULE_IDS) <= keys
    assert shipped.clauses["popup.max_gap_s"] == shipped.clauses["OG301"] == "(四)21(2)"
    assert shipped.clauses["playback.slack_s"] == ENGINEERING


def test_clauses_are_of_the_notice_or_engineering(shipped: Policy) -> None:
    known = {
        "(四)20",
        "(四)21(1)",
        "(四)21(2)",
        "(四)21(3)",
        "三(二)",
        "三(三)",
        "附件1",
        "附件2",
        "附件3",
        ENGINEERING,
    }
    assert set(shipped.clauses.values()) == known


def test_excerpts_stand_in_the_notice(shipped: Policy) -> None:
    text = notice()
    quoted = {
        key: re.sub(r"\s", "", shipped.texts[key]) for key, said in shipped.clauses.items() if said != ENGINEERING
    }
    assert {key: excerpt for key, excerpt in quoted.items() if excerpt not in text} == {}


def test_catalogue_is_annex_3(shipped: Policy) -> None:
    rows = re.findall(r"[12](电子商务师.*?)(全线上培训|不少于8个学时)", notice()[-600:])
    online, blended = (re.sub(r"\(含.*?\)", "", names).split("、") for names, _ in rows)
    assert [entry.name for entry in shipped.occupations.online] == online
    assert list(shipped.occupations.blended) == blended


def test_catalogue_counts(shipped: Policy) -> None:
    online = shipped.occupations.online
    assert (len(online), len(shipped.occupations.blended)) == (32, 16)
    assert {entry.name: entry.covers for entry in online if entry.covers} == {"电子商务师": ("跨境电子商务师",)}
    assert {entry.vocational_certificate for entry in online} == {"unknown"}


def test_tasks_are_annex_1(shipped: Policy) -> None:
    tasks = shipped.tasks.rows
    assert [task.no for task in tasks] == list(range(1, 15))
    assert sum(task.target for task in tasks) == 8_000
    assert [task.name for task in tasks if f"{task.no}{task.name}{task.lead}{task.target}" not in notice()] == []
