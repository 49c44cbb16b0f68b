"""Loading a pack: refusals with file, key and reason; the hash; other counties."""

from __future__ import annotations

import json
import pickle
import random
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy, describe, load_policy
from online_guard.policy.document import PACKS, flatten
from online_guard.policy.pack import HEADER, pack_schema
from online_guard.policy.reading import split_hint

Write = Callable[[str], Path]
GAP = 'max_gap_s = { value = 300, unit = "s", clause = "(四)21(2)", text = "连续5分钟内无弹窗管控" }'
SLOW_CLICKER = ", answer_latency_ms = 4000"
BLENDED = '  "收发员", "收银员", '


def toml(value: object) -> str:
    """Return a value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def toml_pack(entries: Mapping[str, object]) -> str:
    """Return a pack as one dotted line for each entry."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in entries.items())


@pytest.fixture
def entries(shipped_document: dict[str, Any]) -> dict[str, Any]:
    """Return the shipped pack's raw entries by dotted key, for the test to change."""
    return flatten(shipped_document, pack_schema())


REFUSALS = [
    # old, new, code, key, reason
    (GAP, "", "missing_key", "popup.max_gap_s", "missing"),
    ("[device]", "[devices]", "unknown_key", "devices", "unknown key"),
    (GAP, f"{GAP}\nmax_gaps_s = 3", "unknown_key", "popup.max_gaps_s", "unknown key"),
    (GAP, f'"x.y" = 3\n{GAP}', "unknown_key", "popup.x.y", "unknown key"),
    (GAP, GAP.replace("value", "vaule"), "unknown_key", "popup.max_gap_s.vaule", "unknown key"),
    (GAP, GAP.replace('clause = "(四)21(2)", ', ""), "missing_key", "popup.max_gap_s.clause", "missing"),
    (GAP, GAP.replace('unit = "s", ', ""), "missing_key", "popup.max_gap_s.unit", "missing"),
    (GAP, GAP.replace('"s"', '"min"'), "impossible_value", "popup.max_gap_s.unit", 'the unit is "s"'),
    (GAP, GAP.replace('"(四)21(2)"', '""'), "wrong_type", "popup.max_gap_s.clause", "isn't empty"),
    (GAP, "max_gap_s = 300", "wrong_type", "popup.max_gap_s", "must be a table in braces, is 300"),
    (GAP, GAP.replace("300", "nan"), "impossible_value", "popup.max_gap_s", "NaN is outside"),
    (GAP, GAP.replace("300", "-300"), "impossible_value", "popup.max_gap_s", "-300 is outside"),
    (GAP, GAP.replace("300", "true"), "wrong_type", "popup.max_gap_s", "must be a number, is true"),
    (GAP, GAP.replace("300", "2021-04-07"), "wrong_type", "popup.max_gap_s", 'is "2021-04-07"'),
    ("value = true, clause", 'value = true, unit = "", clause', "unknown_key", "review.second_person.unit", "unknown"),
    ("value = [4, 8, 12]", "value = [4, 8, 13]", "impossible_value", "assessment.months#3", "13 is outside"),
    ('OG902 = { value = "note"', 'OG903 = { value = "note"', "unknown_key", "effect.OG903", "unknown key"),
    ('OG106 = { value = "note"', 'OG106 = { value = "ok"', "impossible_value", "effect.OG106", "none of"),
    ("value = 0.55", "value = 0.75", "impossible_value", "liveness.match_distance", "0.75 is greater than"),
    ('value = 300, unit = "ms"', 'value = 60001, unit = "ms"', "impossible_value", "popup.min_reaction_ms", "outside"),
    ('name = "收银员"', 'name = "收发员"', "impossible_value", "occupations.online#12", "stands twice"),
    ('name = "社会工作者"', 'name = "跨境电子商务师"', "impossible_value", "occupations.online", "stands twice"),
    (BLENDED, f'{BLENDED}"焊工", ', "impossible_value", "occupations.blended", "焊工 isn't in occupations.online"),
    (BLENDED, f'{BLENDED}"跨境电子商务师", ', "impossible_value", "occupations.blended", "isn't in"),
    ('"创业培训", no = 2', '"创业培训", no = 1', "impossible_value", "tasks.rows", "number 1 stands twice"),
    (SLOW_CLICKER, "", "impossible_value", "known_tools.signatures", "has nothing alone"),
    (SLOW_CLICKER, ", stop_share = 0.91", "impossible_value", "known_tools.signatures", "has stop_share alone"),
    (SLOW_CLICKER, f"{SLOW_CLICKER}, clicks = 3", "unknown_key", "known_tools.signatures#8.clicks", "unknown key"),
    (SLOW_CLICKER, ", answer_latency_ms = -1", "impossible_value", "known_tools.signatures#8.answer_latency_ms", "-1"),
    ('id = "huangchuan-2021"', 'id = " "', "wrong_type", "id", "isn't empty"),
    ('id = "huangchuan-2021"', "", "missing_key", "id", "missing"),
    ('version = "3"', "version = 1", "wrong_type", "version", "must be a quoted text"),
    ('version = "3"', 'version = "2"\nyear = 2021', "unknown_key", "year", "unknown key"),
    ('version = "3"', 'version = "2"\n"popup.max_gap_s" = 1', "unknown_key", '"popup.max_gap_s"', "unknown key"),
]


