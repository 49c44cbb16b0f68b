"""A policy as rows that a person reads: key, value, unit, clause, excerpt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from online_guard.policy.pack import TABLE_NAMES, Policy, pack_schema, plain, unit_of


@dataclass(frozen=True)
class PolicyLine:
    """One key of a pack. `value` is plain JSON: number, text, flag, or a list of texts, numbers or objects."""

    key: str
    value: Any
    unit: str
    clause: str
    text: str

    @property
    def value_text(self) -> str:
        """Return the value in one line: lists joined, records by their names."""
        if isinstance(self.value, list):
            return "、".join(_name(item) for item in self.value)
        return _name(self.value)


def describe(policy: Policy) -> tuple[PolicyLine, ...]:
    """Return every key of the policy in the order of the schema, rules' effects as `effect.OG101` and so on."""
    attributes = {table: name for name, table in TABLE_NAMES.items()}
    lines = []
    for key, hint in pack_schema().items():
        table, _, name = key.partition(".")
        section = getattr(policy, attributes.get(table, table))
        value = section[name] if table == "effect" else getattr(section, name) if name else section
        said = key.removeprefix("effect.")
        lines.append(PolicyLine(key, plain(value), unit_of(hint), policy.clauses[said], policy.texts[said]))
    return tuple(lines)


def _name(item: Any) -> str:
    if isinstance(item, dict):
        covered = "、".join(item.get("covers", ()))
        return f"{next(iter(item.values()))}（含{covered}）" if covered else str(next(iter(item.values())))
    return item if isinstance(item, str) else json.dumps(item)
