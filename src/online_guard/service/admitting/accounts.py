"""People who may sign in: added and disabled, their passwords and one-time codes."""

from __future__ import annotations

from typing import Any

import pyotp
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from online_guard.errors import ErrorKind, GuardError
from online_guard.service.house import House, clock_ms
from online_guard.store import account_rows
from online_guard.store.account_tables import FailedLoginRecord, PersonRecord
from online_guard.store.unit_of_work import reading, writing
from online_guard.terms import Role

SHORTEST_PASSWORD = 12
"""Characters; no rule about their kind. Source: NIST SP 800-63B-3 section 5.1.1.2 asks for 8."""
LONGEST_PASSWORD = 1_000
HASHER = PasswordHasher()  # Argon2id with the parameters of RFC 9106, low memory: 64 MiB, three passes


def add_person(house: House, name: str, role: Role, password: str | None, subject: str | None = None) -> None:
    """Let a person sign in: with a password, or as the OIDC provider's `subject`, or both.

    Raises:
        GuardError: The name or the subject is taken; the password is too short; the role is no person's.
    """
    if role is Role.PLATFORM:
        raise _invalid("person.role", "平台以密钥签名,不能登录 / platforms sign with a key and don't log in", "role")
    hashed = None if password is None else _hash(password)
    with writing(house.engine) as database:
        if account_rows.person_named(database, name) or (
            subject is not None and account_rows.person_of_subject(database, subject)
        ):
            raise GuardError(
                ErrorKind.CONFLICT, "person.exists", "该用户或 OIDC 标识已存在 / name or subject is taken", where=name
            )
        database.add(
            PersonRecord(
                name=name,
                role=str(role),
                password=hashed,
                subject=subject,
                created_ms=clock_ms(),
            )
        )


def set_password(house: House, name: str, password: str) -> None:
    """Give a person a new password; all their logins end, and a lock of their name too.

    Raises:
        GuardError: There is no such person, or the password is too short.
    """
    hashed = _hash(password)
    with writing(house.engine) as database:
        record = _person(database, name)
        record.password = hashed
        account_rows.end_logins_of(database, record.row_id)
        _unlock(house, database, name)


def set_totp(house: House, name: str) -> str:
    """Ask a person for one-time codes from now on; return the `otpauth://` address, which is shown this once.

    Raises:
        GuardError: There is no such person.
    """
    secret = pyotp.random_base32()
    with writing(house.engine) as database:
        record = _person(database, name)
        record.totp, record.totp_used_step = house.vault.seal(secret.encode(), totp_purpose(record)), None
        account_rows.end_logins_of(database, record.row_id)
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="online-guard")


def disable_person(house: House, name: str) -> None:
    """Let a person sign in no more; their logins end at once. Their name stays, for what they decided.

    Raises:
        GuardError: There is no such person.
    """
    with writing(house.engine) as database:
        record = _person(database, name)
        record.disabled_ms = record.disabled_ms or clock_ms()
        account_rows.end_logins_of(database, record.row_id)


def unlock_person(house: House, name: str) -> None:
    """Forget the failed logins under a person's name, which had locked it for a while.

    Raises:
        GuardError: There is no such person.
    """
    with writing(house.engine) as database:
        _person(database, name)
        _unlock(house, database, name)


def list_people(house: House) -> list[dict[str, Any]]:
    """Return everyone who may sign in, or might before, without their secrets; times in ms since the epoch.

    `locked_until_ms` is null, or lies before now, where no failed logins lock the name.
    """
    with reading(house.engine) as database:
        return [
            {
                "name": record.name,
                "role": record.role,
                "password": record.password is not None,
                "totp": record.totp is not None,
                "subject": record.subject,
                "created_ms": record.created_ms,
                "disabled_ms": record.disabled_ms,
                "last_login_ms": record.last_login_ms,
                "locked_until_ms": failed and failed.locked_until_ms,
            }
            for record in account_rows.people(database)
            for failed in (database.get(FailedLoginRecord, name_index(house, record.name)),)
        ]


def name_index(house: House, name: str) -> str:
    """Return what failed logins under a name are kept by: the name itself isn't, whoever typed it."""
    return house.vault.blind_index(f"login {name}")


def totp_purpose(record: PersonRecord) -> str:
    """Return what a person's secret of one-time codes is sealed for."""
    return f"one-time code {record.name}"


def _unlock(house: House, database: Session, name: str) -> None:
    failed = database.get(FailedLoginRecord, name_index(house, name))
    if failed is not None:
        database.delete(failed)


def _person(database: Session, name: str) -> PersonRecord:
    record = account_rows.person_named(database, name)
    if record is None:
        raise GuardError(ErrorKind.NOT_FOUND, "person.unknown", "没有该用户 / there is no such person", where=name)
    return record


def _hash(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise _invalid(
            "person.password",
            f"密码须为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符 / a password has "
            f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            "password",
        )
    return HASHER.hash(password)


def _invalid(code: str, message: str, where: str) -> GuardError:
    return GuardError(ErrorKind.INVALID, code, message, where=where)
