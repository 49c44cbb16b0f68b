"""A roster as what hangs on doors: who sits in a room in one slot of one day, by seat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from online_guard.assessment.documents.papers import Papers, Person
from online_guard.assessment.documents.words import hours
from online_guard.assessment.roster import Candidate, Roster, Sitting
from online_guard.assessment.venues import Room, Site, Slot


class Place(NamedTuple):
    """A room in one slot of one day: what a list is hung for; sorts by site, day, slot, room."""

    site_id: str
    on: date
    slot_no: int
    room_id: str


@dataclass(frozen=True)
class Seat:
    """A candidate at a seat."""

    seat_no: int
    candidate: Candidate
    person: Person


@dataclass(frozen=True)
class RoomList:
    """All seats taken in a place, from the lowest number, and who watches them (names, sorted)."""

    place: Place
    site: Site
    room: Room
    slot: Slot
    examiners: tuple[str, ...]
    seats: tuple[Seat, ...]


@dataclass(frozen=True)
class Venue:
    """What a roster's ids of sites, rooms and slots stand for."""

    roster: Roster

    @cached_property
    def sites(self) -> Mapping[str, Site]:
        """Return the sites by id."""
        return {site.site_id: site for site in self.roster.sites}

    @cached_property
    def rooms(self) -> Mapping[str, Room]:
        """Return the rooms by id, of all sites."""
        return {room.room_id: room for site in self.roster.sites for room in site.rooms}

    @cached_property
    def slots(self) -> Mapping[int, Slot]:
        """Return the slots by number."""
        return {slot.slot_no: slot for slot in self.roster.slots}

    def told(self, sittings: tuple[Sitting, ...]) -> str:
        """Return where and when a candidate sits, a line for each part; empty for none."""
        return "\n".join(
            f"{one.on:%Y-%m-%d} {hours(self.slots[one.slot_no])} {self.sites[one.site_id].name} "
            f"{self.rooms[one.room_id].name} {one.seat_no}号"
            for one in sorted(sittings, key=lambda one: (one.on, one.slot_no))
        )


def place_of(sitting: Sitting) -> Place:
    """Return the place of a sitting."""
    return Place(sitting.site_id, sitting.on, sitting.slot_no, sitting.room_id)


def person_of(papers: Papers, enrolment_id: str) -> Person:
    """Return who an enrolment is; one of whom nothing is known is called by the enrolment."""
    return papers.people.get(enrolment_id) or Person(enrolment_id)


def room_lists(papers: Papers) -> tuple[RoomList, ...]:
    """Return a list for each place in use, sorted by site, day, slot and room."""
    roster, venue = papers.roster, Venue(papers.roster)
    candidates = {candidate.enrolment_id: candidate for candidate in roster.candidates}
    seated: dict[Place, list[Sitting]] = defaultdict(list)
    watched: dict[Place, list[str]] = defaultdict(list)
    for sitting in roster.plan.sittings:
        seated[place_of(sitting)].append(sitting)
    for duty in roster.plan.duties:
        name = papers.examiners.get(duty.examiner_id, duty.examiner_id)
        watched[Place(duty.site_id, duty.on, duty.slot_no, duty.room_id)].append(name)

    def seats(place: Place) -> Iterator[Seat]:
        for sitting in sorted(seated[place], key=lambda one: one.seat_no):
            yield Seat(sitting.seat_no, candidates[sitting.enrolment_id], person_of(papers, sitting.enrolment_id))

    return tuple(
        RoomList(
            place,
            venue.sites[place.site_id],
            venue.rooms[place.room_id],
            venue.slots[place.slot_no],
            tuple(sorted(watched[place])),
            tuple(seats(place)),
        )
        for place in sorted(seated)
    )
