"""Applications, confirmations, surveys and the feed of candidates, on both databases."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from both_ways import judged_in_batch, judged_live
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from stored_class import HONEST, cheat, store_class

from online_guard.assessment.attendance import AttendedDay
from online_guard.errors import GuardError
from online_guard.service import verification
from online_guard.service.assessing import applications, assessment, candidate_feed, confirmations, satisfaction
from online_guard.service.assessing.applications import Filing
from online_guard.service.assessing.candidacy import Candidacy
from online_guard.service.assessing.class_attendance import attendance_of
from online_guard.service.assessing.confirmations import Word
from online_guard.service.house import House, open_house
from online_guard.service.operating import evidence_log
from online_guard.settings import Settings
from online_guard.simulate.course import Course
from online_guard.store import assessment_rows, queries
from online_guard.store.assessment_tables import CandidateRecord
from online_guard.store.row_check import check_rows
from online_guard.store.unit_of_work import close_engine, reading, writing
from online_guard.terms import Answer, CertificateRoute, Paper

JULY_MS = 1_625_500_000_000
"""5 July 2021: the class runs until the 20th."""
WINDOW, LATER = "2021-08", "2021-12"
INSTITUTION = "示例职业培训学校"
COURSE = Course()
ONE, OTHER = f"{COURSE.class_id}-001", f"{COURSE.class_id}-002"


class CompletionCourse(Course):
    """The same class for a completion certificate: nobody knows whether there is another one (E12)."""

    def class_row(self) -> dict[str, Any]:
        """Return the class as a row of the bundle."""
        return super().class_row() | {"certificate_route": "completion", "lessons": super().class_row()["lessons"]}


def filing(**changes: Any) -> Filing:
    """Return an application for August."""
    given = {"class_id": COURSE.class_id, "window": WINDOW, "applied_on": date(2021, 8, 2)}
    return Filing(**given | {"assessment_on": date(2021, 8, 14)} | changes)


def word(answer: Answer = Answer.CONFIRM, **changes: str) -> Word:
    """Return an assessor's word about E12."""
    return Word(
        **{"code": "E12", "reason": "目录中没有", "reviewer": "考核员", "role": "assessor"} | changes, answer=answer
    )


def rows(house: House, since_ms: int = 0, window: str = WINDOW) -> list[dict[str, Any]]:
    """Return the feed, page by page of one row."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = candidate_feed.feed(house, window, None, since_ms, cursor, 1, JULY_MS)
        found += page["rows"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def faults(house: House) -> list[str]:
    """Return what the log finds wrong with applications, confirmations and surveys."""
    with reading(house.engine) as database:
        found = [fault.where for fault in check_rows(database)]
    return [where for where in found if where.startswith(("application", "confirmation", "survey"))]


@pytest.fixture
def verified(house: House) -> House:
    """Return a house with a verified class for a completion certificate: one learner honest, one not."""
    store_class(house, [HONEST, cheat("skip_ahead")], CompletionCourse())
    verification.verify_class(house, COURSE.class_id)
    return house


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data of the same house on SQLite, closed."""
    folder = tmp_path_factory.mktemp("verified") / "data"
    house = open_house(Settings(data_dir=folder))
    store_class(house, [HONEST, cheat("skip_ahead")], CompletionCourse())
    verification.verify_class(house, COURSE.class_id)
    close_engine(house.engine)
    return folder


@pytest.fixture
def on_sqlite(tmp_path: Path, template: Path) -> Iterator[House]:
    """Return a copy of it, for what doesn't hang on the database."""
    shutil.copytree(template, tmp_path / "data")
    house = open_house(Settings(data_dir=tmp_path / "data"))
    yield house
    house.engine.dispose()


def test_an_application_tells_at_once_who_is_refused_and_what_would_cure_it(on_sqlite: House) -> None:
    is_new, told = applications.apply(on_sqlite, filing(window=LATER), None, JULY_MS)
    assert is_new
    assert told["failed"] == list(told["tests"]) == ["E09"]
    assert told["tests"]["E09"]["clause"] == "附件2"
    assert told["tests"]["E09"]["cure"][0]["window"] == "2022-04", "August and December are applied for"
    refused = {row["enrolment_id"]: row for row in told["refused"]}
    assert refused[ONE]["failed"] == ["E05", "E09"]
    assert refused[OTHER]["failed"] == ["E03", "E05", "E09"]
    (step,) = [step for step in refused[OTHER]["tests"]["E03"]["cure"] if "lessons" in step]
    assert (step["lessons"], step["until_on"]) == ([1, 2], "2021-07-20")


