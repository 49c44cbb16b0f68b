"""A policy pack: read, refused or normalised, hashed, and handed out as one frozen `Policy`.

What `load_policy` keeps is exactly what it hashes: id, version, title, each value in its normal form, each clause and
excerpt. Comments, white space, the order of keys, and the spelling of a number don't change the hash; the order of a
list does, because it is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from online_guard.errors import Fault, GuardError
from online_guard.policy import sections
from online_guard.policy.document import Override, did_you_mean, flatten, parse_override, read_document
from online_guard.policy.reading import Hint, read_value, refuse, split_hint, wrong_type
from online_guard.policy.sections import RULE_IDS
from online_guard.terms import Effect

HEADER = ("id", "version", "title")
"""Keys that say which pack this is: plain texts without a clause."""
HONEST_ALONE = {"stop_share", "first_event", "event_types"}
"""Constants of a signature that say nothing alone: some honest session stops there, begins or looks so."""
TABLE_NAMES = {"training_class": "class", "effects": "effect"}
"""Fields of `Policy` whose TOML table has another name."""


@dataclass(frozen=True)
class Policy:
    """One county's law, as numbers: every threshold, window and catalogue, each with its clause.

    Args:
        id: Name of the pack, recorded with every finding.
        version: Its version, likewise.
        title: What a reader sees.
        sha256: Of the normalised content, lower-case hex.
        effects: Effect of each rule id.
        clauses: Clause of each dotted key and each rule id.
        texts: Excerpt of that clause, or why a value without one is needed.
    """

    id: str
    version: str
    title: str
    sha256: str
    violation_scope: sections.ViolationScope
    playback: sections.Playback
    clock: sections.Clock
    windows: sections.Windows
    popup: sections.Popup
    order: sections.Order
    assessment: sections.Assessment
    control: sections.Control
    liveness: sections.Liveness
    snapshot: sections.Snapshot
    device: sections.Device
    hours: sections.Hours
    training_class: sections.TrainingClass
    offline: sections.Offline
    satisfaction: sections.Satisfaction
    retention: sections.Retention
    review: sections.Review
    tasks: sections.Tasks
    effects: Mapping[str, Effect]
    occupations: sections.Occupations
    known_tools: sections.KnownTools
    clauses: Mapping[str, str]
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """One key of a pack as it was read."""

    value: Any
    clause: str
    text: str


def load_policy(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Policy:
    """Return the policy of a shipped pack or of a TOML file.

    Args:
        name_or_path: Name of a shipped pack such as `huangchuan-2021`, or the path of a file.
        overrides: `KEY=VALUE` in TOML syntax, such as `popup.max_gap_s=240`; the last for a key counts. They change the
            hash, not the clauses.

    Raises:
        GuardError: The file can't be read, a key is unknown or missing, a value has the wrong type or is impossible.
            `where` is file (or override) and key of the first fault, `faults` has all.
    """
    file, document = read_document(name_or_path)
    schema = pack_schema()
    raw = flatten(document, {*schema, *HEADER})
    origins = dict.fromkeys(raw, file)
    for override in (parse_override(text, schema) for text in overrides):
        raw[override.key] = _overridden(raw.get(override.key), override)
        origins[override.key] = override.origin
    return _build(raw, schema, _Refusals(file, origins))


def pack_schema() -> dict[str, Hint]:
    """Return the annotation of every dotted key that has value and clause, in the order of a listing."""
    schema: dict[str, Hint] = {}
    for name, hint in get_type_hints(Policy, include_extras=True).items():
        table = TABLE_NAMES.get(name, name)
        if name == "effects":
            schema |= {f"{table}.{rule}": Effect for rule in RULE_IDS}
        elif name == "violation_scope":
            schema[name] = hint
        elif is_dataclass(hint):
            schema |= {f"{table}.{key}": inner for key, inner in get_type_hints(hint, include_extras=True).items()}
    return schema


def unit_of(hint: Hint) -> str:
    """Return the unit that a key's values have; empty for words, flags and catalogues."""
    limits = split_hint(hint)[1]
    return "" if limits is None else limits.unit


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: records as objects without their absent fields, tuples as lists."""
    if is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: plain(item) for name, item in named if item is not None}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


class _Refusals:
    """What is wrong with a pack, gathered so that one reading names every place."""

    def __init__(self, file: str, origins: Mapping[str, str]) -> None:
        self.file = file
        self.origins = origins
        self.found: list[GuardError] = []

    def add(self, key: str, error: GuardError) -> None:
        """Record a refusal that concerns a dotted key, with the file or override it came from."""
        where = f"{self.origins.get(key, self.file)}: {error.where}"
        self.found.append(GuardError(error.kind, error.code, error.message, where=where, remedy=error.remedy))

    def raise_any(self) -> None:
        """Raise the first refusal with all places, if there is one."""
        if not self.found:
            return
        first, count = self.found[0], len(self.found)
        more = f"（共 {count} 处 / {count} places in all）" if count > 1 else ""
        faults = tuple(Fault(error.where, f"{error.message} {error.remedy}".rstrip()) for error in self.found)
        message = f"{first.message}{more}"
        raise GuardError(first.kind, first.code, message, where=first.where, remedy=first.remedy, faults=faults)


def _overridden(entry: object, override: Override) -> object:
    return {**entry, "value": override.value} if isinstance(entry, dict) else {"value": override.value}


def _build(raw: Mapping[str, object], schema: Mapping[str, Hint], refusals: _Refusals) -> Policy:
    header, entries = _read_all(raw, schema, refusals)
    refusals.raise_any()
    policy = _policy(header, entries)
    for key, reason in _contradictions(policy):
        refusals.add(key, refuse("impossible_value", key, reason))
    refusals.raise_any()
    return policy


def _read_all(
    raw: Mapping[str, object], schema: Mapping[str, Hint], refusals: _Refusals
) -> tuple[dict[str, str], dict[str, Entry]]:
    header: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    known = [*HEADER, *schema]
    for key in raw:
        if key not in known:
            refusals.add(key, refuse("unknown_key", key, "未知的键 / unknown key", did_you_mean(key, known)))
    for key in known:
        try:
            if key not in raw:
                raise refuse("missing_key", key, "缺少此键 / this key is missing")
            if key in HEADER:
                header[key] = read_value(str, raw[key], key)
            else:
                entries[key] = _entry(schema[key], raw[key], key)
        except GuardError as error:
            refusals.add(key, error)
    return header, entries


def _entry(hint: Hint, raw: object, key: str) -> Entry:
    """Return the entry of a table `{ value, unit, clause, text }`; the unit must be the schema's."""
    unit = unit_of(hint)
    if not isinstance(raw, dict):
        raise wrong_type(dict, raw, key)
    parts = ("value", "clause", "text", *(("unit",) if unit else ()))
    for name in raw:
        if name not in parts:
            near = did_you_mean(f"{key}.{name}", [f"{key}.{part}" for part in parts])
            raise refuse("unknown_key", f"{key}.{name}", "未知的键 / unknown key", near)
    for name in parts:
        if name not in raw:
            raise refuse("missing_key", f"{key}.{name}", "缺少此键 / this key is missing")
    if unit and raw["unit"] != unit:
        raise refuse("impossible_value", f"{key}.unit", f'单位只能是 "{unit}" / the unit is "{unit}"')
    clause, text = (read_value(str, raw[part], f"{key}.{part}") for part in ("clause", "text"))
    return Entry(read_value(hint, raw["value"], key), clause, text)


