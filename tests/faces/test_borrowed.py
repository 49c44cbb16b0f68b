"""Things that one thread at a time may use: made when needed, kept, never more than allowed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from online_guard.faces.borrowed import Pool


def test_a_free_thing_is_lent_again_before_another_is_made() -> None:
    pool = Pool(count().__next__, most=3)
    for _ in range(3):
        with pool.borrow() as thing:
            assert thing == 0
    with pool.borrow() as first, pool.borrow() as second:
        assert {first, second} == {0, 1}


def test_no_two_threads_hold_one_thing_and_no_more_are_made_than_allowed() -> None:
    made: list[threading.Lock] = []

    def make() -> threading.Lock:
        made.append(threading.Lock())
        return made[-1]

    pool = Pool(make, most=2)

    def use(_: int) -> None:
        with pool.borrow() as lock:
            assert lock.acquire(blocking=False)
            time.sleep(0.001)
            lock.release()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(use, range(60)))
    assert 1 <= len(made) <= 2


def test_what_cannot_be_made_leaves_room_for_another_try() -> None:
    tries = count()

    def make() -> str:
        if next(tries) == 0:
            raise OSError("not now")
        return "made"

    pool = Pool(make, most=1)
    with pytest.raises(OSError, match="not now"), pool.borrow():
        pass
    with pool.borrow() as thing:
        assert thing == "made"