def test_what_is_told_at_once_is_what_the_verification_says(on_sqlite: House) -> None:
    told = applications.apply(on_sqlite, filing(window=LATER), None, JULY_MS)[1]
    assert applications.apply(on_sqlite, filing(window=LATER), None, JULY_MS)[1]["pending"] is True
    verification.verify_class(on_sqlite, COURSE.class_id)
    assert assessment.candidates(on_sqlite, LATER, None, JULY_MS)["refused"] == told["refused"]


def test_papers_route_and_task_are_added_and_never_contradicted(on_sqlite: House) -> None:
    papers = frozenset(Paper) - {Paper.ATTENDANCE}
    is_new, told = applications.apply(on_sqlite, filing(papers=papers, task_row=9), None, JULY_MS)
    assert not is_new, "the class applied for August when it was stored"
    assert [row["paper"] for row in told["missing_papers"]] == ["attendance"]
    told = applications.apply(
        on_sqlite,
        filing(papers=frozenset({Paper.ATTENDANCE}), certificate_route=CertificateRoute.COMPLETION),
        None,
        JULY_MS,
    )[1]
    assert (told["missing_papers"], told["certificate_route"], told["task_row"]) == ([], "completion", 9)
    assert applications.apply(on_sqlite, filing(), None, JULY_MS)[1]["papers"] == sorted(map(str, Paper))
    for other, code in (
        ({"task_row": 4}, "application.exists"),
        ({"assessment_on": date(2021, 8, 15)}, "application.exists"),
        ({"certificate_route": CertificateRoute.SKILL_LEVEL}, "application.other_route"),
    ):
        with pytest.raises(GuardError) as refused:
            applications.apply(on_sqlite, filing(**other), None, JULY_MS)
        assert refused.value.code == code


def test_confirmations_stand_beside_the_row_and_the_newest_of_the_learner_goes_first(on_sqlite: House) -> None:
    def standing() -> dict[str, Any]:
        feed = assessment.candidates(on_sqlite, WINDOW, None, JULY_MS)
        return next(row for row in (*feed["candidates"], *feed["refused"]) if row["enrolment_id"] == ONE)

    assert (standing()["unconfirmed"], "settled" in standing()) == (["E12"], False)
    assert confirmations.of_class(on_sqlite, COURSE.class_id, word(), 1)[0]
    assert not confirmations.of_class(on_sqlite, COURSE.class_id, word(), 2)[0], "the same word again"
    assert standing()["settled"] == {"eligible": False, "failed": ["E05"], "unconfirmed": []}
    assert standing()["tests"]["E12"]["answer"] == "confirm"
    confirmations.of_enrolment(on_sqlite, ONE, word(Answer.DENY), 3)
    assert standing()["settled"]["failed"] == ["E05", "E12"]
    assert (standing()["failed"], standing()["unconfirmed"]) == (["E05"], ["E12"]), "the row itself stays"
    confirmations.of_class(on_sqlite, COURSE.class_id, word(reviewer="另一位"), 4)
    assert standing()["settled"]["failed"] == ["E05", "E12"], "a word about the learner goes before one about the class"
    confirmations.of_enrolment(on_sqlite, ONE, word(), 5)
    assert standing()["settled"]["failed"] == ["E05"]
    told = confirmations.confirmations_of(on_sqlite, COURSE.class_id, None)["confirmations"]
    assert [(one["number"], one["enrolment_id"], one["answer"]) for one in told] == [
        (1, None, "confirm"), (2, ONE, "deny"), (3, None, "confirm"), (4, ONE, "confirm"),
    ]  # fmt: skip
    assert faults(on_sqlite) == [f"application class/{COURSE.class_id} {WINDOW}"], "it was put there past the service"


def test_a_roster_is_of_those_whom_no_assessor_denied(on_sqlite: House) -> None:
    open_only = {"eligible": True, "failed": [], "unconfirmed": ["E12"], "evidence": {"E12": {"clause": "(四)21(3)"}}}
    with writing(on_sqlite.engine) as database:
        for record in queries.results(database, "eligibility", ONE) + queries.results(database, "eligibility", OTHER):
            record.body = json.dumps(json.loads(record.body) | open_only)

    def candidacy() -> Candidacy:
        with reading(on_sqlite.engine) as database:
            return Candidacy.of(database, WINDOW)

    assert [one.unconfirmed for one in candidacy().candidates.values()] == [("E12",), ("E12",)]
    planned = tuple(candidacy().candidates.values())
    confirmations.of_class(on_sqlite, COURSE.class_id, word(), 1)
    assert [one.unconfirmed for one in candidacy().candidates.values()] == [(), ()]
    confirmations.of_enrolment(on_sqlite, OTHER, word(Answer.DENY), 2)
    assert candidacy().candidates.keys() == {ONE}
    assert {row["enrolment_id"] for row in rows(on_sqlite) if row["admitted"]} == {ONE}, "the feed says the same"
    told = {one["enrolment_id"]: (one["what"], one["why"]) for one in candidacy().differences(planned)}
    assert told[OTHER][0] == "removed"
    assert [why["code"] for why in told[OTHER][1]] == ["E12"]


