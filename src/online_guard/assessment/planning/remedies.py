"""Steps that add to the venues, in words and as what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from online_guard.assessment.planning.answers import Lack, Step
from online_guard.assessment.venues import Examiner, Room, Venues
from online_guard.terms import AssessmentPart

NEW = "new"
"""How rooms and examiners that don't exist yet are called in what is tried."""


def with_steps(venues: Venues, steps: Sequence[Step]) -> Venues:
    """Return the venues after some steps of a remedy."""
    for number, step in enumerate(steps):
        venues = _TAKE[step.lack](venues, step, number)
    return venues


def day_steps(days: Sequence[date], count: int) -> tuple[Step, ...]:
    """Return one step for each of the first days."""
    return tuple(
        Step(lack=Lack.DAYS, count=1, on=day, zh=f"增加一个考核日:{day}", en=f"one more day of assessment: {day}")
        for day in days[:count]
    )


def seat_step(site_id: str, room: Room, count: int) -> tuple[Step, ...]:
    """Return more seats in a theory room."""
    zh = f"{room.name}({room.room_id})增加 {count} 个机位"
    en = f"{count} more seats in theory room {room.room_id}"
    return (Step(lack=Lack.THEORY_SEATS, count=count, site_id=site_id, room_id=room.room_id, zh=zh, en=en),)


def room_step(site_id: str, room: Room, count: int) -> tuple[Step, ...]:
    """Return more rooms like one."""
    zh = f"增加 {count} 间与{room.name}({room.room_id})相同的考场"
    en = f"{count} more rooms like {room.room_id}"
    names = {"site_id": site_id, "room_id": room.room_id}
    return (Step(lack=_lack_of(room), count=count, new_room=True, zh=zh, en=en, **names),)


def station_step(site_id: str, room: Room, occupation: str, count: int) -> tuple[Step, ...]:
    """Return more workstations in a practice room."""
    zh = f"{room.name}({room.room_id})增加 {count} 个{occupation}工位"
    en = f"{count} more workstations of {occupation} in room {room.room_id}"
    names = {"site_id": site_id, "room_id": room.room_id, "occupation": occupation}
    return (Step(lack=Lack.WORKSTATIONS, count=count, zh=zh, en=en, **names),)


def examiner_step(occupation: str, count: int) -> tuple[Step, ...]:
    """Return more examiners of an occupation."""
    zh = f"增加 {count} 名{occupation}考评员"
    en = f"{count} more examiners of {occupation}"
    return (Step(lack=Lack.EXAMINERS, count=count, occupation=occupation, zh=zh, en=en),)


def _lack_of(room: Room) -> Lack:
    return Lack.THEORY_SEATS if room.part is AssessmentPart.THEORY else Lack.WORKSTATIONS


def _open_day(venues: Venues, step: Step, number: int) -> Venues:
    sites = tuple(site.model_copy(update={"closed_on": site.closed_on - {step.on}}) for site in venues.sites)
    return venues.model_copy(update={"sites": sites, "open_on": venues.open_on | {step.on}})


def _add_examiners(venues: Venues, step: Step, number: int) -> Venues:
    fit = frozenset([step.occupation]) if step.occupation else frozenset()
    more = tuple(Examiner(examiner_id=f"{NEW}-{number}-{n}", name=NEW, occupations=fit) for n in range(step.count))
    return venues.model_copy(update={"examiners": (*venues.examiners, *more)})


def _add_places(venues: Venues, step: Step, number: int) -> Venues:
    """More places in a room, or more rooms like it."""
    sites = []
    for site in venues.sites:
        rooms: list[Room] = []
        for room in site.rooms:
            here = (site.site_id, room.room_id) == (step.site_id, step.room_id)
            rooms.append(_larger(room, step) if here and not step.new_room else room)
            if here and step.new_room:
                rooms += [room.model_copy(update={"room_id": f"{NEW}-{number}-{n}"}) for n in range(step.count)]
        sites.append(site.model_copy(update={"rooms": tuple(rooms)}))
    return venues.model_copy(update={"sites": tuple(sites)})


def _larger(room: Room, step: Step) -> Room:
    if step.occupation is None:
        return room.model_copy(update={"seats": (room.seats or 0) + step.count})
    more = room.workstations.get(step.occupation, 0) + step.count
    return room.model_copy(update={"workstations": {**room.workstations, step.occupation: more}})


_TAKE: Mapping[Lack, Callable[[Venues, Step, int], Venues]] = {
    Lack.DAYS: _open_day,
    Lack.THEORY_SEATS: _add_places,
    Lack.WORKSTATIONS: _add_places,
    Lack.EXAMINERS: _add_examiners,
}
