"""From who is eligible to a published roster that stays: drafts, versions, and what changes after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eligible_class import (
    VENUES,
    WINDOW,
    a_county,
    eligible_class,
    judge_again,
    planned,
    published,
    wait_for_verification,
)
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from online_guard.assessment.roster import Roster
from online_guard.errors import ErrorKind, GuardError
from online_guard.service.assessing import drafts_told, roster_drafts, roster_files, rosters, venues
from online_guard.service.assessing import published as told_published
from online_guard.service.assessing.candidacy import Candidacy
from online_guard.service.assessing.roster_drafts import Wish
from online_guard.service.house import House, open_house
from online_guard.service.operating import erasures, evidence_log
from online_guard.settings import Settings
from online_guard.store import jobs, roster_rows
from online_guard.store.log_tables import LogEntryRecord
from online_guard.store.result_tables import AssessmentResultRecord
from online_guard.store.roster_tables import DraftRecord, RosterRecord, VenuesRecord
from online_guard.store.row_check import check_rows
from online_guard.store.unit_of_work import reading, writing
from online_guard.store.webhook_tables import EndpointRecord, MessageRecord
from online_guard.worker import work_once


@pytest.fixture
def sqlite_house(tmp_path: Path, sqlite_url: str) -> Iterator[House]:
    """Return an open, empty house where the database makes no difference."""
    opened = open_house(Settings(data_dir=tmp_path / "data", database_url=sqlite_url))
    yield opened
    opened.engine.dispose()


def told(house: House, **asked: Any) -> dict[str, Any]:
    """Return the roster as an assessor reads it, or as is asked."""
    rest: dict[str, Any] = {"version": None, "since": None, "platform_id": None} | asked
    return told_published.told(house, WINDOW, **rest)


def refused(house: House, plan_id: str) -> GuardError:
    """Return the refusal of a plan."""
    with pytest.raises(GuardError) as caught:
        rosters.publish(house, WINDOW, plan_id, "甲", 9)
    assert caught.value.kind is ErrorKind.CONFLICT
    return caught.value


def seated(answer: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the places of each candidate."""
    found: dict[str, list[Any]] = {}
    for one in answer["plan"]["sittings"]:
        place = [one[name] for name in ("part", "on", "slot_no", "room_id", "seat_no")]
        found.setdefault(one["enrolment_id"], []).append(place)
    return found


def test_venues_are_kept_as_they_were_stated_and_the_same_again_is_nothing_new(house: House) -> None:
    assert venues.state(house, VENUES, "甲", 1)[0]
    assert not venues.state(house, VENUES, "乙", 2)[0]
    more = VENUES.model_copy(update={"travel_minutes": 5})
    assert venues.state(house, more, "乙", 3)[1]["version"] == 2
    answer = venues.stated(house)
    assert (answer["version"], answer["stated_by"], answer["venues"]) == (2, "乙", more.model_dump(mode="json"))
    with reading(house.engine) as database:
        bodies = database.scalars(text("SELECT body FROM venues")).all()
        assert len(bodies) == 2
        assert not any("考评员" in body for body in bodies), "names of examiners are sealed"
        payloads = database.scalars(select(LogEntryRecord.payload).where(LogEntryRecord.kind == "roster")).all()
    assert [json.loads(one)["name"] for one in payloads] == ["venues 1", "venues 2"]
    assert "考评员" not in "".join(payloads)


