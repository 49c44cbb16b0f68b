"""Calendars, parsed again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from icalendar import Calendar, Event

from online_guard.assessment.documents import Papers, make
from online_guard.errors import ErrorKind, GuardError


def events(body: bytes) -> list[Event]:
    return [one for one in Calendar.from_ical(body).walk("VEVENT") if isinstance(one, Event)]


@pytest.fixture(scope="module")
def office(papers: Papers) -> bytes:
    return make(papers, "calendar.ics").body


def test_the_office_has_an_event_for_each_room_and_slot(office: bytes) -> None:
    first, second, *_ = events(office)
    assert first["SUMMARY"] == "理论考试 theory: 潢川县第一中学 第一机房"
    assert first.start.isoformat() == "2021-08-11T09:00:00+08:00"
    assert first.end.isoformat() == "2021-08-11T10:30:00+08:00"
    assert first["LOCATION"] == "潢川县第一中学 第一机房, 潢川县弋阳办事处航空路中段"
    assert "12 人，座位 1–12" in first["DESCRIPTION"]
    assert "12 candidates, seats 1–12" in first["DESCRIPTION"]
    assert "监考 examiners: 周喆" in first["DESCRIPTION"]
    assert second["SUMMARY"].startswith("实操考核 practice")


def test_what_only_the_version_before_had_is_cancelled(office: bytes) -> None:
    found = [(one["STATUS"], one.start.day, one["SEQUENCE"]) for one in events(office)]
    assert found == [("CONFIRMED", 11, 2)] * 2 + [("CANCELLED", 10, 2)] * 2


def test_an_event_keeps_its_id_over_versions(papers: Papers, office: bytes) -> None:
    assert papers.before is not None
    first = events(make(replace(papers, roster=papers.before, before=None), "calendar.ics").body)
    cancelled = [one["UID"] for one in events(office) if one["STATUS"] == "CANCELLED"]
    assert [one["UID"] for one in first] == cancelled
    assert [one["SEQUENCE"] for one in first] == [1, 1]


def test_the_time_zone_is_told_and_the_calendar_published(office: bytes) -> None:
    calendar = Calendar.from_ical(office)
    assert calendar["METHOD"] == "PUBLISH"
    (zone,) = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Asia/Shanghai"
    assert b"DTSTART;TZID=Asia/Shanghai:20210811T090000" in office
    assert all(len(line) <= 75 for line in office.split(b"\r\n"))


def test_an_enterprise_sees_its_class_and_no_name(papers: Papers) -> None:
    body = make(papers, "calendar.ics", "c-2021-001").body
    theory = events(body)[0]
    assert "6 人，座位 2、4、6、8、10、12" in theory["DESCRIPTION"]
    text = body.decode().replace("\r\n ", "")
    assert not [one.name for one in papers.people.values() if one.name in text]
    assert "周喆" not in text
    assert "c-2021-002" not in text


def test_classes_and_the_office_have_ids_of_their_own(papers: Papers, office: bytes) -> None:
    own = [make(papers, "calendar.ics", name).body for name in ("c-2021-001", "c-2021-002")]
    all_events = [one for body in (office, *own) for one in events(body)]
    assert len({one["UID"] for one in all_events}) == len(all_events) == 12


def test_a_class_that_left_the_roster_is_told_that_all_is_cancelled(papers: Papers) -> None:
    stay = tuple(one for one in papers.roster.candidates if one.class_id == "c-2021-002")
    known = {one.enrolment_id for one in stay}
    sittings = tuple(one for one in papers.roster.plan.sittings if one.enrolment_id in known)
    plan = papers.roster.plan.model_copy(update={"sittings": sittings})
    left = replace(papers, roster=papers.roster.model_copy(update={"candidates": stay, "plan": plan}))
    assert {one["STATUS"] for one in events(make(left, "calendar.ics", "c-2021-001").body)} == {"CANCELLED"}


def test_an_unknown_class_is_refused(papers: Papers) -> None:
    with pytest.raises(GuardError) as refused:
        make(papers, "calendar.ics", "c-9")
    assert (refused.value.kind, refused.value.code) == (ErrorKind.NOT_FOUND, "documents.no_class")


def test_a_class_called_office_is_a_class(papers: Papers, office: bytes) -> None:
    own = tuple(one.model_copy(update={"class_id": "office"}) for one in papers.roster.candidates)
    named = replace(papers, roster=papers.roster.model_copy(update={"candidates": own}), before=None)
    found = events(make(named, "calendar.ics", "office").body)
    assert {one["UID"] for one in found}.isdisjoint({one["UID"] for one in events(office)})
    assert not [one for one in found if "监考" in one["DESCRIPTION"]]