@pytest.mark.parametrize(("old", "new", "code", "key", "reason"), REFUSALS)
def test_refusal_names_file_key_and_reason(
    write_pack: Write, shipped_text: str, old: str, new: str, code: str, key: str, reason: str
) -> None:
    assert old in shipped_text
    path = write_pack(shipped_text.replace(old, new, 1))
    with pytest.raises(GuardError) as refused:
        load_policy(path)
    error = refused.value
    assert (error.kind, error.code, error.where) == (ErrorKind.INVALID, f"policy.{code}", f"{path}: {key}")
    assert reason in error.message
    assert " / " in error.message


def test_reaction_longer_than_the_timeout() -> None:
    with pytest.raises(GuardError, match=r"301 ms is longer than popup\.answer_timeout_s \(0\.3\)"):
        load_policy("huangchuan-2021", ["popup.answer_timeout_s=0.3", "popup.min_reaction_ms=301"])
    assert load_policy("huangchuan-2021", ["popup.answer_timeout_s=0.3"]).popup.min_reaction_ms == 300


def test_equal_distances_stand_together() -> None:
    assert load_policy("huangchuan-2021", ["liveness.match_distance=0.7"]).liveness.match_distance == 0.7


def test_all_faults_are_named_at_once(write_pack: Write, shipped_text: str) -> None:
    path = write_pack(
        shipped_text.replace(GAP, "").replace("value = 0.85", "value = 85").replace("[device]", "[gadget]")
    )
    with pytest.raises(GuardError, match="4 places in all") as refused:
        load_policy(path)
    keys = [fault.where.removeprefix(f"{path}: ") for fault in refused.value.faults]
    assert keys == ["gadget", "popup.max_gap_s", "device.max_learners", "satisfaction.minimum"]
    assert refused.value.where == f"{path}: gadget"


def test_an_empty_pack_misses_every_key(write_pack: Write) -> None:
    with pytest.raises(GuardError) as refused:
        load_policy(write_pack(""))
    assert len(refused.value.faults) == len(HEADER) + len(pack_schema())


def test_the_entry_writer_writes_the_same_pack(write_pack: Write, entries: dict[str, Any], shipped: Policy) -> None:
    assert load_policy(write_pack(toml_pack(entries))) == shipped


@given(seed=st.integers(0, 2**32 - 1))
def test_order_comments_space_and_number_spelling_keep_the_hash(
    tmp_path_factory: pytest.TempPathFactory, shipped: Policy, shipped_text: str, seed: int
) -> None:
    draw = random.Random(seed)
    schema = pack_schema()
    lines = []
    for key, entry in flatten(tomllib.loads(shipped_text), schema).items():
        parts = list(entry.items()) if isinstance(entry, dict) else []
        draw.shuffle(parts)
        text = toml(dict(parts)) if parts else toml(entry)
        if key in schema and split_hint(schema[key])[0] is float and isinstance(entry, dict):
            number = draw.choice([f"{entry['value']:.6f}", f"{entry['value']:e}", f"+{entry['value']}"])
            text = toml(dict(parts) | {"value": "NUMBER"}).replace('"NUMBER"', number)
        lines.append(f"{draw.choice(['', '  ', '# 注'])}\n{key}  =\t{text}  # {draw.random()}\n")
    draw.shuffle(lines)
    path = tmp_path_factory.mktemp("pack") / "county.toml"
    path.write_text("".join(lines), "utf-8")
    assert load_policy(path) == shipped


