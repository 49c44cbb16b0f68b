"""A policy that notes which of its values are read."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from online_guard.policy.pack import Policy


class Recorder:
    """Stands for a policy section and notes which of its values are read."""

    def __init__(self, table: str, section: Any, seen: set[str]) -> None:
        self.__dict__.update(table=table, section=section, seen=seen)

    def __getattr__(self, name: str) -> Any:
        self.seen.add(f"{self.table}.{name}")
        return getattr(self.section, name)


def recording(policy: Policy, seen: set[str]) -> Policy:
    """Return the policy with every section replaced by a recorder."""
    sections = {item.name: getattr(policy, item.name) for item in fields(policy)}
    wrapped = {
        name: Recorder({"training_class": "class"}.get(name, name), section, seen)
        for name, section in sections.items()
        if is_dataclass(section)
    }
    return replace(policy, **wrapped)  # type: ignore[arg-type]