def test_a_bundle_says_the_same_as_the_service_whatever_was_confirmed(on_sqlite: House, tmp_path: Path) -> None:
    confirmations.of_class(on_sqlite, COURSE.class_id, word(Answer.DENY), 1)
    assert judged_in_batch(on_sqlite, tmp_path / "bundle")["eligibility"] == judged_live(on_sqlite)["eligibility"]


def test_attendance_is_that_of_accepted_sessions_and_practice(on_sqlite: House) -> None:
    with reading(on_sqlite.engine) as database:
        figures = attendance_of(database, COURSE.class_id)
    assert (figures.enrolled, figures.attended) == (2, 2)
    assert figures.days[-1] == AttendedDay(date(2021, 7, 20), 2, 0), "both practised on the last day"
    assert all(day.present == 1 for day in figures.days[:-1]), (
        "elsewhere one learner studied, each on days of their own"
    )


@pytest.mark.parametrize("code", ["E03", "E11"])
def test_only_what_is_open_can_be_confirmed(on_sqlite: House, code: str) -> None:
    for ask in (
        lambda: confirmations.of_class(on_sqlite, COURSE.class_id, word(code=code), 1),
        lambda: confirmations.of_enrolment(on_sqlite, OTHER, word(code=code), 1),
    ):
        with pytest.raises(GuardError) as refused:
            ask()
        assert refused.value.code == "confirmation.nothing_open"
    assert confirmations.confirmations_of(on_sqlite, COURSE.class_id, None)["confirmations"] == []


CHANGES = (
    "UPDATE confirmation SET answer = 'deny'",
    "DELETE FROM confirmation",
    "INSERT INTO confirmation SELECT class_id, 7, NULL, code, answer, reason, reviewer, role, 9 FROM confirmation",
)


def test_the_database_lets_nobody_change_a_confirmation(verified: House) -> None:
    confirmations.of_class(verified, COURSE.class_id, word(), 1)
    for change in CHANGES:
        with (
            pytest.raises(IntegrityError, match=r"append-only|follow each other"),
            writing(verified.engine) as database,
        ):
            database.execute(text(change))


def test_a_row_is_dated_anew_only_when_it_changed(verified: House) -> None:
    first = {row["enrolment_id"]: row["updated_ms"] for row in rows(verified)}
    assert first.keys() == {ONE, OTHER}
    verification.verify_class(verified, COURSE.class_id)
    assert {row["enrolment_id"]: row["updated_ms"] for row in rows(verified)} == first, "nothing changed"
    newest = max(first.values())
    assert rows(verified, newest + 1) == []
    confirmations.of_enrolment(verified, OTHER, word(), 1)
    (changed,) = rows(verified, newest + 1)
    assert (changed["enrolment_id"], changed["admitted"], changed["settled"]["unconfirmed"]) == (OTHER, False, [])
    assert [row["enrolment_id"] for row in rows(verified)] == [ONE, OTHER], "sorted by when they changed"


def test_times_grow_though_the_clock_stands_still(on_sqlite: House) -> None:
    times = []
    for digest in "abc":
        with writing(on_sqlite.engine) as database:
            assessment_rows.date_candidates(database, COURSE.class_id, {(WINDOW, ONE): digest}, 5)
            times.append(database.get_one(CandidateRecord, (WINDOW, ONE)).updated_ms)
    assert times == sorted(set(times))


def test_who_changes_a_row_meanwhile_waits_and_gets_a_later_time(verified: House) -> None:
    """Else a reader who has passed the later time would never see the earlier one."""
    holds, may_end, times = threading.Event(), threading.Event(), dict[str, int]()

    def change(digest: str, enrolment_id: str) -> None:
        with writing(verified.engine) as database:
            assessment_rows.date_candidates(database, COURSE.class_id, {(WINDOW, enrolment_id): digest}, 5)
            times[digest] = database.get_one(CandidateRecord, (WINDOW, enrolment_id)).updated_ms
            if digest == "first":
                holds.set()
                may_end.wait(10)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(change, "first", ONE)
        assert holds.wait(10)
        second = threads.submit(change, "second", OTHER)
        assert not wait([second], timeout=0.2).done, "it waits for the first to end"
        may_end.set()
        for one in (first, second):
            one.result(10)
    assert times["first"] < times["second"]


