"""Every key's type and limits: what stands at a limit is taken, what lies beyond is refused by name."""

from __future__ import annotations

import math

import pytest

from online_guard.errors import GuardError
from online_guard.policy import load_policy
from online_guard.policy.pack import pack_schema, unit_of
from online_guard.policy.reading import read_value, split_hint

NUMBERS = sorted(key for key, hint in pack_schema().items() if split_hint(hint)[0] in (int, float))
WORDS = sorted(key for key, hint in pack_schema().items() if split_hint(hint)[0] not in (int, float, bool))


def code_of(key: str, raw: object) -> str:
    """Return the code with which a value of a key is refused; the refusal must name the key."""
    with pytest.raises(GuardError) as refused:
        read_value(pack_schema()[key], raw, key)
    assert refused.value.where.startswith(key)
    return refused.value.code


def test_the_schema_has_numbers_and_words() -> None:
    assert (len(NUMBERS), len(WORDS)) == (39, 48)


@pytest.mark.parametrize("key", NUMBERS)
def test_limits_of_numbers(key: str) -> None:
    hint = pack_schema()[key]
    base, limits = split_hint(hint)
    assert limits is not None
    least, most = base(limits.least), base(limits.most)
    assert [read_value(hint, least, key), read_value(hint, most, key)] == [least, most]
    outside = (
        (least - 1, most + 1, 10**400) if base is int else (least - 1e-9, most * 1.001, -math.inf, math.inf, math.nan)
    )
    assert {code_of(key, value) for value in outside} == {"policy.impossible_value"}


@pytest.mark.parametrize("key", NUMBERS)
def test_numbers_are_numbers(key: str) -> None:
    assert {code_of(key, raw) for raw in (True, "1", [1], {"value": 1})} == {"policy.wrong_type"}
    if split_hint(pack_schema()[key])[0] is int:
        assert code_of(key, 1.0) == "policy.wrong_type"


def test_no_number_may_be_negative() -> None:
    assert [key for key in NUMBERS if (limits := split_hint(pack_schema()[key])[1]) and limits.least < 0] == []


def test_every_share_ends_at_one_and_every_duration_has_its_unit() -> None:
    for key in NUMBERS:
        limits = split_hint(pack_schema()[key])[1]
        assert limits is not None
        assert key.endswith("_share") <= ((limits.unit, limits.most) == ("share", 1)), key
        assert key.endswith("_s") <= (limits.unit == "s"), key
        assert key.endswith("_ms") <= (limits.unit == "ms"), key


@pytest.mark.parametrize("key", WORDS)
def test_words_and_lists_refuse_numbers(key: str) -> None:
    assert code_of(key, 1) == "policy.wrong_type"


def test_flags_are_flags() -> None:
    assert {code_of("review.second_person", raw) for raw in (1, 0, "true")} == {"policy.wrong_type"}


@pytest.mark.parametrize(
    ("key", "raw", "where", "reason"),
    [
        ("violation_scope", "province", "violation_scope", "none of lesson | enrolment"),
        ("effect.OG101", "ignore", "effect.OG101", "none of reject | review | note"),
        ("assessment.applicant", "county", "assessment.applicant", "none of enterprise | institution | individual"),
        ("order.kinds", ["professional", "sports"], "order.kinds#2", "none of professional | general"),
        ("order.kinds", ["general", "general"], "order.kinds#2", "stands twice"),
        ("assessment.months", [4, 13], "assessment.months#2", "13 is outside 1 … 12"),
        ("assessment.months", [0], "assessment.months#1", "0 is outside 1 … 12"),
        ("assessment.months", [4, 8, 4], "assessment.months#3", "4 stands twice"),
        ("assessment.months", [], "assessment.months", "0 items, not 1 … 12"),
        ("occupations.blended", ["收银员", "收银员"], "occupations.blended#2", "stands twice"),
    ],
)
def test_impossible_words_and_lists(key: str, raw: object, where: str, reason: str) -> None:
    with pytest.raises(GuardError) as refused:
        read_value(pack_schema()[key], raw, key)
    assert (refused.value.code, refused.value.where) == ("policy.impossible_value", where)
    assert reason in refused.value.message


@pytest.mark.parametrize(
    ("raw", "code", "where"),
    [
        ({"name": "A"}, "policy.missing_key", "occupations.online#1.vocational_certificate"),
        ({"name": "A", "vocational_certificate": "no", "row": 1}, "policy.unknown_key", "occupations.online#1.row"),
        (
            {"name": "A", "vocational_certificate": "maybe"},
            "policy.impossible_value",
            "occupations.online#1.vocational_certificate",
        ),
        ({"name": " ", "vocational_certificate": "no"}, "policy.wrong_type", "occupations.online#1.name"),
        ("A", "policy.wrong_type", "occupations.online#1"),
    ],
)
def test_records_are_checked_field_by_field(raw: object, code: str, where: str) -> None:
    key = "occupations.online"
    with pytest.raises(GuardError) as refused:
        read_value(pack_schema()[key], [raw], key)
    assert (refused.value.code, refused.value.where) == (code, where)


def test_optional_constants_of_a_signature_have_limits_too() -> None:
    signature = {"id": "x", "label_zh": "甲", "label_en": "x", "stop_share": 1.5}
    assert code_of("known_tools.signatures", [signature]) == "policy.impossible_value"
    assert (
        read_value(pack_schema()["known_tools.signatures"], [signature | {"stop_share": 1}], "k")[0].stop_share == 1.0
    )


def test_minus_zero_is_zero() -> None:
    plus, minus = (load_policy("huangchuan-2021", [f"playback.slack_s={zero}"]) for zero in ("0", "-0.0"))
    assert plus.sha256 == minus.sha256


def test_units() -> None:
    schema = pack_schema()
    keys = (
        "popup.max_gap_s",
        "assessment.months",
        "hours.certificate_minimum",
        "violation_scope",
        "review.second_person",
    )
    assert [unit_of(schema[key]) for key in keys] == ["s", "month", "class_hours", "", ""]
