"""Logins of people: begun with password and one-time code, kept on the server, ended by time or at once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import cache

import pyotp
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.admitting.accounts import HASHER, LONGEST_PASSWORD, name_index, totp_purpose
from online_guard.service.house import House, clock_ms
from online_guard.store import account_rows
from online_guard.store.account_tables import FailedLoginRecord, LoginRecord, PersonRecord
from online_guard.store.unit_of_work import reading, writing

IDLE_MS = 30 * 60_000
LONGEST_MS = 12 * 3_600_000
"""A login ends when it isn't used for 30 min, and after 12 h in any case. Source: NIST SP 800-63B-3 section 4.2.3."""
NOTED_MS = 60_000
"""The last use of a login is noted to the minute."""
FREE_FAILURES = 5
FIRST_LOCK_MS, LONGEST_LOCK_MS = 30_000, 3_600_000
"""After five failures a name is locked for 30 s, and for twice as long at each further one, up to an hour."""
FORGOTTEN_MS = 24 * 3_600_000
STEP_S = 30
"""Of one-time codes (RFC 6238)."""


@cache
def _nobodys_hash() -> str:
    """Return what is compared with where there is no password: an unknown name takes as long as a known one."""
    return HASHER.hash(secrets.token_hex(16))


@dataclass(frozen=True)
class Login:
    """A login that has begun: `token` is what the browser holds, and is told this once."""

    name: str
    role: str
    token: str


@dataclass(frozen=True)
class SignedIn:
    """A person by their login."""

    name: str
    role: str


def log_in(house: House, name: str, password: str, code: str | None) -> Login:
    """Begin a login with name, password and, where the person has one, a one-time code.

    Raises:
        GuardError: One of them is wrong (which isn't said), or the name is locked after repeated failures.
    """
    now_ms = clock_ms()
    with reading(house.engine) as database:
        _refuse_locked(database, name_index(house, name), now_ms)
        known = account_rows.person_named(database, name)
    compared = None if known is None else known.password
    is_right = _is_right(compared, password)
    with writing(house.engine) as database:
        record = account_rows.person_named(database, name)
        usable = record is not None and record.disabled_ms is None and record.password == compared
        if record is not None and usable and is_right and _code_fits(house, record, code, now_ms):
            failed = database.get(FailedLoginRecord, name_index(house, name))
            if failed is not None:
                database.delete(failed)
            return begin_login(database, record, now_ms)
        _note_failure(database, name_index(house, name), now_ms)
    raise GuardError(
        ErrorKind.UNAUTHENTICATED,
        "login.refused",
        "用户名、密码或动态码有误 / name, password or one-time code is wrong",
        remedy="请重试;多次失败将暂时锁定 / try again; repeated failures lock the name for a while.",
    )


def begin_login(database: Session, record: PersonRecord, now_ms: int) -> Login:
    """Begin a login of a person who has shown who they are."""
    token = secrets.token_urlsafe(32)
    database.add(
        LoginRecord(
            token_sha256=_sha256(token),
            person=record.row_id,
            began_ms=now_ms,
            used_ms=now_ms,
            ends_ms=now_ms + LONGEST_MS,
        )
    )
    record.last_login_ms = now_ms
    account_rows.forget_old_logins(database, now_ms, now_ms - FORGOTTEN_MS)
    return Login(record.name, record.role, token)


def signed_in(house: House, token: str) -> SignedIn | None:
    """Return the person of a login; None when it ended, wasn't used for a while, or never was."""
    now_ms = clock_ms()
    with reading(house.engine) as database:
        found = account_rows.login_of(database, _sha256(token))
    if found is None:
        return None
    login, person = found
    if now_ms >= login.ends_ms or now_ms - login.used_ms >= IDLE_MS or person.disabled_ms is not None:
        return None
    if now_ms - login.used_ms >= NOTED_MS:
        with writing(house.engine) as database:
            again = database.get(LoginRecord, login.token_sha256)
            if again is not None:
                again.used_ms = now_ms
    return SignedIn(person.name, person.role)


def log_out(house: House, token: str) -> None:
    """End a login; one that isn't there has ended."""
    with writing(house.engine) as database:
        account_rows.end_login(database, _sha256(token))


def csrf_token(token: str) -> str:
    """Return what a page of this service sends along with the login's cookie; no other page can know it."""
    return hmac.new(token.encode(), b"online-guard csrf", hashlib.sha256).hexdigest()[:32]


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _is_right(password_hash: str | None, password: str) -> bool:
    try:
        HASHER.verify(password_hash or _nobodys_hash(), password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _code_fits(house: House, record: PersonRecord, code: str | None, now_ms: int) -> bool:
    """Return whether a person needs no code, or this is one of theirs, not used yet, at most a step (30 s) off."""
    if record.totp is None:
        return True
    totp = pyotp.TOTP(house.vault.open(record.totp, totp_purpose(record)).decode())
    now = now_ms // 1000 // STEP_S
    fits = [
        step
        for step in (now - 1, now, now + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), (code or "").strip().encode())
        and (record.totp_used_step is None or step > record.totp_used_step)
    ]
    if fits:
        record.totp_used_step = fits[0]
    return bool(fits)


def _refuse_locked(database: Session, index: str, now_ms: int) -> None:
    failed = database.get(FailedLoginRecord, index)
    if failed is not None and now_ms < failed.locked_until_ms:
        raise GuardError(
            ErrorKind.THROTTLED,
            "login.locked",
            "多次登录失败,暂时锁定 / locked for a while after repeated failures",
            retry_after_s=-(-(failed.locked_until_ms - now_ms) // 1000),
        )


def _note_failure(database: Session, index: str, now_ms: int) -> None:
    failed = database.get(FailedLoginRecord, index)
    if failed is None or now_ms - failed.last_ms > FORGOTTEN_MS:
        failed = database.merge(FailedLoginRecord(name_index=index, failures=0, last_ms=now_ms, locked_until_ms=0))
    failed.failures, failed.last_ms = failed.failures + 1, now_ms
    if failed.failures >= FREE_FAILURES:
        doubled = FIRST_LOCK_MS * 2 ** min(failed.failures - FREE_FAILURES, 10)
        failed.locked_until_ms = now_ms + min(doubled, LONGEST_LOCK_MS)
