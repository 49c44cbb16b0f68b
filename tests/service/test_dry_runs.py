"""A changed threshold is tried on what is stored: what would change is told, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stored_class import HONEST, cheat, store_class

from online_guard.errors import GuardError
from online_guard.policy import load_policy
from online_guard.policy.listing import describe
from online_guard.service import verification
from online_guard.service.house import House, open_house
from online_guard.service.reviewing import dry_runs
from online_guard.service.reviewing.dry_runs import Wish
from online_guard.settings import Settings
from online_guard.store import dry_runs as kept
from online_guard.store import jobs, queries
from online_guard.store.tables import FindingRecord, JobRecord, ResultRecord
from online_guard.store.unit_of_work import close_engine, reading, writing
from online_guard.verdict import case_id
from online_guard.worker import work_once

NOW_MS = 1_795_000_000_000


def with_a_class(settings: Settings) -> House:
    """Return a service with a verified class of an honest learner, one who skips ahead, and one who doesn't finish."""
    house = open_house(settings)
    store_class(house, [HONEST, cheat("skip_ahead"), cheat("unfinished")])
    with reading(house.engine) as database:
        (class_id,) = kept.classes_between(database, 0, NOW_MS)
    verification.verify_class(house, class_id)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a service with a class, which its tests don't change."""
    house = with_a_class(Settings(data_dir=tmp_path_factory.mktemp("dry")))
    yield house
    close_engine(house.engine)


def work_off(house: House) -> None:
    """Let a worker do all jobs."""
    while work_once(house):
        pass


def tried(house: House, key: str, value: str) -> dict[str, Any]:
    """Return a dry run that a worker has finished."""
    told = dry_runs.ask(house, Wish(key, value, "甲", NOW_MS))
    assert told["state"] == "waiting"
    work_off(house)
    return dry_runs.told(house, told["dry_run_id"])


def stored(house: House) -> list[tuple[Any, ...]]:
    """Return every verdict, hour, eligibility and finding."""
    with reading(house.engine) as database:
        (class_id,) = kept.classes_between(database, 0, NOW_MS)
        results = queries.of_class(database, ResultRecord, class_id)
        found = queries.of_class(database, FindingRecord, class_id)
        return [(row.owner, row.body) for row in results] + [(row.finding_id, row.effect) for row in found]


def test_a_rule_that_only_notes_frees_its_sessions_and_nothing_is_stored(tmp_path: Path, database_url: str) -> None:
    house = with_a_class(Settings(data_dir=tmp_path / "data", database_url=database_url))
    before = stored(house)
    told = tried(house, "effect.OG102", "note")
    assert stored(house) == before
    assert (told["state"], told["classes"], told["judged"], told["value"]) == ("done", 1, 1, '"note"')
    result = told["result"]
    assert result["summary"]["sessions"]["verdict_changed"] == 1
    (session,) = result["listed"]["sessions"]["rows"]
    assert (session["old"], session["new"], session["rules"]) == ("rejected", "accepted", ["OG102"])
    rules = {row["rule"]: row for row in result["summary"]["rules"]}
    assert rules["OG102"]["findings_changed"] == rules["OG102"]["sessions"] == 1
    assert session["case_id"] == case_id("session", session["session_id"])
    assert [one["state"] for one in dry_runs.listed(house)] == ["done"]
    close_engine(house.engine)


def test_a_harder_threshold_costs_hours_and_eligibility(house: House) -> None:
    told = tried(house, "offline.min_practice_hours", "1000")
    learners = told["result"]["listed"]["learners"]
    assert learners["in_all"] == len(learners["rows"]) == 3
    assert all("E04" in row["tests"] for row in learners["rows"])
    assert told["result"]["summary"]["eligibility"]["new"] == 0
    assert told["result"]["listed"]["sessions"] == {"in_all": 0, "rows": []}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("popup.max_gap", "1", "policy.unknown_key"),
        ("popup.max_gap_s", "300", "dry_run.same"),
        ("popup.max_gap_s", "-1", "policy.impossible_value"),
        ("popup.max_gap_s", "240\nhours.min_coverage=1", "policy.override"),
        ("effect.OG101", "harsh", "policy.impossible_value"),
        ("retention.media_days", "1", "dry_run.key"),
        ("tasks.rows", "[]", "dry_run.key"),
    ],
)
def test_what_cannot_be_tried_is_refused(house: House, key: str, value: str, code: str) -> None:
    with pytest.raises(GuardError) as refused:
        dry_runs.ask(house, Wish(key, value, "甲", NOW_MS))
    assert refused.value.code == code
    with reading(house.engine) as database:
        assert kept.unfinished(database) == 0


def test_too_many_wait_and_a_law_that_was_replaced_is_told(house: House) -> None:
    asked = [dry_runs.ask(house, Wish("popup.max_gap_s", str(number), "甲", NOW_MS)) for number in (200, 210, 220)]
    with pytest.raises(GuardError) as refused:
        dry_runs.ask(house, Wish("popup.max_gap_s", "230", "甲", NOW_MS))
    assert refused.value.code == "dry_run.busy"
    with writing(house.engine) as database:
        kept.move(database, asked[0]["dry_run_id"], old_sha256="0" * 64)
    work_off(house)
    first, second, _ = (dry_runs.told(house, one["dry_run_id"]) for one in asked)
    assert (first["state"], first["problem"]["code"], first["result"]) == ("failed", "dry_run.law", None)
    assert second["state"] == "done"
    dry_runs.judge_once(house, second["dry_run_id"])  # a worker that died before it noted the job as done
    assert dry_runs.told(house, second["dry_run_id"]) == second


def test_a_dry_run_that_was_given_up_says_so(house: House) -> None:
    asked = dry_runs.ask(house, Wish("popup.max_gap_s", "250", "甲", NOW_MS))
    with writing(house.engine) as database:
        (record,) = jobs.listed(database)
        database.get_one(JobRecord, record.row_id).parked_ms = NOW_MS
    assert dry_runs.told(house, asked["dry_run_id"])["state"] == "parked"
    with writing(house.engine) as database:
        jobs.replay(database, record.row_id, NOW_MS)
    assert work_once(house)
    assert dry_runs.told(house, asked["dry_run_id"])["state"] == "judging", "other jobs have their turn between classes"
    work_off(house)
    assert dry_runs.told(house, asked["dry_run_id"])["state"] == "done"
    with reading(house.engine) as database:
        assert kept.judged_classes(database, asked["dry_run_id"]) == frozenset(), "what is done keeps its result only"


def test_every_key_that_is_named_is_one_of_the_pack() -> None:
    lines = {line.key: line for line in describe(load_policy("huangchuan-2021"))}
    assert lines.keys() > dry_runs.CATALOGUES | dry_runs.NEVER_JUDGED | dry_runs.WHEN_RECORDED
    assert all(dry_runs.can_be_tried(lines[key]) for key in dry_runs.WHEN_RECORDED)