def test_a_plan_is_made_by_a_worker_and_published_as_a_frozen_version(house: House) -> None:
    ids = eligible_class(house)
    a_county(house)
    draft = roster_drafts.ask(house, Wish(WINDOW, 3, "甲", 1))
    assert (draft["state"], draft["candidates"], draft["seed"]) == ("planning", 3, 3)
    assert refused(house, draft["plan_id"]).code == "roster.no_plan"
    assert work_once(house)
    ready = drafts_told.told(house, WINDOW, draft["plan_id"])
    assert (ready["state"], ready["problem"], ready["blocked"]) == ("planned", None, None)
    assert ready["finished_ms"] is not None
    assert ready["difference"] == {"version": None, "changes": []}
    is_new, version = rosters.publish(house, WINDOW, draft["plan_id"], "乙", 7)
    assert is_new
    assert (version["version"], version["published_by"], version["published_ms"]) == (1, "乙", 7)
    answer = told(house)
    assert sorted(seated(answer)) == sorted(ids)
    assert (answer["outdated"], answer["pending"], answer["newest_version"]) == (None, [], 1)
    assert answer["policy_sha256"] == house.policy.sha256
    assert rosters.publish(house, WINDOW, draft["plan_id"], "丙", 8) == (False, version), "the same plan again"
    with reading(house.engine) as database:
        assert list(check_rows(database)) == []
        payload = database.scalars(
            select(LogEntryRecord.payload).where(LogEntryRecord.subject == f"assessment/{WINDOW}")
        ).one()
    assert json.loads(payload)["sha256"] == version["sha256"]


def test_nobody_can_change_or_remove_a_roster_or_a_statement_behind_the_services_back(house: House) -> None:
    eligible_class(house)
    a_county(house)
    published(house)
    statements = [
        "UPDATE roster SET body = '{}'",
        "UPDATE roster SET published_by = '某'",
        "DELETE FROM roster",
        "UPDATE venues SET stated_by = '某'",
        "DELETE FROM venues",
        "INSERT INTO venues SELECT version, stated_ms, stated_by, sha256, body FROM venues",
        "INSERT INTO venues SELECT version + 2, stated_ms, stated_by, sha256, body FROM venues",
        "INSERT INTO roster SELECT \"window\", 3, 'x', venues_version, 1, 'x', sha256, body FROM roster",
        "INSERT INTO roster SELECT \"window\", 2, plan_id, venues_version, 1, 'x', sha256, body FROM roster",
    ]
    if house.engine.dialect.name == "sqlite":
        statements.append("INSERT OR REPLACE INTO roster SELECT * FROM roster")
    else:
        statements += ["TRUNCATE roster", "TRUNCATE venues CASCADE"]
    for statement in statements:
        with pytest.raises(IntegrityError), writing(house.engine) as database:
            database.execute(text(statement))
    with writing(house.engine) as database:  # what turning the master key over does
        database.execute(text("UPDATE venues SET body = 'x'"))
    with reading(house.engine) as database:
        found = [fault.where for fault in check_rows(database)]
    assert found, "the log finds what the database lets through"


def test_two_assessors_who_publish_at_once_make_one_version(house: House) -> None:
    eligible_class(house)
    a_county(house)
    first, second = planned(house), planned(house, seed=1)

    def publish(plan_id: str) -> str:
        try:
            return f"version {rosters.publish(house, WINDOW, plan_id, '甲', 9)[1]['version']}"
        except GuardError as error:
            return error.code

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(publish, [first, second, first, second]))
    assert sorted(answers) == ["roster.overtaken"] * 2 + ["version 1"] * 2
    assert len(rosters.versions(house, WINDOW)["versions"]) == 1


def test_after_a_change_the_next_version_moves_nobody_else(house: House) -> None:
    eligible_class(house, 3)
    a_county(house)
    judge_again(house, "C-2", "E03")
    published(house)
    before = seated(told(house))
    assert sorted(before) == ["C-1", "C-3"]
    stale = planned(house)
    judge_again(house, "C-2")
    judge_again(house, "C-3", "E03", "E06")
    outdated = told(house)["outdated"]
    assert [one["enrolment_id"] for one in outdated["added"]] == ["C-2"]
    (removed,) = outdated["removed"]
    assert (removed["enrolment_id"], [one["code"] for one in removed["why"]]) == ("C-3", ["E03", "E06"])
    assert "2 / 3" in removed["why"][0]["zh"]
    error = refused(house, stale)
    assert (error.code, [fault.where for fault in error.faults]) == ("roster.outdated", ["C-2", "C-3"])
    version = published(house, by="乙")
    assert version["version"] == 2
    after = told(house)
    assert after["outdated"] is None
    assert sorted(seated(after)) == ["C-1", "C-2"]
    assert seated(after)["C-1"] == before["C-1"]
    changed = {one["enrolment_id"]: (bool(one["before"]), bool(one["after"])) for one in after["changes"]}
    assert changed == {"C-2": (False, True), "C-3": (True, False)}
    assert seated(told(house, version=1)) == before, "what was published stays"
    assert told(house, version=1)["newest_version"] == 2
    back = told(house, version=1, since=2)["changes"]
    assert {one["enrolment_id"]: (bool(one["before"]), bool(one["after"])) for one in back} == {
        "C-2": (True, False),
        "C-3": (False, True),
    }


