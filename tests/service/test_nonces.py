"""Used signatures are remembered as long as they would be accepted, and forgotten afterwards, here and on disk."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from online_guard.errors import GuardError
from online_guard.service.admitting import nonces
from online_guard.service.admitting.nonces import Nonces
from online_guard.service.house import House
from online_guard.signatures import WINDOW_S, Signature
from online_guard.store.account_rows import UsedNonce, forget_nonces, nonces_since, use_nonces
from online_guard.store.account_tables import NonceRecord
from online_guard.store.unit_of_work import reading, writing


def signature(nonce: str, created_s: int) -> Signature:
    """Return a signature of a key."""
    return Signature("key", created_s, nonce, b"", b"", b"")


def kept(house: House) -> int:
    """Return how many signatures are on disk."""
    with reading(house.engine) as database:
        return int(database.scalar(select(func.count()).select_from(NonceRecord)) or 0)


@pytest.mark.parametrize(
    ("off_s", "fits"), [(-WINDOW_S - 1, False), (-WINDOW_S, True), (WINDOW_S, True), (WINDOW_S + 1, False)]
)
def test_a_clock_may_be_five_minutes_off(house: House, off_s: int, fits: bool) -> None:
    async def use() -> UsedNonce:
        return Nonces(house.engine).use(signature("one", 1_000_000 + off_s), 1_000_000)

    if fits:
        assert asyncio.run(use()).created_s == 1_000_000 + off_s
    else:
        with pytest.raises(GuardError) as refusal:
            asyncio.run(use())
        assert refusal.value.code == "signature.expired"


def test_one_nonce_of_two_keys_is_two_signatures(house: House) -> None:
    async def use() -> None:
        seen, now_s = Nonces(house.engine), int(time.time())
        seen.use(signature("one", now_s), now_s)
        seen.use(replace(signature("one", now_s), key_id="another"), now_s)
        with pytest.raises(GuardError):
            seen.use(signature("one", now_s), now_s)

    asyncio.run(use())


def test_a_signature_is_refused_as_long_as_its_time_would_fit(house: House) -> None:
    """One made by a clock that is ahead lives longest: ten minutes after its first use it would still fit."""

    async def use() -> None:
        seen, now_s = Nonces(house.engine), int(time.time())
        seen.use(signature("ahead", now_s + WINDOW_S), now_s)
        for later_s in range(0, 2 * WINDOW_S + 1, 20):
            seen.use(signature(f"other {later_s}", now_s + later_s), now_s + later_s)
            with pytest.raises(GuardError) as refusal:
                seen.use(signature("ahead", now_s + WINDOW_S), now_s + later_s)
            assert refusal.value.code == "signature.replayed", later_s
        for minute in range(30):
            seen.use(signature(f"much later {minute}", now_s + 2_000 + 60 * minute), now_s + 2_000 + 60 * minute)
        assert sum(map(len, seen._seen.values())) <= 8, "those of the last minutes only"

    asyncio.run(use())


def test_what_was_used_is_known_after_a_restart_and_pruned_on_disk(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(now_s: int, nonce: str) -> None:
        seen = Nonces(house.engine)
        await seen.keep(seen.use(signature(nonce, now_s), now_s))

    now_s = int(time.time())
    asyncio.run(use(now_s, "one"))
    with pytest.raises(GuardError):
        asyncio.run(use(now_s, "one"))
    assert kept(house) == 1
    monkeypatch.setattr(nonces.time, "time", lambda: float(now_s + WINDOW_S + 61))
    asyncio.run(use(now_s + WINDOW_S + 61, "two"))
    assert kept(house) == 1, "the first is gone"


def test_the_database_tells_which_were_used_before(house: House) -> None:
    some = [UsedNonce(100 + n, bytes([n]) * 16) for n in range(20)]
    with writing(house.engine) as database:
        assert use_nonces(database, []) == set()
        assert use_nonces(database, some[:10]) == set()
    with writing(house.engine) as database:
        assert use_nonces(database, some[5:]) == set(some[5:10])
        assert set(nonces_since(database, 115)) == set(some[15:])
        forget_nonces(database, 118)
        assert set(nonces_since(database, 0)) == set(some[18:])


def test_work_that_fails_leaves_its_signature_unused(house: House) -> None:
    one = UsedNonce(100, b"a" * 16)

    def work() -> None:
        with writing(house.engine) as database:
            use_nonces(database, [one])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    with writing(house.engine) as database:
        assert use_nonces(database, [one]) == set()


def test_a_database_that_is_lost_refuses_and_goes_on_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use() -> list[str]:
        seen, now_s = Nonces(house.engine), int(time.time())
        said = []
        for nonce, broken in (("one", True), ("two", False)):
            with monkeypatch.context() as patch:
                if broken:
                    patch.setattr(seen, "_store", lambda _batch: 1 / 0)
                try:
                    await seen.keep(seen.use(signature(nonce, now_s), now_s))
                    said.append("kept")
                except ZeroDivisionError:
                    said.append("lost")
        return said

    assert asyncio.run(use()) == ["lost", "kept"]