def other_value(key: str, value: Any) -> Any:
    """Return another possible value of a key."""
    base = split_hint(pack_schema()[key])[0]
    if key == "occupations.online":
        return [{**value[0], "vocational_certificate": "yes"}, *value[1:]]
    if base is bool:
        return not value
    if base is float:
        return value * 0.99
    if base is int:
        return value + 1
    if isinstance(value, list):
        return value[:-1]
    return next(word for word in base if word != value)


@pytest.mark.parametrize("key", pack_schema())
def test_each_value_clause_and_excerpt_changes_the_hash(write_pack: Write, entries: dict[str, Any], key: str) -> None:
    entry = entries[key]
    hashes = {load_policy(write_pack(toml_pack(entries))).sha256}
    for part, other in (("value", other_value(key, entry["value"])), ("clause", "附件9"), ("text", "另文")):
        changed = load_policy(write_pack(toml_pack({**entries, key: {**entry, part: other}})))
        hashes.add(changed.sha256)
    assert len(hashes) == 4


@pytest.mark.parametrize("key", HEADER)
def test_the_header_changes_the_hash(write_pack: Write, entries: dict[str, Any], shipped: Policy, key: str) -> None:
    assert load_policy(write_pack(toml_pack({**entries, key: "x"}))).sha256 != shipped.sha256


def test_an_override_hashes_as_the_same_value_in_a_file(write_pack: Write, shipped_text: str) -> None:
    in_file = load_policy(write_pack(shipped_text.replace(GAP, GAP.replace("300", "240.0"))))
    assert load_policy("huangchuan-2021", ["popup.max_gap_s=240"]) == in_file


def test_the_hash_is_the_same_in_every_process() -> None:
    expected = "ffbab6fd52a75de57e6ccd8cb5fb8c13668edbcc2ec15d99358782af00cfc4c6"
    assert load_policy("huangchuan-2021").sha256 == expected, "the shipped pack changed: raise its version"


def test_a_policy_travels_to_worker_processes(shipped: Policy) -> None:
    again = pickle.loads(pickle.dumps(shipped))
    assert again == shipped
    assert again.effects["OG301"] == "reject"


def test_a_policy_is_frozen(shipped: Policy) -> None:
    with pytest.raises(FrozenInstanceError):
        shipped.popup.max_gap_s = 1  # type: ignore[misc]


def test_another_county_needs_no_code(write_pack: Write, entries: dict[str, Any]) -> None:
    entries |= {"id": "guangshan-2022", "version": "3", "title": "光山县 2022"}
    entries["popup.max_gap_s"] |= {"value": 600, "clause": "第9条", "text": "连续10分钟内无弹窗"}
    entries["assessment.months"] |= {"value": [6]}
    entries["assessment.applicant"] |= {"value": "institution"}
    entries["occupations.online"] |= {"value": [{"name": "焊工", "vocational_certificate": "yes"}]}
    entries["occupations.blended"] |= {"value": []}
    entries["order.kinds"] |= {"value": []}
    county = load_policy(str(write_pack(toml_pack(entries))))
    assert (county.id, county.version, county.popup.max_gap_s, county.order.kinds) == ("guangshan-2022", "3", 600.0, ())
    assert county.clauses["popup.max_gap_s"] == "第9条"
    assert county.occupations.may_run("焊工", "online")  # type: ignore[arg-type]
    assert not county.occupations.may_run("电子商务师", "online")  # type: ignore[arg-type]
    assert county.occupations.vocational_certificate("焊工") == "yes"
    assert len(describe(county)) == len(pack_schema())


def test_the_shipped_pack_is_the_file_in_the_package() -> None:
    assert isinstance(PACKS, Path)
    assert load_policy(PACKS / "huangchuan-2021.toml") == load_policy("huangchuan-2021")