def _policy(header: Mapping[str, str], entries: Mapping[str, Entry]) -> Policy:
    parts: dict[str, Any] = dict(header)
    for name, section in get_type_hints(Policy).items():
        if is_dataclass(section):
            table = TABLE_NAMES.get(name, name)
            values = {field.name: entries[f"{table}.{field.name}"].value for field in fields(section)}
            parts[name] = cast(type, section)(**values)
    return Policy(
        **parts,
        sha256=_sha256(header, entries),
        violation_scope=entries["violation_scope"].value,
        effects={rule: entries[f"effect.{rule}"].value for rule in RULE_IDS},
        clauses={key.removeprefix("effect."): entry.clause for key, entry in entries.items()},
        texts={key.removeprefix("effect."): entry.text for key, entry in entries.items()},
    )


def _sha256(header: Mapping[str, str], entries: Mapping[str, Entry]) -> str:
    content = {**header, "entries": {key: plain(entry) for key, entry in entries.items()}}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _contradictions(policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield key and reason where two values that may each stand alone can't stand together."""
    match, reject = policy.liveness.match_distance, policy.liveness.reject_distance
    if match > reject:
        limit = f"liveness.reject_distance ({reject:g})"
        yield "liveness.match_distance", f"{match:g} 大于 {limit} / {match:g} is greater than {limit}"
    reaction, timeout = policy.popup.min_reaction_ms, policy.popup.answer_timeout_s
    if reaction > timeout * 1000:
        limit = f"popup.answer_timeout_s ({timeout:g})"
        yield "popup.min_reaction_ms", f"{reaction} ms 长于 {limit} / {reaction} ms is longer than {limit}"
    numbers = [task.no for task in policy.tasks.rows]
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        yield "tasks.rows", f"序号 {number} 重复 / number {number} stands twice"
    for name in policy.occupations.repeated():
        yield "occupations.online", f"职业 {name} 重复 / occupation {name} stands twice"
    entries = [entry.name for entry in policy.occupations.online]
    for name in policy.occupations.blended:
        if name not in entries:
            yield "occupations.blended", f"{name} 不在 occupations.online 中 / {name} isn't in occupations.online"
    for signature in policy.known_tools.signatures:
        constants = signature.constants()
        if len(constants) < 2 and constants <= HONEST_ALONE:
            only = next(iter(constants), "nothing")
            reason = f"{signature.id} 的常数不足，诚实学员也会符合 / has {only} alone, which fits honest learners too"
            yield "known_tools.signatures", reason
