"""An operator's word that an older database shall be used all the same (`store.marks` raises the alarm)."""

from __future__ import annotations

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import clock_ms, open_house
from online_guard.service.operating import erasures
from online_guard.settings import Settings
from online_guard.store import marks
from online_guard.store.unit_of_work import migrate, open_engine


def accept_rollback(settings: Settings, reason: str) -> tuple[marks.Mark, int]:
    """Record why an older database shall be used; it may be started then.

    Whoever was erased after that database's time is erased again. Returns how old it is, and how many those were.

    Raises:
        GuardError: It isn't older, or no reason is given.
    """
    if not reason.strip():
        raise GuardError(ErrorKind.INVALID, "rollback.no_reason", "请说明原因 / say why", where="--reason")
    migrate(settings.database)
    engine = open_engine(settings.database)
    try:
        found = marks.acknowledge(engine, settings.memory_file, reason.strip(), clock_ms())
    finally:
        engine.dispose()
    house = open_house(settings)
    try:
        return found, erasures.apply_again(house)
    finally:
        house.engine.dispose()
