"""What an assessment is held with: sites, rooms, hours of the day and examiners, as the county's office states them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

from online_guard.terms import AssessmentPart

Id = Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f\x7f-\x9f]{1,128}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _day(value: object) -> object:
    """Refuse what Pydantic would take for a date besides: a number of seconds, or a moment."""
    is_text = isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    if not is_text and (not isinstance(value, date) or isinstance(value, datetime)):
        raise ValueError("日期应为 YYYY-MM-DD / a civil date is YYYY-MM-DD")
    return value


def _hour(value: object) -> object:
    """Refuse what Pydantic would take for a time of day besides, such as a number of seconds."""
    is_text = isinstance(value, str) and re.fullmatch("[0-9]{2}:[0-9]{2}(:[0-9]{2})?", value)
    if not is_text and not isinstance(value, time):
        raise ValueError("时刻应为 HH:MM,不写时区 / a time of day is HH:MM, without a time zone")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Days = Annotated[frozenset[Day], PlainSerializer(sorted, return_type=list[date])]
"""Days, written in their order: the same statement is the same text."""
Hour = Annotated[time, BeforeValidator(_hour)]
Occupations = Annotated[frozenset[Text], PlainSerializer(sorted, return_type=list[str])]
Places = Annotated[int, Field(ge=1, le=1_000, strict=True)]


class Stated(BaseModel):
    """A record that can't be changed; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Slot(Stated):
    """A sitting's time of day (场次), the same on each day; local time in China."""

    slot_no: Annotated[int, Field(ge=1, le=24, strict=True)]
    starts: Hour
    ends: Hour

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if self.ends <= self.starts or self.starts.tzinfo or self.ends.tzinfo:
            raise ValueError("场次须先开始后结束,不写时区 / a slot starts before it ends, without a time zone")
        return self


class Room(Stated):
    """A room: seats at computers for theory (理论上机), or workstations for practice (实操工位), by occupation."""

    room_id: Id
    name: Text
    part: AssessmentPart
    seats: Places | None = None
    workstations: Mapping[str, Places] = {}

    @model_validator(mode="after")
    def _has_places(self) -> Self:
        is_theory = self.part is AssessmentPart.THEORY
        if (self.seats is not None) != is_theory or bool(self.workstations) == is_theory:
            raise ValueError(
                "理论考场写 seats,实操考场写 workstations / a theory room has seats, a practice room workstations"
            )
        return self


class Site(Stated):
    """A place with rooms (考点); it isn't open on `closed_on`."""

    site_id: Id
    name: Text
    address: Text
    rooms: tuple[Room, ...] = Field(min_length=1)
    closed_on: Days = frozenset()


class Examiner(Stated):
    """Somebody who watches sittings: practice of the named occupations, theory of any."""

    examiner_id: Id
    name: Text
    occupations: Occupations = frozenset()
    days_off: Days = frozenset()


class Travel(Stated):
    """How long it takes from one site to another, both ways."""

    between: tuple[Id, Id]
    minutes: Annotated[int, Field(ge=0, le=1_440, strict=True)]


class Venues(Stated):
    """All that a county holds its assessments with.

    Attributes:
        sites: Places with rooms.
        slots: Times of day, not over each other.
        examiners: Who watches.
        travel: Between sites; a pair that isn't stated takes `travel_minutes`.
        travel_minutes: Between sites of which nothing is stated.
        open_on: Days on which assessments are held though they are no working days, or though it isn't known yet
            whether they are (a year without an official notice).
    """

    sites: tuple[Site, ...] = Field(min_length=1)
    slots: tuple[Slot, ...] = Field(min_length=1)
    examiners: tuple[Examiner, ...] = Field(min_length=1)
    travel: tuple[Travel, ...] = ()
    travel_minutes: Annotated[int, Field(ge=0, le=1_440, strict=True)] = 60
    open_on: Days = frozenset()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _must_be_unique("site_id", [site.site_id for site in self.sites])
        _must_be_unique("room_id", [room.room_id for site in self.sites for room in site.rooms])
        _must_be_unique("examiner_id", [examiner.examiner_id for examiner in self.examiners])
        _must_be_unique("slot_no", [slot.slot_no for slot in self.slots])
        in_order = sorted(self.slots, key=lambda slot: slot.starts)
        if any(later.starts < earlier.ends for earlier, later in pairwise(in_order)):
            raise ValueError("场次时间重叠 / slots lie over each other")
        known = {site.site_id for site in self.sites}
        if any(set(way.between) - known or len(set(way.between)) != 2 for way in self.travel):
            raise ValueError("travel 须写两个不同的已知考点 / travel names two different known sites")
        return self


def _must_be_unique(name: str, values: list[str] | list[int]) -> None:
    twice = sorted({str(value) for value in values if values.count(value) > 1})  # type: ignore[arg-type]
    if twice:
        raise ValueError(f"{name} 重复 / given twice: {', '.join(twice)}")