def test_a_strange_cursor_is_refused(on_sqlite: House) -> None:
    for cursor in ("x", "bnVsbA==", "WzEsIDJd"):
        with pytest.raises(GuardError) as refused:
            candidate_feed.feed(on_sqlite, WINDOW, None, 0, cursor, 1, JULY_MS)
        assert refused.value.code == "cursor.invalid"


def test_a_survey_suspends_and_the_classes_it_touches_are_judged_again(verified: House) -> None:
    good = satisfaction.record_survey(verified, INSTITUTION, date(2021, 5, 20), 0.85, 40, JULY_MS)[1]
    assert (good["suspension"], good["judged_again"]) == (None, [])
    is_new, bad = satisfaction.record_survey(verified, INSTITUTION, date(2021, 5, 20), 0.84, 40, JULY_MS)
    assert (is_new, bad["judged_again"]) == (True, [COURSE.class_id])
    assert (bad["suspension"]["from_on"], bad["suspension"]["until_on"]) == ("2021-05-20", "2021-06-19")
    assert not satisfaction.record_survey(verified, INSTITUTION, date(2021, 5, 20), 0.84, 40, JULY_MS)[0]
    with reading(verified.engine) as database:
        assert queries.is_pending(database, COURSE.class_id)
    verification.verify_class(verified, COURSE.class_id)
    (row, _) = rows(verified)
    assert "E11" in row["failed"]
    assert row["tests"]["E11"]["cure"][0]["from_on"] == "2021-06-20"
    told = satisfaction.surveys_of(verified, INSTITUTION, "hc-online")
    assert [(one["score"], one["asked"]) for one in told["surveys"]] == [(0.84, 40), (0.85, 40)]
    assert [one["until_on"] for one in told["suspensions"]] == ["2021-06-19"]
    assert satisfaction.suspension_at(verified, INSTITUTION, date(2021, 6, 19)) is not None
    assert satisfaction.suspension_at(verified, INSTITUTION, date(2021, 6, 20)) is None


@pytest.mark.parametrize(
    ("institution", "surveyed_on", "asked", "code"),
    [
        ("无此机构", date(2021, 5, 20), 40, "not_found"),
        (INSTITUTION, date(2021, 7, 6), 40, "survey.in_future"),
        (INSTITUTION, date(2021, 5, 20), 41, "survey.exists"),
    ],
)
def test_a_survey_that_cannot_be_is_refused(
    on_sqlite: House, institution: str, surveyed_on: date, asked: int, code: str
) -> None:
    satisfaction.record_survey(on_sqlite, INSTITUTION, date(2021, 5, 20), 0.9, 40, JULY_MS)
    with pytest.raises(GuardError) as refused:
        satisfaction.record_survey(on_sqlite, institution, surveyed_on, 0.9, asked, JULY_MS)
    assert refused.value.code == code
    with pytest.raises(GuardError):
        satisfaction.surveys_of(on_sqlite, INSTITUTION, "another platform")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE application SET assessment_on = '2021-12-15' WHERE \"window\" = '2021-12'", "application"),
        ("UPDATE application SET papers = '[]' WHERE \"window\" = '2021-12'", "application"),
        ("DELETE FROM application WHERE \"window\" = '2021-12'", "application"),
        ("UPDATE survey SET asked = 4", "survey"),
        ("UPDATE survey SET score = 0.95", "survey"),
        ("DELETE FROM survey", "survey"),
        (
            "DROP TRIGGER guard_confirmation_no_update; UPDATE confirmation SET reason = 'another'",
            "confirmation",
        ),
    ],
)
def test_the_log_finds_what_was_changed_past_the_service(on_sqlite: House, change: str, named: str) -> None:
    with writing(on_sqlite.engine) as database:
        database.execute(text("DELETE FROM application"))
    applications.apply(on_sqlite, filing(window=LATER, papers=frozenset({Paper.ROSTER})), None, JULY_MS)
    satisfaction.record_survey(on_sqlite, INSTITUTION, date(2021, 5, 20), 0.9, 40, JULY_MS)
    confirmations.of_class(on_sqlite, COURSE.class_id, word(), 1)
    assert faults(on_sqlite) == []
    with writing(on_sqlite.engine) as database:
        for step in change.split("; "):
            database.execute(text(step))
    assert faults(on_sqlite)
    assert all(where.startswith(named) for where in faults(on_sqlite))
    assert evidence_log.head(on_sqlite)
