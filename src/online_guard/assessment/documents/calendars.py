"""Calendars (RFC 5545) to subscribe to: the office's by room, an enterprise's by class. Candidates aren't named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from icalendar import STATUS, Calendar, Event

from online_guard.assessment.documents.papers import Papers, of_class
from online_guard.assessment.documents.room_lists import Place, Venue, place_of, room_lists
from online_guard.assessment.documents.words import published, window_zh
from online_guard.assessment.roster import Roster
from online_guard.printing import Made
from online_guard.printing.words import spans
from online_guard.terms import bilingual

SHANGHAI = ZoneInfo("Asia/Shanghai")
NO_SUMMER_TIME = date(1992, 1, 1)
"""Since then the zone is UTC+8 all year: nothing earlier is told."""


def office_calendar(papers: Papers) -> Made:
    """Return an event for each room and slot in use, and a cancelled one for each that was only in the version before.

    An event keeps its UID over versions, which tell its SEQUENCE, so that a calendar program replaces it.
    """
    name = f"{window_zh(papers.roster.window)}考场 rooms"
    return _calendar(papers, name, None, _seats(papers.roster), _seats(papers.before))


def class_calendar(papers: Papers, class_id: str) -> Made:
    """Return the events of one class, for its enterprise: where and when, how many and which seats.

    Raises:
        GuardError: No candidate of this or the version before is of the class.
    """
    own = of_class(papers, class_id)
    name = f"{window_zh(papers.roster.window)}考核 {class_id}"
    return _calendar(papers, name, class_id, _seats(own.roster), _seats(own.before))


def _seats(roster: Roster | None) -> dict[Place, list[int]]:
    """Return the seats taken in each place, sorted."""
    taken: dict[Place, list[int]] = {}
    for sitting in roster.plan.sittings if roster else ():
        taken.setdefault(place_of(sitting), []).append(sitting.seat_no)
    return {place: sorted(taken[place]) for place in sorted(taken)}


def _calendar(
    papers: Papers, name: str, class_id: str | None, now: Mapping[Place, list[int]], before: Mapping[Place, list[int]]
) -> Made:
    roster = papers.roster
    calendar = Calendar.new(
        name=name, method="PUBLISH", prodid="-//online-guard//roster//ZH", uid=_uid(roster, class_id)
    )
    watched = {one.place: one.examiners for one in room_lists(papers)} if class_id is None else {}
    for place, seats in now.items():
        event = _event(roster, roster, class_id, place, STATUS.CONFIRMED)
        event.description = _told(roster.version, seats, watched.get(place, ()))
        calendar.add_component(event)
    for place in sorted(before.keys() - now.keys()):
        event = _event(roster, papers.before or roster, class_id, place, STATUS.CANCELLED)
        event.description = f"第{roster.version}版考场安排已取消此场\ncancelled by roster version {roster.version}"
        calendar.add_component(event)
    calendar.add_missing_timezones(first_date=NO_SUMMER_TIME)
    return Made(calendar.to_ical())


def _event(roster: Roster, known_to: Roster, class_id: str | None, place: Place, status: STATUS) -> Event:
    """Return the event of a place, class_id names the roster has to which it is known."""
    venue = Venue(known_to)
    site, room, slot = venue.sites[place.site_id], venue.rooms[place.room_id], venue.slots[place.slot_no]
    return Event.new(
        uid=_uid(roster, class_id, *map(str, place)),
        summary=f"{bilingual(room.part)}: {site.name} {room.name}",
        start=datetime.combine(place.on, slot.starts, SHANGHAI),
        end=datetime.combine(place.on, slot.ends, SHANGHAI),
        location=f"{site.name} {room.name}, {site.address}",
        sequence=roster.version,
        stamp=published(roster),
        status=status,
    )


def _told(version: int, seats: list[int], examiners: tuple[str, ...]) -> str:
    told = [
        f"{len(seats)} 人，座位 {spans(seats)}；考场安排第{version}版",
        f"{len(seats)} candidates, seats {spans(seats)}; roster version {version}",
    ]
    return "\n".join([*told, *([f"监考 examiners: {'、'.join(examiners)}"] if examiners else [])])


def _uid(roster: Roster, class_id: str | None, *names: str) -> str:
    """Return the same id for the same names in every version of a window's roster; without a class, the office's."""
    whose = ("office",) if class_id is None else ("class", class_id)
    return str(uuid5(NAMESPACE_URL, json.dumps(["online-guard", roster.window, *whose, *names])))
