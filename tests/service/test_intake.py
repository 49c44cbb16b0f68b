"""Group commit: what comes together is kept together, nobody suffers from another's batch, and nothing is dropped."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from simulated_platform import SimulatedPlatform
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House, open_house
from online_guard.service.receiving import intake, sessions
from online_guard.service.receiving.batches import settle
from online_guard.service.receiving.intake import Answer, Batch, Intake
from online_guard.simulate.course import Course
from online_guard.store import event_chunks, queries
from online_guard.store.account_rows import UsedNonce
from online_guard.store.batch_rows import Writes
from online_guard.store.unit_of_work import reading, writing

NOON_MS = 1_623_124_800_000
COURSE = Course()


@pytest.fixture
def opened(house: House, simulated: SimulatedPlatform) -> Callable[[], str]:
    """Return a function that opens a new session and gives its id."""
    simulated.register(COURSE)
    numbers = itertools.count(1)

    def new() -> str:
        name = f"s{next(numbers)}"
        simulated.enrol(COURSE, name, 0)
        opening = sessions.Opening(COURSE.platform_id, name, name, 1, NOON_MS, "pc")
        sessions.open_session(house, opening, NOON_MS)
        return name

    return new


def body(first: int, number: int = 3, **changes: Any) -> bytes:
    """Return a batch of heartbeats."""
    events = [
        {"seq": seq, "type": "heartbeat", "at_ms": NOON_MS + 1000 * seq, "position_s": 1.0 * seq, "playing": True,
         "rate": 1.0, "player": "tab"} | changes
        for seq in range(first, first + number)
    ]  # fmt: skip
    return json.dumps({"events": events}).encode()


def batch(session_id: str, content: bytes, **more: Any) -> Batch:
    """Return a batch of the course's platform."""
    return Batch(session_id, COURSE.platform_id, content, NOON_MS, **more)


def kept(house: House, session_id: str) -> list[int]:
    """Return the numbers of a session's stored events."""
    with reading(house.engine) as database:
        row_id = queries.find_session(database, session_id, None).row_id
        return list(event_chunks.of_sessions(database, {row_id: 0}).seq.tolist())


def statuses(answer: Answer) -> list[str]:
    """Return what became of the events of a batch."""
    assert not isinstance(answer, Exception), answer
    return [row["status"] for row in answer["results"]]


def test_in_a_group_each_batch_has_its_own_answer(house: House, opened: Callable[[], str]) -> None:
    one, other = opened(), opened()
    answers = settle(
        house,
        [
            batch(one, body(0)),
            batch("nowhere", body(0)),
            batch(other, b"no batch"),
            batch(other, body(0)),
            batch(one, body(3)),
            batch(one, body(2, 2)),
            batch(other, body(3, position_s=-1.0)),
        ],
    )
    assert statuses(answers[0]) == statuses(answers[3]) == statuses(answers[4]) == ["accepted"] * 3
    assert [error.code for error in answers[1:3] if isinstance(error, GuardError)] == ["not_found", "events.bad_batch"]
    assert statuses(answers[5]) == ["duplicate"] * 2
    assert statuses(answers[6]) == ["refused"] * 3
    assert (kept(house, one), kept(house, other)) == ([0, 1, 2, 3, 4, 5], [0, 1, 2])
    with reading(house.engine) as database:
        assert database.execute(text("SELECT count(*) FROM dead_letter")).scalar() == 6


