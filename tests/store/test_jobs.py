"""Jobs: one row for each duty and key, held by one worker, never lost, parked when they fail again and again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from online_guard.errors import ErrorKind, GuardError
from online_guard.store import jobs
from online_guard.store.jobs import BACK_OFF_MS, MOST_ATTEMPTS, Job, Standing
from online_guard.store.tables import JobRecord
from online_guard.store.unit_of_work import migrate, open_engine, reading, writing

NOW_MS, LEASE_MS = 1_000_000, 60_000
DUTIES = ("verify", "deliver")


def ask(engine: Engine, *keys: str, now_ms: int = NOW_MS, duty: str = "verify") -> None:
    with writing(engine) as database:
        for key in keys:
            jobs.ask(database, duty, key, now_ms)


def take(engine: Engine, now_ms: int = NOW_MS) -> Job | None:
    with writing(engine) as database:
        return jobs.take(database, DUTIES, now_ms, LEASE_MS)


def taken(engine: Engine, now_ms: int = NOW_MS) -> Job:
    job = take(engine, now_ms)
    assert job is not None
    return job


def finish(engine: Engine, job: Job) -> bool:
    with writing(engine) as database:
        return jobs.finish(database, job)


def fail(engine: Engine, job: Job, now_ms: int = NOW_MS) -> None:
    with writing(engine) as database:
        jobs.fail(database, job, "ZeroDivisionError", now_ms)


def listed(engine: Engine) -> list[JobRecord]:
    with reading(engine) as database:
        return jobs.listed(database)


def only(engine: Engine) -> JobRecord:
    (record,) = listed(engine)
    return record


def test_a_job_waits_once_however_often_it_is_asked_for(engine: Engine) -> None:
    ask(engine, "one", "two", "one")
    ask(engine, "one")
    ask(engine, "one", duty="deliver")
    assert [(row.duty, row.key, row.asked) for row in listed(engine)] == [
        ("verify", "one", 3), ("verify", "two", 1), ("deliver", "one", 1),
    ]  # fmt: skip


def ask_and_break_down(engine: Engine) -> None:
    with writing(engine) as database:
        jobs.ask(database, "verify", "one", NOW_MS)
        raise RuntimeError


def test_what_is_undone_was_not_asked_for(engine: Engine) -> None:
    with pytest.raises(RuntimeError):
        ask_and_break_down(engine)
    assert listed(engine) == []


def test_a_job_is_taken_by_one_worker_when_it_is_due(engine: Engine) -> None:
    ask(engine, "one")
    assert take(engine, NOW_MS - 1) is None
    assert taken(engine, NOW_MS).key == "one"
    assert take(engine, NOW_MS) is None
    assert (only(engine).attempts, only(engine).leased_until_ms) == (1, NOW_MS + LEASE_MS)


def test_a_worker_takes_only_what_it_can_do(engine: Engine) -> None:
    ask(engine, "one", duty="unheard of")
    assert take(engine) is None


def test_the_one_that_is_due_longest_comes_first(engine: Engine) -> None:
    ask(engine, "two", now_ms=NOW_MS - 1)
    ask(engine, "one", now_ms=NOW_MS - 2)
    assert [taken(engine).key, taken(engine).key, take(engine)] == ["one", "two", None]


def test_of_several_wishes_the_earliest_counts(engine: Engine) -> None:
    for now_ms in (NOW_MS + 5, NOW_MS, NOW_MS + 9):
        ask(engine, "one", now_ms=now_ms)
    assert only(engine).run_after_ms == NOW_MS


def test_what_is_done_is_gone(engine: Engine) -> None:
    ask(engine, "one")
    assert finish(engine, taken(engine))
    assert listed(engine) == []


def test_a_job_asked_for_while_it_is_being_done_is_done_once_more_and_not_beside(engine: Engine) -> None:
    ask(engine, "one")
    job = taken(engine)
    ask(engine, "one", now_ms=NOW_MS + 7)
    ask(engine, "one", now_ms=NOW_MS + 8)
    assert take(engine, NOW_MS + 9) is None, "no two workers do the same at once"
    assert finish(engine, job)
    assert (only(engine).lease, only(engine).attempts, only(engine).run_after_ms) == (None, 0, NOW_MS + 7)
    assert finish(engine, taken(engine, NOW_MS + 9))
    assert listed(engine) == []


def test_what_was_asked_before_the_evidence_was_read_needs_no_second_round(engine: Engine) -> None:
    ask(engine, "one")
    taken(engine)
    ask(engine, "one")
    with reading(engine) as database:
        as_read = jobs.held(database, "verify", "one")
    assert as_read is not None
    assert finish(engine, as_read)
    assert listed(engine) == []


def test_the_job_of_a_worker_that_died_is_taken_after_its_lease_and_the_dead_one_changes_nothing(
    engine: Engine,
) -> None:
    ask(engine, "one")
    dead = taken(engine)
    assert take(engine, NOW_MS + LEASE_MS) is None
    alive = taken(engine, NOW_MS + LEASE_MS + 1)
    assert alive.attempts == 2
    assert not finish(engine, dead)
    fail(engine, dead)
    with writing(engine) as database:
        assert not jobs.extend(database, dead, NOW_MS, 9 * LEASE_MS)
    assert (only(engine).lease, only(engine).last_error) == (alive.lease, None)
    assert finish(engine, alive)


def test_a_lease_that_is_renewed_does_not_run_out(engine: Engine) -> None:
    ask(engine, "one")
    job = taken(engine)
    with writing(engine) as database:
        assert jobs.extend(database, job, NOW_MS + LEASE_MS - 1, LEASE_MS)
    assert take(engine, NOW_MS + LEASE_MS + 1) is None


def test_a_job_that_fails_waits_twice_as_long_each_time_and_is_parked_at_last(engine: Engine) -> None:
    ask(engine, "one")
    now_ms, waits = NOW_MS, []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        job = taken(engine, now_ms)
        assert job.attempts == attempt
        fail(engine, job, now_ms)
        waits.append(only(engine).run_after_ms - now_ms)
        assert take(engine, only(engine).run_after_ms - 1) is None, "not before its time"
        now_ms = only(engine).run_after_ms
    assert waits == [BACK_OFF_MS * 2**attempt for attempt in range(MOST_ATTEMPTS)]
    assert (only(engine).last_error, only(engine).parked_ms is not None) == ("ZeroDivisionError", True)
    assert take(engine, now_ms * 2) is None


def parked(engine: Engine) -> int:
    """Return the number of a parked job."""
    ask(engine, "one")
    for _ in range(MOST_ATTEMPTS):
        fail(engine, taken(engine, 10 * NOW_MS), NOW_MS)
    assert only(engine).parked_ms is not None
    return only(engine).row_id


def test_a_parked_job_is_tried_again_when_a_person_says_so(engine: Engine) -> None:
    row_id = parked(engine)
    with writing(engine) as database:
        jobs.replay(database, row_id, NOW_MS)
    assert taken(engine).attempts == 1
    with pytest.raises(GuardError) as refusal, writing(engine) as database:
        jobs.replay(database, row_id, NOW_MS)
    assert (refusal.value.kind, refusal.value.code) == (ErrorKind.NOT_FOUND, "job.not_parked")


def test_a_parked_job_that_is_asked_for_again_gets_new_attempts(engine: Engine) -> None:
    parked(engine)
    ask(engine, "one")
    assert taken(engine).attempts == 1


def test_a_job_that_kills_its_workers_is_parked_too(engine: Engine) -> None:
    ask(engine, "one", "two")
    now_ms = NOW_MS
    for _ in range(MOST_ATTEMPTS):
        assert taken(engine, now_ms).key == "one"
        assert finish(engine, taken(engine, now_ms))
        ask(engine, "two", now_ms=now_ms + 1)
        now_ms += LEASE_MS + 2
    assert taken(engine, now_ms).key == "two"
    assert take(engine, now_ms) is None
    assert [(row.key, row.last_error) for row in listed(engine) if row.parked_ms] == [
        ("one", "its worker died each time")
    ]


def test_how_much_work_there_is(engine: Engine) -> None:
    def standing(now_ms: int = NOW_MS) -> Standing:
        with reading(engine) as database:
            return jobs.standing(database, now_ms)

    assert standing() == Standing(0, 0, 0, None)
    parked(engine)
    assert standing() == Standing(0, 0, 1, None)
    ask(engine, "two", "three", now_ms=NOW_MS + 1)
    ask(engine, "two", now_ms=NOW_MS + 2)
    taken(engine, NOW_MS + 1)
    assert standing() == Standing(1, 1, 1, NOW_MS + 1)
    assert standing(NOW_MS + LEASE_MS + 2) == Standing(2, 0, 1, NOW_MS + 1), "a lease that ran out holds nothing"


STEPS = st.lists(st.sampled_from(["ask", "take", "finish", "fail", "die"]), max_size=25)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'one.sqlite3'}"
    migrate(url)
    return url


@given(steps=STEPS)
@settings(max_examples=30)
def test_no_wish_is_lost_whatever_happens(lasting: str, steps: list[str]) -> None:
    """Each wish is followed by a round of work that began later and was finished, or the job still stands."""
    engine, now_ms, at_hand, unserved = open_engine(lasting), NOW_MS, None, False
    with writing(engine) as database:
        for record in jobs.listed(database):
            database.delete(record)
    for step in steps:
        now_ms += 1
        if step == "ask":
            ask(engine, "one", now_ms=now_ms)
            unserved = True
        elif step == "take" and at_hand is None:
            at_hand = take(engine, now_ms)
            asked_before = unserved
        elif step == "die" and at_hand is not None:
            at_hand, now_ms = None, now_ms + LEASE_MS + 1
        elif step in ("finish", "fail") and at_hand is not None:
            if step == "fail":
                fail(engine, at_hand, now_ms)
                now_ms += BACK_OFF_MS * 2**MOST_ATTEMPTS
            else:
                assert finish(engine, at_hand)
                unserved = only(engine).asked > at_hand.asked if listed(engine) else False
                assert asked_before
            at_hand = None
        assert bool(listed(engine)) is unserved
    engine.dispose()
