"""A request in flight, one whose process died, and how long answers are kept."""

from __future__ import annotations

import pytest

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House
from online_guard.service.receiving.repeated_requests import (
    KEPT_MS,
    LEASE_MS,
    KeptAnswer,
    abandon,
    begin,
    finish,
    opened,
)
from online_guard.store.answer_rows import Asked
from online_guard.store.answer_tables import KeptAnswerRecord
from online_guard.store.unit_of_work import reading

NOW_MS = 1_623_124_800_000
ASKED = Asked("platform P", "k", "0" * 64)
ANSWER = KeptAnswer(201, "application/json", "{“好”}".encode())


def test_in_flight_until_the_lease_of_a_dead_process_ends(house: House) -> None:
    assert begin(house, ASKED, NOW_MS) is None
    for later_ms in (0, LEASE_MS - 1):
        with pytest.raises(GuardError) as caught:
            begin(house, ASKED, NOW_MS + later_ms)
        assert (caught.value.kind, caught.value.code) == (ErrorKind.CONFLICT, "idempotency.in_flight")
    assert begin(house, ASKED, NOW_MS + LEASE_MS) is None


def test_an_answer_is_kept_for_two_days(house: House) -> None:
    assert begin(house, ASKED, NOW_MS) is None
    finish(house, ASKED, ANSWER)
    assert begin(house, ASKED, NOW_MS + KEPT_MS) == ANSWER
    assert begin(house, ASKED, NOW_MS + KEPT_MS + 1) is None


def test_another_body_is_refused_whether_the_first_is_done_or_not(house: House) -> None:
    begin(house, ASKED, NOW_MS)
    for _ in range(2):
        with pytest.raises(GuardError) as caught:
            begin(house, ASKED._replace(digest="1" * 64), NOW_MS)
        assert (caught.value.kind, caught.value.code) == (ErrorKind.INVALID, "idempotency.other_request")
        finish(house, ASKED, ANSWER)


def test_what_had_no_effect_is_forgotten(house: House) -> None:
    begin(house, ASKED, NOW_MS)
    abandon(house, ASKED)
    assert begin(house, ASKED, NOW_MS) is None


def test_kept_answers_are_sealed(house: House) -> None:
    begin(house, ASKED, NOW_MS)
    finish(house, ASKED, ANSWER)
    with reading(house.engine) as database:
        record = database.get_one(KeptAnswerRecord, (ASKED.caller, ASKED.key))
    assert ANSWER.body not in (record.answer or b"")
    assert opened(house.vault, record) == ANSWER