def test_when_one_can_not_be_kept_the_others_are(
    house: House, opened: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [opened() for _ in range(3)]
    with reading(house.engine) as database:
        at_fault = queries.find_session(database, names[1], None).row_id
    flush = Writes.flush

    def failing(self: Writes, database: Any) -> None:
        if any(row["session_row"] == at_fault for row in self.chunks):
            raise IntegrityError("INSERT", None, ValueError("broken"))
        flush(self, database)

    put_rows = event_chunks.put_rows

    def failing_too(database: Any, session_row: int, rows: Any) -> None:
        if session_row == at_fault:
            raise IntegrityError("INSERT", None, ValueError("broken"))
        put_rows(database, session_row, rows)

    settle(house, [batch(name, body(0)) for name in names])  # they are in mind now
    monkeypatch.setattr(Writes, "flush", failing)
    monkeypatch.setattr(event_chunks, "put_rows", failing_too)
    answers = intake._answers([batch(name, body(3)) for name in names], partial(settle, house))
    assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
    monkeypatch.undo()
    assert statuses(settle(house, [batch(names[1], body(3))])[0]) == ["accepted"] * 3
    assert [kept(house, name) for name in names] == [[0, 1, 2, 3, 4, 5]] * 3


def test_threads_that_post_at_once_lose_and_double_nothing(house: House, opened: Callable[[], str]) -> None:
    names = [opened() for _ in range(4)]
    posts = [(name, first) for name in names for first in range(0, 30, 3)] * 2

    def post(one: tuple[str, int]) -> list[str]:
        return statuses(sessions.add_events(house, one[0], COURSE.platform_id, body(one[1]), NOON_MS))

    with ThreadPoolExecutor(16) as pool:
        told = [status for answer in pool.map(post, posts) for status in answer]
    assert (told.count("accepted"), told.count("duplicate")) == (120, 120)
    assert all(kept(house, name) == list(range(30)) for name in names)


def test_when_too_many_wait_the_next_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_WAITING", 2)
    goes_on, answers = threading.Event(), []
    queue = Intake()

    def slow(group: Sequence[Batch]) -> list[Answer]:
        goes_on.wait(10)
        return [{} for _ in group]

    queue.submit(batch("s", b""), slow, answers.append)
    while len(queue):
        pass  # the thread takes it, and is held up
    for _ in range(2):
        queue.submit(batch("s", b""), slow, answers.append)
    with pytest.raises(GuardError) as caught:
        queue.submit(batch("s", b""), slow, answers.append)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.UNAVAILABLE, "intake.full")
    goes_on.set()
    while len(queue):
        pass
    assert queue.settled(batch("s", b""), slow) == {}
    assert len(answers) == 3, "nothing that was taken is dropped"


def test_a_full_disk_loses_nothing_that_was_confirmed(house: House, opened: Callable[[], str]) -> None:
    if house.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's limit of pages")
    name = opened()
    assert statuses(settle(house, [batch(name, body(0))])[0]) == ["accepted"] * 3
    with writing(house.engine) as database:
        pages = database.execute(text("PRAGMA page_count")).scalar()
        database.execute(text(f"PRAGMA max_page_count={pages}"))
    large = body(3, 900, player="x" * 100)
    fill = partial(sessions.add_events, house, name, None, large, NOON_MS)
    with pytest.raises(GuardError) as caught:
        fill()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert kept(house, name) == [0, 1, 2]
    assert fill()["next_seq"] == 903


@pytest.fixture
def another(house: House) -> Iterator[House]:
    """Return another process's house on the same data."""
    second = open_house(house.settings)
    yield second
    second.engine.dispose()


def test_two_processes_see_what_the_other_has_kept(house: House, another: House, opened: Callable[[], str]) -> None:
    name = opened()
    for first, own in zip(range(0, 24, 3), itertools.cycle([house, another, another]), strict=False):
        [answer] = settle(own, [batch(name, body(first))])
        assert statuses(answer) == ["accepted"] * 3
        assert not isinstance(answer, Exception)
        assert answer["next_seq"] == first + 3
        for one in (house, another):
            assert statuses(settle(one, [batch(name, body(first))])[0]) == ["duplicate"] * 3
    assert kept(house, name) == list(range(24))


def test_a_signature_is_good_once_whichever_process_it_comes_to(
    house: House, another: House, opened: Callable[[], str]
) -> None:
    name, used = opened(), [UsedNonce(1_700_000_000, bytes([number]) * 16) for number in range(3)]
    assert statuses(settle(house, [batch(name, body(0), used=used[0])])[0]) == ["accepted"] * 3
    answers = settle(another, [batch(name, body(3), used=used[0]), batch(name, body(3), used=used[1])])
    assert isinstance(answers[0], GuardError)
    assert answers[0].code == "signature.replayed"
    assert statuses(answers[1]) == ["accepted"] * 3
    assert kept(house, name) == list(range(6))


def test_a_session_that_another_platform_names_too_must_be_told_apart(
    house: House, opened: Callable[[], str], simulated: SimulatedPlatform
) -> None:
    name = opened()
    alone = Batch(name, None, body(0), NOON_MS)
    assert statuses(settle(house, [alone])[0]) == ["accepted"] * 3
    theirs = Course(class_id="other", platform_id="other")
    simulated.register(theirs)
    simulated.enrol(theirs, "theirs", 0)
    sessions.open_session(house, sessions.Opening("other", name, "theirs", 1, NOON_MS, "pc"), NOON_MS)
    [answer] = settle(house, [Batch(name, None, body(3), NOON_MS)])
    assert isinstance(answer, GuardError)
    assert answer.code == "session.ambiguous"
