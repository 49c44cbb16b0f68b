"""Which days are worked, by the State Council's notices; a year without one is unknown, not a guess."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from pydantic import TypeAdapter, ValidationError, model_validator

from online_guard.assessment.venues import Stated, Text
from online_guard.errors import ErrorKind, Fault, GuardError

SATURDAY = 5


class DayKind(StrEnum):
    """What is known of a day."""

    WORKING = "working"
    OFF = "off"
    UNKNOWN = "unknown"
    """No notice for its year is at hand: not a working day until somebody says so."""


class OfficialYear(Stated):
    """One year's notice.

    Attributes:
        notice: Its number, such as 国办发明电〔2020〕27号.
        off: First and last day of each holiday; it may start in the year before.
        working: Saturdays and Sundays that are worked instead.
    """

    notice: Text
    off: tuple[tuple[date, date], ...]
    working: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _is_in_order(self) -> OfficialYear:
        if any(last < first for first, last in self.off):
            raise ValueError("放假须先起后止 / a holiday starts before it ends")
        if any(day.weekday() < SATURDAY for day in self.working):
            raise ValueError("调休上班日须为周六或周日 / a make-up working day is a Saturday or a Sunday")
        return self


_YEARS = TypeAdapter(Mapping[int, OfficialYear])


@dataclass(frozen=True)
class WorkingDays:
    """The calendar of working days, year by year."""

    years: Mapping[int, OfficialYear]

    @cached_property
    def _off(self) -> frozenset[date]:
        ranges = [days for year in self.years.values() for days in year.off]
        return frozenset(first + timedelta(n) for first, last in ranges for n in range((last - first).days + 1))

    @cached_property
    def _worked(self) -> frozenset[date]:
        return frozenset().union(*(year.working for year in self.years.values()))

    def kind(self, day: date) -> DayKind:
        """Return what is known of a day; a year's notice may also give days of the year before off."""
        if day.year not in self.years:
            return DayKind.UNKNOWN
        if day in self._off or (day.weekday() >= SATURDAY and day not in self._worked):
            return DayKind.OFF
        return DayKind.WORKING


def read_working_days(own_file: Path | None = None) -> WorkingDays:
    """Return the shipped calendar (2020 to 2026); a year in a county's own file stands in place of the shipped one.

    Args:
        own_file: TOML as the shipped `working_days.toml`: a table for each year with `notice`, `off`, `working`.

    Raises:
        GuardError: `working_days.unreadable` or `working_days.invalid`, with the place in the file.
    """
    shipped = files("online_guard.assessment").joinpath("working_days.toml").read_text(encoding="utf-8")
    years = dict(_YEARS.validate_python(tomllib.loads(shipped)))
    if own_file is not None:
        years |= _read_own(own_file)
    return WorkingDays(years)


def _read_own(path: Path) -> Mapping[int, OfficialYear]:
    try:
        return _YEARS.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GuardError(
            ErrorKind.MALFORMED,
            "working_days.unreadable",
            f"读不了工作日文件 / the file of working days can't be read: {error}",
            where=str(path),
            remedy="请按 working_days.toml 的写法 / write it as working_days.toml is written",
        ) from error
    except ValidationError as error:
        faults = tuple(Fault("/" + "/".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
        raise GuardError(
            ErrorKind.INVALID,
            "working_days.invalid",
            f"工作日文件内容有误 / the file of working days is faulty: {faults[0].where} {faults[0].reason}",
            where=str(path),
            remedy="每年写 notice、off、working / each year has notice, off and working",
            faults=faults,
        ) from error
