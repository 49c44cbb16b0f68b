"""What a platform may not read in its own evidence: the sessions, enrolments and classes of other platforms.

A finding can rest on them (a learner in two places at once, one face for two learners). That it does is told to the
platform; which they are is for auditors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from online_guard.service.house import House
from online_guard.store import queries
from online_guard.store.unit_of_work import reading

HIDDEN = "另一平台 / another platform"


def hide_foreign_names(house: House, platform_id: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return an answer to a platform in whose `evidence` the names of other platforms' things are hidden."""
    names = set(_texts(told, is_evidence=False))
    if not names:
        return told
    with reading(house.engine) as database:
        foreign = queries.foreign_names(database, names, platform_id)
    return dict(_without(told, foreign, is_evidence=False)) if foreign else told


def _texts(told: Any, is_evidence: bool) -> Iterator[str]:
    """Yield every text under a key `evidence`."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _texts(value, is_evidence or key == "evidence")
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value, is_evidence)
    elif is_evidence and isinstance(told, str):
        yield told


def _without(told: Any, foreign: set[str], is_evidence: bool) -> Any:
    if isinstance(told, dict):
        return {key: _without(value, foreign, is_evidence or key == "evidence") for key, value in told.items()}
    if isinstance(told, list):
        return [_without(value, foreign, is_evidence) for value in told]
    return HIDDEN if is_evidence and isinstance(told, str) and told in foreign else told
