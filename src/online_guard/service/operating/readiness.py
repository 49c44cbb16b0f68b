"""Whether this process can do its work now: what `/readyz` tells, and what is missing when it can't."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from functools import cache

from online_guard.errors import GuardError
from online_guard.service.house import House, clock_ms
from online_guard.store import backlog, condition, marks
from online_guard.store.unit_of_work import reading

MOST_LAG_S = 600.0
"""A job that is due for longer shows that no worker is there: one takes a waiting job within seconds."""
KEEP_S = 2.0
"""For so long an answer is told again: whoever asks often costs the database nothing."""
_NEWEST = cache(condition.newest_tables)


def missing(house: House) -> dict[str, str]:
    """Return what isn't ready, and why; nothing when all is."""
    found = {name: _why(check, house) for name, check in CHECKS.items()}
    return {name: why for name, why in found.items() if why}


def _why(check: Callable[[House], str], house: House) -> str:
    try:
        return check(house)
    except GuardError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - whatever it is, it makes the service unready, and is told by its type
        return f"无法检查 / it can't be checked: {type(error).__name__}"


def _stopping(house: House) -> str:
    return "正在停止 / it is stopping" if house.closing.is_set() else ""


def _database(house: House) -> str:
    marks.advance(house.engine, house.settings.memory_file, clock_ms())
    return ""


def _tables(house: House) -> str:
    present = condition.present_tables(house.engine)
    return "" if present == _NEWEST() else f"数据库表不是最新 / the tables aren't the newest: {present}"


def _key(house: House) -> str:
    with house.settings.key_file.open("rb") as file:
        return "" if file.read(1) else "密钥文件为空 / the key file is empty"


def _worker(house: House) -> str:
    with reading(house.engine) as database:
        lag_s = backlog.waiting_s(database, clock_ms())
    return "" if lag_s <= MOST_LAG_S else f"作业无人处理已 {lag_s:.0f} 秒 / a job has waited for {lag_s:.0f} s"


def _disk(house: House) -> str:
    free_mib = shutil.disk_usage(house.settings.data_dir).free >> 20
    least_mib = house.settings.least_free_mib
    return "" if free_mib >= least_mib else f"剩余 {free_mib} MiB,少于 {least_mib} / {free_mib} MiB of disk are left"


CHECKS: dict[str, Callable[[House], str]] = {
    "stopping": _stopping,
    "database": _database,
    "tables": _tables,
    "key": _key,
    "worker": _worker,
    "disk": _disk,
}


class Readiness:
    """Looks at a house now and then, in a thread of its own, so that whoever asks never waits for a stuck database.

    Args:
        house: What is looked at.
        bound_s: The look must have ended within so many seconds.
    """

    def __init__(self, house: House, bound_s: float = 2.0) -> None:
        self._house = house
        self._bound_s = bound_s
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None
        self._found: dict[str, str] = {}
        self._at_s = float("-inf")

    def missing(self) -> dict[str, str]:
        """Return what isn't ready, and why, as it was `KEEP_S` ago or less."""
        with self._lock:
            if self._house.closing.is_set():
                return {"stopping": _stopping(self._house)}
            if time.monotonic() - self._at_s > KEEP_S:
                return self._look()
            return self._found

    def _look(self) -> dict[str, str]:
        if self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=self._run, name="readiness", daemon=True)
            self._looking.start()
        self._looking.join(self._bound_s)
        if self._looking.is_alive():
            return {"database": f"{self._bound_s:g} 秒内没有答复 / it didn't answer within {self._bound_s:g} s"}
        return self._found

    def _run(self) -> None:
        self._found = missing(self._house)
        self._at_s = time.monotonic()
