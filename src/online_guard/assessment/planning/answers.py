"""What planning answers besides a plan: how far it is, what a plan breaks, and what stands in the way of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from online_guard.assessment.venues import Id, Stated, Text


@dataclass(frozen=True)
class Progress:
    """How far planning is: the best plan's objective so far (None while there is none), and what none can go below."""

    objective: float | None
    bound: float


Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Violation:
    """A hard constraint that a plan breaks: a stable code, and who, when and where in words, Chinese first."""

    code: str
    where: str
    message: str


class Lack(StrEnum):
    """What there is too little of."""

    DAYS = "days"
    """Days of the month that are worked, with an open site, and not before the day applied for."""
    THEORY_SEATS = "theory_seats"
    """Seats at computers."""
    WORKSTATIONS = "workstations"
    """Workstations of an occupation."""
    EXAMINERS = "examiners"
    """Examiners; for practice, of an occupation."""
    SLOTS = "slots"
    """Slots with theory before practice on one day, travel counted in."""


class Reason(Stated):
    """One constraint that blocks, alone or with others.

    Attributes:
        lack: Of what.
        occupation: Of which occupation; None for all.
        candidates: How many it concerns.
        zh: In words.
        en: In words.
    """

    lack: Lack
    occupation: str | None = None
    candidates: int
    zh: str
    en: str


class Step(Stated):
    """One change of the venues.

    Attributes:
        lack: What is added to.
        count: How many: days, seats, workstations or examiners.
        occupation: Of workstations and examiners; None where any will do.
        site_id: Where the room stands.
        room_id: Of this room, or a new room like it if `new_room`.
        new_room: One more room with as many seats or workstations.
        on: The day that is opened.
        zh: In words.
        en: In words.
    """

    lack: Lack
    count: int
    occupation: str | None = None
    site_id: Id | None = None
    room_id: Id | None = None
    new_room: bool = False
    on: date | None = None
    zh: Text
    en: Text


class Remedy(Stated):
    """Steps that together free a plan; each was tried: with them there is a plan, and with fewer there is none."""

    steps: tuple[Step, ...]


class Blocked(Stated):
    """Why there is no plan.

    Attributes:
        window: Such as `2021-08`.
        unplaced: How many candidates find no place in the fullest plan that was found.
        proved: Whether it is proved that there is no plan; otherwise none was found in the time given.
        reasons: What blocks.
        remedies: What would free it, the least first; each for itself is enough.
    """

    window: str
    unplaced: int
    proved: bool
    reasons: tuple[Reason, ...]
    remedies: tuple[Remedy, ...]
