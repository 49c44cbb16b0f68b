"""Files that can't be read, and overrides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy, load_policy, shipped_packs

Write = Callable[[str], Path]
PACK = "huangchuan-2021"


def test_shipped_packs_are_listed() -> None:
    assert shipped_packs() == (PACK,)


@pytest.mark.parametrize("name", ["anywhere-1999", "", "a\0b"])
def test_missing_file_names_the_shipped_packs(name: str) -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(name)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.NOT_FOUND, "policy.not_found")
    assert PACK in refused.value.remedy


def test_a_path_is_never_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GuardError, match=r"policy file"):
        load_policy(Path(PACK))


def test_syntax_error_says_the_line(write_pack: Write) -> None:
    path = write_pack('id = "x"\nversion = "1"\n[popup\n')
    with pytest.raises(GuardError) as refused:
        load_policy(path)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.MALFORMED, "policy.syntax")
    assert refused.value.where == f"{path}:3"


@pytest.mark.parametrize("text", ['id = "x', "a = " + "[" * 5000, "a = " + "9" * 5000])
def test_texts_that_break_the_parser_are_syntax_errors(write_pack: Write, text: str) -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(write_pack(text))
    assert refused.value.code == "policy.syntax"


def test_a_key_that_stands_twice_is_a_syntax_error(write_pack: Write, shipped_text: str) -> None:
    path = write_pack(shipped_text.replace("answer_timeout_s", "max_gap_s"))
    with pytest.raises(GuardError) as refused:
        load_policy(path)
    line = shipped_text[: shipped_text.index("answer_timeout_s")].count("\n") + 1
    assert (refused.value.code, refused.value.where) == ("policy.syntax", f"{path}:{line}")


def test_another_encoding_is_refused(tmp_path: Path, shipped_text: str) -> None:
    path = tmp_path / "county.toml"
    path.write_bytes(shipped_text.encode("gb18030"))
    with pytest.raises(GuardError) as refused:
        load_policy(path)
    assert (refused.value.code, refused.value.where) == ("policy.encoding", str(path))


def test_byte_order_mark_and_windows_lines_change_nothing(tmp_path: Path, shipped_text: str, shipped: Policy) -> None:
    path = tmp_path / "county.toml"
    path.write_bytes(b"\xef\xbb\xbf" + shipped_text.replace("\n", "\r\n").encode())
    assert load_policy(path) == shipped


def test_overrides_change_value_and_hash_only(shipped: Policy) -> None:
    overrides = [
        "popup.max_gap_s=240",
        'violation_scope="enrolment"',
        'effect.OG106="review"',
        "known_tools.signatures=[]",
    ]
    changed = load_policy(PACK, overrides)
    assert (changed.popup.max_gap_s, changed.violation_scope) == (240.0, "enrolment")
    assert (changed.effects["OG106"], changed.known_tools.signatures) == ("review", ())
    assert changed.sha256 != shipped.sha256
    assert (changed.id, changed.version, changed.clauses) == (shipped.id, shipped.version, shipped.clauses)


def test_the_last_override_of_a_key_counts(shipped: Policy) -> None:
    assert load_policy(PACK, ["popup.max_gap_s=240", "popup.max_gap_s = 3e2  # again"]) == shipped


def test_overrides_work_on_another_county_s_file(write_pack: Write, shipped_text: str) -> None:
    assert load_policy(write_pack(shipped_text), ["class.max_learners=50"]).training_class.max_learners == 50


@pytest.mark.parametrize(
    "text", ["popup.max_gap_s", "violation_scope=enrolment", "", "=1", "popup.max_gap_s=", "[popup"]
)
def test_override_must_be_toml(text: str) -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(PACK, [text])
    assert (refused.value.code, refused.value.where) == ("policy.override", f"--set {text}")


def test_override_is_one_key() -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(PACK, ["popup.max_gap_s=240\npopup.answer_timeout_s=30"])
    assert refused.value.code == "policy.override"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("popup.max_gap=240", "popup.max_gap"),
        ("popup=240", "popup"),
        ("popup={}", "popup"),
        ('id="other"', "id"),
        ('effect.OG999="note"', "effect.OG999"),
        ("effects.OG101='note'", "effects.OG101"),
    ],
)
def test_override_of_an_unknown_key(text: str, key: str) -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(PACK, [text])
    assert (refused.value.code, refused.value.where) == ("policy.unknown_key", f"--set {text}")
    assert f"unknown key {key}" in refused.value.message


def test_an_unknown_key_hints_at_the_nearest() -> None:
    with pytest.raises(GuardError, match=r"did you mean popup\.max_gap_s\?"):
        load_policy(PACK, ["popup.max_gap=240"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("popup.max_gap_s=-1", "policy.impossible_value"),
        ('popup.max_gap_s="240"', "policy.wrong_type"),
        ("popup.max_gap_s.clause='x'", "policy.wrong_type"),
        ("popup.max_gap_s={}", "policy.wrong_type"),
    ],
)
def test_a_refused_override_names_itself_and_the_key(text: str, code: str) -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(PACK, [text])
    assert (refused.value.code, refused.value.where) == (code, f"--set {text}: popup.max_gap_s")
