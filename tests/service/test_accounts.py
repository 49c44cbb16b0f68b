"""People: added once, with a strong hash; logins end by time; failures lock a name for longer and longer."""

from __future__ import annotations

from pathlib import Path

import argon2
import pyotp
import pytest

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting import accounts, logins
from online_guard.service.admitting.accounts import (
    add_person,
    disable_person,
    list_people,
    set_password,
    set_totp,
    unlock_person,
)
from online_guard.service.admitting.logins import (
    FREE_FAILURES,
    IDLE_MS,
    LONGEST_LOCK_MS,
    LONGEST_MS,
    log_in,
    log_out,
    signed_in,
)
from online_guard.service.house import House, open_house
from online_guard.settings import Settings
from online_guard.store import account_rows
from online_guard.store.account_tables import LoginRecord
from online_guard.store.unit_of_work import close_engine, reading
from online_guard.terms import Role

PASSWORD = "four words and a comma,"


class Clock:
    """The service's clock, set by hand."""

    now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that people's logins go by; passwords are hashed quickly here."""
    shown = Clock()
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    for module in (accounts, logins):
        monkeypatch.setattr(module, "clock_ms", shown)
        monkeypatch.setattr(module, "HASHER", quick)
    return shown


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Return SQLite's: people are kept by the same few statements on PostgreSQL, where one test goes through them."""
    return sqlite_url