def test_a_class_that_waits_is_named_and_holds_up_who_is_planned_of_it(
    sqlite_house: House,
) -> None:
    eligible_class(sqlite_house, 2)
    eligible_class(sqlite_house, 2, "D", first_person=2)
    a_county(sqlite_house)
    wait_for_verification(sqlite_house, "D")
    draft = roster_drafts.ask(sqlite_house, Wish(WINDOW, 0, "甲", 1))
    assert (draft["candidates"], draft["pending"]) == (2, ["D"])
    plan_id = planned(sqlite_house)
    wait_for_verification(sqlite_house, "C")
    error = refused(sqlite_house, plan_id)
    assert [(fault.where, "待核验" in fault.reason) for fault in error.faults] == [("C", True)]
    with pytest.raises(GuardError) as caught:
        roster_drafts.ask(sqlite_house, Wish(WINDOW, 0, "甲", 1))
    assert (caught.value.code, [fault.where for fault in caught.value.faults]) == ("plan.nobody", ["C", "D"])


def test_a_plan_that_the_venues_of_today_do_not_bear_is_refused(sqlite_house: House) -> None:
    eligible_class(sqlite_house)
    a_county(sqlite_house)
    plan_id = planned(sqlite_house)
    site = VENUES.sites[0]
    smaller = site.rooms[0].model_copy(update={"seats": 1})
    changed = site.model_copy(update={"rooms": (smaller, site.rooms[1])})
    venues.state(sqlite_house, VENUES.model_copy(update={"sites": (changed,)}), "甲", 2)
    error = refused(sqlite_house, plan_id)
    assert error.code == "roster.violations"
    assert "too_few_seats" in error.faults[0].reason


def test_what_blocks_is_kept_and_told(sqlite_house: House) -> None:
    eligible_class(sqlite_house, 3)
    site = VENUES.sites[0]
    nowhere = site.model_copy(update={"closed_on": frozenset(roster_days())})
    venues.state(sqlite_house, VENUES.model_copy(update={"sites": (nowhere,)}), "甲", 1)
    plan_id = planned(sqlite_house)
    answer = drafts_told.told(sqlite_house, WINDOW, plan_id)
    assert (answer["state"], answer["plan"]) == ("blocked", None)
    assert answer["blocked"]["unplaced"] == 3
    assert answer["blocked"]["reasons"]
    assert refused(sqlite_house, plan_id).code == "roster.no_plan"


def roster_days() -> list[Any]:
    """Return all days of the window."""
    from eligible_class import day

    return [day(number) for number in range(1, 32)]


