"""Decisions and appeals: two persons, history kept, and what follows at once (SPEC 5)."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from both_ways import judged_in_batch, judged_live
from reviewers import APPEALED, DISMISS, UPHOLD, Review
from sqlalchemy import select
from stored_class import cheat, store_class

from online_guard.errors import GuardError
from online_guard.service import verification
from online_guard.service.assessing.assessment import eligibility_of
from online_guard.service.claims import claim
from online_guard.service.house import House, clock_ms, open_house
from online_guard.service.reviewing import appeals, finding_history, review
from online_guard.service.verification import ledger_of, session_verdict
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store.decision_tables import DecisionRecord
from online_guard.store.holds import held
from online_guard.store.tables import JobRecord
from online_guard.store.unit_of_work import reading
from online_guard.terms import Effect
from online_guard.worker import work_once

SKIPPED, SCRIPTED, HIDDEN = "2021-ds-01-002", "2021-ds-01-003", "2021-ds-01-004"


def hours(house: House, enrolment_id: str) -> float:
    """Return the hours of an enrolment, verified."""
    ledger = ledger_of(house, enrolment_id, None)
    assert ledger["state"] == "verified"
    return float(ledger["hours"])


def refusal(code: str) -> Any:
    """Return what expects a refusal of some code."""
    return pytest.RaisesExc(GuardError, check=lambda error: error.code == code)


def test_one_persons_decision_changes_nothing_and_the_second_persons_does_at_once(reviewed: Review) -> None:
    house, found = reviewed.house, reviewed.finding("OG303")
    session_id = found.subject_id.partition("/")[2]
    assert session_verdict(house, session_id, None)["verdict"] == "held"
    first = reviewed.says("甲", DISMISS, found)
    assert (first["took_effect"], first["holds"], first["waits_for_second_person"]) == (False, None, True)
    assert first["case"]["state"] == "confirming"
    assert session_verdict(house, session_id, None)["verdict"] == "held"
    assert hours(house, SCRIPTED) == 2.0
    second = reviewed.says("乙", DISMISS, found)
    assert (second["took_effect"], second["holds"], second["state"]) == (True, "dismiss", "verified")
    assert second["case"]["state"] == "decided"
    verdict = session_verdict(house, session_id, None)
    assert (verdict["state"], verdict["verdict"]) == ("verified", "accepted")
    assert verdict["findings"][0]["evidence"]["decision"]["reviewers"] == ["甲", "乙"]
    assert hours(house, SCRIPTED) == 3.0
    rows = eligibility_of(house, SCRIPTED, None, clock_ms())["rows"]
    assert all("E06" not in row["failed"] and "E03" not in row["failed"] for row in rows)


def test_upholding_a_review_rejects_the_session(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG303")
    assert "E06" in eligibility_of(on_sqlite.house, SCRIPTED, None, clock_ms())["rows"][0]["failed"]
    on_sqlite.two_say(UPHOLD, found)
    assert session_verdict(on_sqlite.house, found.subject_id.partition("/")[2], None)["verdict"] == "rejected"
    assert "E06" not in eligibility_of(on_sqlite.house, SCRIPTED, None, clock_ms())["rows"][0]["failed"]


def test_nobody_confirms_their_own_decision(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG303")
    on_sqlite.says("甲", UPHOLD, found)
    with refusal("decision.own"):
        on_sqlite.says("甲", UPHOLD, found, "换个说法")
    assert on_sqlite.says("甲", DISMISS, found)["took_effect"] is False, "one may change one's mind"
    assert on_sqlite.says("乙", UPHOLD, found)["took_effect"] is False, "the one before says otherwise"
    assert on_sqlite.says("甲", UPHOLD, found)["took_effect"] is True


def test_the_same_decision_sent_again_is_the_same(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG303")
    first = on_sqlite.says("甲", UPHOLD, found)
    is_new, again = on_sqlite.says_again("甲", UPHOLD, found)
    assert (is_new, again["number"], again["decided_ms"]) == (False, 1, first["decided_ms"])
    on_sqlite.says("乙", UPHOLD, found)
    assert on_sqlite.says_again("甲", UPHOLD, found)[1]["number"] == 1, "a late retry after the second person's"
    on_sqlite.says("丙", DISMISS, found)
    assert on_sqlite.says_again("甲", UPHOLD, found)[0], "after another word it is a decision of its own"


def test_a_view_that_is_out_of_date_decides_nothing(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG303")
    seen = on_sqlite.case(found)["version"]
    verification.verify_class(on_sqlite.house, on_sqlite.class_id)
    assert on_sqlite.case(found)["version"] == seen, "found again, the case is the same"
    assert on_sqlite.case_id(found) == found.case_id
    on_sqlite.says("甲", UPHOLD, found, seen=seen)
    with refusal("case.changed"):
        on_sqlite.says("乙", UPHOLD, found, seen=seen)
    on_sqlite.says("乙", UPHOLD, found, seen=on_sqlite.case(found)["version"])


def test_two_auditors_who_looked_at_the_same_case_at_once(reviewed: Review) -> None:
    found = reviewed.finding("OG303")
    seen, start, said = reviewed.case(found)["version"], threading.Barrier(2), []

    def decide(name: str) -> None:
        start.wait()
        try:
            reviewed.says(name, UPHOLD, found, seen=seen)
            said.append("decided")
        except GuardError as error:
            said.append(error.code)

    threads = [threading.Thread(target=decide, args=[name]) for name in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["case.changed", "decided"]
    assert len(reviewed.case(found)["findings"][0]["decisions"]) == 1


def test_many_decide_at_once_and_what_is_stored_is_what_follows(reviewed: Review, tmp_path: Path) -> None:
    findings = [found for found in reviewed.findings() if found.effect != Effect.NOTE][:4]
    threads = [threading.Thread(target=reviewed.two_say, args=[DISMISS, found]) for found in findings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(reviewed.house.engine) as database:
        assert list(database.scalars(select(JobRecord))) == []
    assert judged_live(reviewed.house) == judged_in_batch(reviewed.house, tmp_path / "bundle")


def test_an_appeal_is_decided_by_somebody_else(reviewed: Review) -> None:
    found = reviewed.finding("OG303")
    with refusal("appeal.nothing_refused"):
        reviewed.appeals(found)
    reviewed.two_say(UPHOLD, found)
    assert reviewed.appeals(found)["outcome"] == "open"
    assert reviewed.case(found)["state"] == APPEALED
    with reading(reviewed.house.engine) as database:
        cases = held(database)[SCRIPTED]
    assert found.case_id in {case.case_id for case in cases}, "its pictures stay until then"
    assert reviewed.queue()[0]["case_id"] == found.case_id, "a learner waits"
    with refusal("appeal.open"):
        reviewed.appeals(found, "另一个理由")
    for name in ("甲", "乙", "hc-online-key"):
        with refusal("appeal.same_person"):
            reviewed.says(name, DISMISS, found)
    assert hours(reviewed.house, SCRIPTED) == 2.0
    assert not reviewed.says("丙", DISMISS, found)["took_effect"], "two persons refused, two must let through"
    reviewed.says("丁", DISMISS, found)
    assert hours(reviewed.house, SCRIPTED) == 3.0
    case = reviewed.case(found)
    assert (case["state"], case["findings"][0]["appeals"][0]["outcome"]) == ("decided", "dismiss")


def test_an_appeal_that_was_turned_down_is_the_last(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG102")
    on_sqlite.appeals(found)
    assert on_sqlite.appeals(found)["number"] == 1, "sent twice"
    on_sqlite.two_say(UPHOLD, found)
    assert on_sqlite.case(found)["findings"][0]["appeals"][0]["outcome"] == "uphold"
    with refusal("appeal.decided"):
        on_sqlite.appeals(found, "再次申诉")


def test_a_note_may_be_decided_and_nothing_follows(on_sqlite: Review) -> None:
    policy = on_sqlite.house.policy
    house = replace(on_sqlite.house, policy=replace(policy, effects={**policy.effects, "OG303": Effect.NOTE}))
    verification.verify_class(house, on_sqlite.class_id)
    noting = Review(house, on_sqlite.class_id)
    found = noting.finding("OG303")
    assert noting.case(found)["state"] == "noted"
    assert noting.queue(rule="OG303") == []
    answer = noting.two_say(UPHOLD, found)
    assert (answer["holds"], answer["case"]["state"]) == ("uphold", "noted")
    assert hours(house, SCRIPTED) == 3.0
    with refusal("appeal.nothing_refused"):
        noting.appeals(found)


def test_a_decision_on_what_a_later_verification_no_longer_finds_is_kept_and_told(
    on_sqlite: Review, tmp_path: Path
) -> None:
    house, hidden = on_sqlite.house, on_sqlite.finding("OG203")
    unfinished = next(found for found in on_sqlite.findings() if (found.rule, found.enrolment_id) == ("OG702", HIDDEN))
    on_sqlite.two_say(UPHOLD, unfinished)
    on_sqlite.two_say(DISMISS, hidden)
    with refusal("finding.gone"):
        on_sqlite.says("丙", UPHOLD, unfinished)
    told = finding_history.history_of(house, unfinished.finding_id)
    assert (told["exists"], len(told["decisions"])) == (False, 2)
    case = on_sqlite.case(unfinished)
    assert (case["state"], case["gone"][0]["finding_id"]) == ("cleared", unfinished.finding_id)
    assert judged_live(house) == judged_in_batch(house, tmp_path / "bundle")


def test_nobody_has_a_finding_or_a_case(on_sqlite: Review) -> None:
    with refusal("not_found"):
        review.decide(on_sqlite.house, "OG101-0", review.Said(UPHOLD, "x", "甲", "auditor"), clock_ms())
    with refusal("not_found"):
        finding_history.history_of(on_sqlite.house, "OG101-0")
    with refusal("not_found"):
        finding_history.history_of(on_sqlite.house, on_sqlite.finding("OG102").finding_id, "another platform")
    with refusal("not_found"):
        appeals.appeal(
            on_sqlite.house, on_sqlite.finding("OG102").finding_id, "another", "key", "learner", "x", clock_ms()
        )


def test_the_service_and_a_batch_draw_the_same_from_the_same_decisions(reviewed: Review, tmp_path: Path) -> None:
    reviewed.two_say(UPHOLD, reviewed.finding("OG303"))
    reviewed.two_say(DISMISS, reviewed.finding("OG102"))
    reviewed.says("丙", DISMISS, reviewed.finding("OG303"))
    live = judged_live(reviewed.house)
    assert live == judged_in_batch(reviewed.house, tmp_path / "bundle")
    assert any("decision" in row["evidence"] for row in live["findings"])
    assert (tmp_path / "bundle" / "decisions.ndjson").read_text().count("\n") == 5


def test_what_was_overturned_can_be_claimed_anew_and_what_was_upheld_can_not(on_sqlite: Review) -> None:
    house = on_sqlite.house

    def claimed(enrolment_id: str, lesson_no: int, name: str) -> float:
        return float(claim(house, enrolment_id, None, name, {lesson_no: 1.0}, clock_ms())["accepted_hours"])

    assert claimed(SCRIPTED, 2, "first") == 0
    assert claimed(SKIPPED, 1, "first") == 0
    on_sqlite.two_say(DISMISS, on_sqlite.finding("OG303"))
    on_sqlite.two_say(UPHOLD, on_sqlite.finding("OG102"))
    assert claimed(SCRIPTED, 2, "first") == 0, "the same claim has the answer that it had"
    assert claimed(SCRIPTED, 2, "second") == 1.0, "a new one is compared with the ledger of now"
    assert claimed(SCRIPTED, 2, "third") == 0, "and is paid once"
    assert claimed(SKIPPED, 1, "second") == 0


def test_hours_that_were_paid_stay_claimed_when_the_finding_is_upheld_later(on_sqlite: Review) -> None:
    house, found = on_sqlite.house, on_sqlite.finding("OG303")
    on_sqlite.two_say(DISMISS, found)
    assert claim(house, SCRIPTED, None, "paid", {2: 1.0}, clock_ms())["accepted_hours"] == 1.0
    for name in ("丙", "丁"):
        on_sqlite.says(name, UPHOLD, found)
    assert claim(house, SCRIPTED, None, "again", {2: 1.0}, clock_ms())["lessons"][0]["refused_by"] == ["OG303", "OG702"]
    assert claim(house, SCRIPTED, None, "paid", {2: 1.0}, clock_ms())["accepted_hours"] == 1.0, (
        "history isn't rewritten"
    )


def test_a_decision_is_kept_when_judging_again_fails(on_sqlite: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    house, found = on_sqlite.house, on_sqlite.finding("OG303")
    on_sqlite.says("甲", DISMISS, found)
    with monkeypatch.context() as broken:
        broken.setattr(verification, "judge", lambda *_: 1 / 0)
        assert on_sqlite.says("乙", DISMISS, found)["state"] == "pending"
    assert ledger_of(house, SCRIPTED, None)["state"] == "pending"
    assert work_once(house)
    assert hours(house, SCRIPTED) == 3.0


def test_where_one_person_is_enough_the_newest_decides(tmp_path: Path) -> None:
    opened = open_house(Settings(data_dir=tmp_path / "one"))
    policy = replace(opened.policy, review=replace(opened.policy.review, second_person=False))
    house = replace(opened, policy=policy)
    course = store_class(house, [cheat("scripted_answers", 2)], Course(class_id="one"))
    verification.verify_class(house, course.class_id)
    reviewed = Review(house, course.class_id)
    found = reviewed.finding("OG303")
    assert reviewed.says("甲", DISMISS, found)["took_effect"]
    assert hours(house, "one-001") == 3.0
    assert reviewed.says("甲", UPHOLD, found)["holds"] == "uphold"
    assert hours(house, "one-001") == 2.0
    opened.engine.dispose()


def test_decisions_are_dated_one_after_the_other(on_sqlite: Review) -> None:
    found = on_sqlite.finding("OG303")
    on_sqlite.says("甲", DISMISS, found, now_ms=2_000)
    on_sqlite.says("乙", DISMISS, found, now_ms=1_000)
    with reading(on_sqlite.house.engine) as database:
        dates = list(database.scalars(select(DecisionRecord.decided_ms).order_by(DecisionRecord.number)))
    assert dates == [2_000, 2_001], "a clock that was set back changes no order"