def test_people_on_postgresql(tmp_path: Path, postgres_url: str, clock: Clock) -> None:
    house = open_house(Settings(data_dir=tmp_path / "data", database_url=postgres_url))
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    with pytest.raises(GuardError) as refusal:
        log_in(house, "ann", "wrong", None)
    assert code_of(refusal) == "login.refused"
    totp = pyotp.parse_uri(set_totp(house, "ann"))
    assert isinstance(totp, pyotp.TOTP)
    token = log_in(house, "ann", PASSWORD, totp.at(clock.now_ms // 1000)).token
    assert signed_in(house, token)
    disable_person(house, "ann")
    assert signed_in(house, token) is None
    close_engine(house.engine)


def code_of(refusal: pytest.ExceptionInfo[GuardError]) -> str:
    return refusal.value.code


def test_passwords_are_hashed_with_argon2id_as_rfc_9106_has_it() -> None:
    assert accounts.HASHER.type is argon2.Type.ID
    assert (accounts.HASHER.memory_cost, accounts.HASHER.time_cost) >= (64 * 1024, 3)


def test_a_person_is_added_once_and_shown_without_secrets(house: House, clock: Clock) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    with pytest.raises(GuardError) as refusal:
        add_person(house, "ann", Role.READER, PASSWORD)
    assert code_of(refusal) == "person.exists"
    set_totp(house, "ann")
    (row,) = list_people(house)
    assert (row["name"], row["role"], row["password"], row["totp"]) == ("ann", "auditor", True, True)
    assert PASSWORD not in str(row)


@pytest.mark.parametrize(
    ("password", "fits"), [("x" * 11, False), ("x" * 12, True), ("汉" * 12, True), ("x" * 1001, False)]
)
def test_a_password_has_twelve_characters_at_least(house: House, clock: Clock, password: str, fits: bool) -> None:
    if fits:
        add_person(house, "ann", Role.AUDITOR, password)
        assert log_in(house, "ann", password, None).name == "ann"
    else:
        with pytest.raises(GuardError) as refusal:
            add_person(house, "ann", Role.AUDITOR, password)
        assert code_of(refusal) == "person.password"
        assert list_people(house) == []


def test_a_locked_name_is_shown_and_unlocked_and_the_last_login_outlives_the_login(house: House, clock: Clock) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    for _ in range(logins.FREE_FAILURES + 1):
        with pytest.raises(GuardError):
            log_in(house, "ann", "wrong", None)
    (row,) = list_people(house)
    assert row["last_login_ms"] is None
    assert row["locked_until_ms"] > logins.clock_ms()
    unlock_person(house, "ann")
    log_out(house, log_in(house, "ann", PASSWORD, None).token)
    (row,) = list_people(house)
    assert (row["last_login_ms"], row["locked_until_ms"]) == (logins.clock_ms(), None)


def test_a_platform_is_no_person(house: House, clock: Clock) -> None:
    with pytest.raises(GuardError) as refusal:
        add_person(house, "ann", Role.PLATFORM, PASSWORD)
    assert code_of(refusal) == "person.role"


@pytest.mark.parametrize("what", [set_password, disable_person, set_totp, unlock_person])
def test_nobody_is_not_found(house: House, clock: Clock, what: object) -> None:
    with pytest.raises(GuardError) as refusal:
        what(house, "nobody", *([PASSWORD] if what is set_password else []))  # type: ignore[operator]
    assert refusal.value.kind is ErrorKind.NOT_FOUND


def test_a_login_ends_when_it_is_not_used_and_after_twelve_hours(house: House, clock: Clock) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    token = log_in(house, "ann", PASSWORD, None).token
    clock.now_ms += IDLE_MS - 1
    assert signed_in(house, token)
    clock.now_ms += IDLE_MS
    assert signed_in(house, token) is None
    token = log_in(house, "ann", PASSWORD, None).token
    begun_ms = clock.now_ms
    for used_ms in (*range(0, LONGEST_MS, IDLE_MS - 1), LONGEST_MS - 1):
        clock.now_ms = begun_ms + used_ms
        assert signed_in(house, token), used_ms
    clock.now_ms += 1
    assert signed_in(house, token) is None


def test_the_database_holds_no_token_and_forgets_ended_logins(house: House, clock: Clock) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    token = log_in(house, "ann", PASSWORD, None).token
    log_out(house, token)
    assert signed_in(house, token) is None
    kept = log_in(house, "ann", PASSWORD, None).token
    clock.now_ms += LONGEST_MS + 1
    log_in(house, "ann", PASSWORD, None)
    with reading(house.engine) as database:
        rows = database.query(LoginRecord).all()
        assert len(rows) == 1
        assert kept.encode() not in rows[0].token_sha256
        assert account_rows.login_of(database, b"\0" * 32) is None


def test_each_failure_after_the_fifth_doubles_the_lock_up_to_an_hour(house: House, clock: Clock) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    waits = []
    for attempt in range(FREE_FAILURES + 9):
        with pytest.raises(GuardError) as refusal:
            log_in(house, "ann", "wrong", None)
        assert code_of(refusal) == "login.refused", attempt
        with pytest.raises(GuardError) as refusal:
            log_in(house, "ann", "wrong" if attempt < FREE_FAILURES - 1 else PASSWORD, None)
        if refusal.value.retry_after_s is None:
            continue
        waits.append(refusal.value.retry_after_s)
        clock.now_ms += refusal.value.retry_after_s * 1000
    assert waits[:3] == [30, 60, 120]
    assert waits[-1] == LONGEST_LOCK_MS // 1000
    assert log_in(house, "ann", PASSWORD, None).name == "ann"
    with pytest.raises(GuardError) as refusal:
        log_in(house, "ann", "wrong", None)
    assert code_of(refusal) == "login.refused", "a success forgets the failures"


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_around_now(house: House, clock: Clock, steps: int, fits: bool) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    totp = pyotp.parse_uri(set_totp(house, "ann"))
    assert isinstance(totp, pyotp.TOTP)
    code = totp.at(clock.now_ms // 1000 + 30 * steps)
    if fits:
        assert log_in(house, "ann", PASSWORD, code).token
    else:
        with pytest.raises(GuardError):
            log_in(house, "ann", PASSWORD, code)


def test_an_earlier_code_is_not_good_after_a_later_one(house: House, clock: Clock) -> None:
    add_person(house, "ann", Role.AUDITOR, PASSWORD)
    totp = pyotp.parse_uri(set_totp(house, "ann"))
    assert isinstance(totp, pyotp.TOTP)
    log_in(house, "ann", PASSWORD, totp.at(clock.now_ms // 1000))
    with pytest.raises(GuardError):
        log_in(house, "ann", PASSWORD, totp.at(clock.now_ms // 1000 - 30))