def test_a_killed_worker_is_followed_by_one_that_makes_the_same_plan(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    eligible_class(sqlite_house)
    a_county(sqlite_house)
    plan_id = roster_drafts.ask(sqlite_house, Wish(WINDOW, 0, "甲", 1))["plan_id"]
    with writing(sqlite_house.engine) as database:  # a worker that took it and died
        job = jobs.take(database, [roster_rows.DUTY], 10**15, 1)
    assert job is not None
    roster_drafts.plan_once(sqlite_house, plan_id)
    first = drafts_told.told(sqlite_house, WINDOW, plan_id)["plan"]
    roster_drafts.plan_once(sqlite_house, plan_id)  # the other one comes to its end too
    assert drafts_told.told(sqlite_house, WINDOW, plan_id)["plan"] == first
    again = planned(sqlite_house)
    assert drafts_told.told(sqlite_house, WINDOW, again)["plan"] == first
    monkeypatch.setattr(roster_drafts, "plan", lambda *_, **__: 1 / 0)
    broken = roster_drafts.ask(sqlite_house, Wish(WINDOW, 0, "甲", 1))["plan_id"]
    with writing(sqlite_house.engine) as database:
        database.execute(text("UPDATE job SET attempts = 7 WHERE key = :key"), {"key": broken})
    while work_once(sqlite_house):
        pass
    assert drafts_told.told(sqlite_house, WINDOW, broken)["problem"]["code"] == "plan.parked"


def test_in_the_middle_of_a_window_who_has_sat_keeps_the_place_and_new_ones_come_later(sqlite_house: House) -> None:
    eligible_class(sqlite_house, 3)
    a_county(sqlite_house)
    judge_again(sqlite_house, "C-2", "E06")
    published(sqlite_house)
    before = seated(told(sqlite_house))
    judge_again(sqlite_house, "C-2")
    judge_again(sqlite_house, "C-3", "E06")
    noon_ms = 1_629_432_000_000  # 20 August 2021, noon in China
    rosters.publish(sqlite_house, WINDOW, planned(sqlite_house, now_ms=noon_ms), "甲", noon_ms)
    after = seated(told(sqlite_house))
    assert sorted(after) == ["C-1", "C-2"]
    assert after["C-1"] == before["C-1"]
    assert after["C-1"][0][1] <= "2021-08-20" < after["C-2"][0][1]


def test_each_platform_reads_and_is_told_its_own(house: House) -> None:
    eligible_class(house, 2)
    eligible_class(house, 1, "D", platform_id="another", first_person=2)
    a_county(house)
    with writing(house.engine) as database:
        for platform_id in ("hc-online", "another", "third"):
            database.add(
                EndpointRecord(
                    endpoint_id=platform_id, platform_id=platform_id, url="https://x/", secret=b"", created_ms=1
                )
            )
    published(house)
    mine, theirs, nobodys = (told(house, platform_id=one) for one in ("hc-online", "another", "third"))
    assert [set(seated(one)) for one in (mine, theirs, nobodys)] == [{"C-1", "C-2"}, {"D-1"}, set()]
    for answer in (mine, theirs, nobodys):
        assert (answer["plan"]["duties"], answer["published_by"]) == ([], None)
        assert "names" not in answer
    assert "C-1" not in json.dumps(theirs)
    assert "D-1" not in json.dumps(mine)
    judge_again(house, "D-1", "E03")
    assert told(house, platform_id="hc-online")["outdated"] is None
    assert [one["enrolment_id"] for one in told(house, platform_id="another")["outdated"]["removed"]] == ["D-1"]
    published(house)
    assert [one["enrolment_id"] for one in told(house, platform_id="another")["changes"]] == ["D-1"]
    assert told(house, platform_id="hc-online")["changes"] == []
    with reading(house.engine) as database:
        messages = database.scalars(select(MessageRecord).order_by(MessageRecord.row_id)).all()
    said = [(one.endpoint_id, one.type, json.loads(one.body)["data"]) for one in messages]
    assert [(who, kind, data["version"], data["candidates"], data["changed"]) for who, kind, data in said] == [
        ("another", "roster.published", 1, 1, []),
        ("hc-online", "roster.published", 1, 2, []),
        ("another", "roster.published", 2, 0, ["D-1"]),
        ("hc-online", "roster.published", 2, 2, []),
    ]


def test_results_close_a_window(sqlite_house: House) -> None:
    eligible_class(sqlite_house, 2)
    a_county(sqlite_house)
    published(sqlite_house)
    waiting = planned(sqlite_house)
    judge_again(sqlite_house, "C-2", "E03")
    assert told(sqlite_house)["outdated"]
    with writing(sqlite_house.engine) as database:
        database.add(
            AssessmentResultRecord(
                window=WINDOW,
                enrolment_id="C-1",
                version=1,
                absent=False,
                assessed_on="2021-08-16",
                passed=True,
                certificate_route="skill_level",
                recorded_ms=1,
                recorded_by="甲",
            )
        )
    assert told(sqlite_house)["outdated"] is None
    assert refused(sqlite_house, waiting).code == "roster.closed"
    with pytest.raises(GuardError, match="results"):
        planned(sqlite_house)
    (form,) = roster_files.papers_of(sqlite_house, WINDOW, None).annex_two
    assert (form.planned, form.sat, form.certified) == (2, 1, 0)


def test_a_test_that_an_assessor_confirmed_asks_for_no_other_plan(sqlite_house: House) -> None:
    eligible_class(sqlite_house, 2)
    a_county(sqlite_house)
    with reading(sqlite_house.engine) as database:
        now = Candidacy.of(database, WINDOW)
    before = [one.model_copy(update={"unconfirmed": ("E12",)}) for one in now.candidates.values()]
    assert now.differences(before) == []
    moved = [one.model_copy(update={"not_before": one.waiting_since}) for one in now.candidates.values()]
    assert [(one["what"], "not_before" in one["why"][0]["en"]) for one in now.differences(moved)] == [
        ("changed", True),
        ("changed", True),
    ]


def test_names_are_opened_for_the_office_and_stored_nowhere(sqlite_house: House) -> None:
    eligible_class(sqlite_house, 2)
    a_county(sqlite_house)
    published(sqlite_house)
    names = told(sqlite_house, with_names=True)["names"]
    assert sorted(names) == ["C-1", "C-2"]
    name = names["C-1"]["name"]
    assert len(name) >= 2
    assert "*" in names["C-1"]["identity_masked"]
    with reading(sqlite_house.engine) as database:
        stored = [*database.scalars(select(RosterRecord.body)), *database.scalars(select(DraftRecord.candidates))]
    assert stored
    assert not any(name in body for body in stored)
    with reading(sqlite_house.engine) as database:
        learner_id = roster_rows.learners(database, "C")["C-1"]
    erasures.erase(sqlite_house, learner_id, reason="本人要求", ordered_by="甲")
    after = told(sqlite_house, with_names=True)
    assert (sorted(after["names"]), len(after["candidates"])) == (["C-2"], 2), "the roster stays, without the name"


def test_turning_the_master_key_over_seals_the_venues_anew(sqlite_house: House) -> None:
    from online_guard.service.operating import resealing

    a_county(sqlite_house)
    resealing.rotate(sqlite_house)
    assert resealing.status(sqlite_house)["stale"]["venues.body"] == 1
    resealing.reseal(sqlite_house, lambda *_: None)
    assert resealing.status(sqlite_house)["stale"]["venues.body"] == 0
    assert venues.stated(sqlite_house)["venues"]["sites"][0]["site_id"] == "centre"
    with reading(sqlite_house.engine) as database:
        assert database.scalar(select(func.count()).select_from(VenuesRecord)) == 1
        assert list(check_rows(database)) == []


def test_a_changed_roster_is_found_by_the_log(sqlite_house: House) -> None:
    eligible_class(sqlite_house)
    a_county(sqlite_house)
    published(sqlite_house)
    evidence_log.keep_up(sqlite_house)
    with writing(sqlite_house.engine) as database:  # somebody who may drop guards
        database.execute(text("DROP TRIGGER guard_roster_no_update"))
        body = database.scalars(select(RosterRecord.body)).one()
        database.execute(text("UPDATE roster SET body = :body"), {"body": body.replace("C-1", "C-9")})
    Roster.model_validate_json(body)
    with reading(sqlite_house.engine) as database:
        assert [fault.where.split()[-1] for fault in check_rows(database)] == [f"{WINDOW}/1"]
