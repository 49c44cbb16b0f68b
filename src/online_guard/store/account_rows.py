"""Look-ups and changes of keys, nonces, people and logins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from online_guard.store.account_tables import (
    FailedLoginRecord,
    LoginRecord,
    NonceRecord,
    PersonRecord,
    PlatformKeyRecord,
    ProviderLoginRecord,
)
from online_guard.store.many import Many

NONCES: Any = NonceRecord.__table__


class UsedNonce(NamedTuple):
    """A signature that a request used: when it was made (s since the epoch), and a digest of its key and nonce."""

    created_s: int
    digest: bytes


def use_nonces(database: Session, used: Sequence[UsedNonce]) -> set[UsedNonce]:
    """Keep that signatures were used; return those that were used before, which are replays.

    In the transaction of what the requests do: then neither happens without the other. Where two processes take the
    same request at once, the second waits for the first, and finds it used.
    """
    if not used:
        return set()
    rows = _nonce_rows(used)
    statement = _new_nonces(database.get_bind().dialect.name).returning(*NONCES.columns)
    return set(used) - {UsedNonce(*row) for row in database.execute(statement, rows)}


def are_new(database: Session, used: Sequence[UsedNonce]) -> bool:
    """Keep that signatures were used; return whether none was used before, in half the time of `use_nonces`."""
    statement = _counted(database.get_bind().dialect.name)
    return statement.execute(database.connection(), _nonce_rows(used)) == len(used)


def _nonce_rows(used: Sequence[UsedNonce]) -> list[dict[str, Any]]:
    return [{"created_s": one.created_s, "digest": one.digest} for one in used]


@cache
def _new_nonces(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(NONCES).on_conflict_do_nothing()


@cache
def _counted(dialect: str) -> Many:
    return Many(_new_nonces(dialect), ("created_s", "digest"))


def nonces_since(database: Session, created_s: int) -> list[UsedNonce]:
    """Return the signatures made at a time or later that were used."""
    query = select(NonceRecord.created_s, NonceRecord.digest).where(NonceRecord.created_s >= created_s)
    return [UsedNonce(*row) for row in database.execute(query)]


def forget_nonces(database: Session, before_s: int) -> None:
    """Drop the signatures made before a time: nobody accepts them any more."""
    database.execute(delete(NonceRecord).where(NonceRecord.created_s < before_s))


def platform_keys(database: Session, platform_id: str | None = None) -> list[PlatformKeyRecord]:
    """Return all keys, or those of a platform, oldest first."""
    query = select(PlatformKeyRecord)
    if platform_id is not None:
        query = query.where(PlatformKeyRecord.platform_id == platform_id)
    return list(database.scalars(query.order_by(PlatformKeyRecord.created_ms, PlatformKeyRecord.key_id)))


def people(database: Session) -> list[PersonRecord]:
    """Return everyone who may sign in, or might, by name."""
    return list(database.scalars(select(PersonRecord).order_by(PersonRecord.name)))


def person_named(database: Session, name: str) -> PersonRecord | None:
    """Return a person by name."""
    return database.scalar(select(PersonRecord).where(PersonRecord.name == name))


def person_of_subject(database: Session, subject: str) -> PersonRecord | None:
    """Return the person that the OIDC provider knows by this subject."""
    return database.scalar(select(PersonRecord).where(PersonRecord.subject == subject))


def login_of(database: Session, token_sha256: bytes) -> tuple[LoginRecord, PersonRecord] | None:
    """Return a login and its person."""
    query = select(LoginRecord, PersonRecord).join(PersonRecord, PersonRecord.row_id == LoginRecord.person)
    found = database.execute(query.where(LoginRecord.token_sha256 == token_sha256)).first()
    return None if found is None else (found[0], found[1])


def end_login(database: Session, token_sha256: bytes) -> None:
    """Drop a login."""
    database.execute(delete(LoginRecord).where(LoginRecord.token_sha256 == token_sha256))


def end_logins_of(database: Session, person: int) -> None:
    """Drop every login of a person."""
    database.execute(delete(LoginRecord).where(LoginRecord.person == person))


def forget_old_logins(database: Session, now_ms: int, failures_before_ms: int) -> None:
    """Drop logins that have ended, those that never came back from the provider, and failures long past."""
    database.execute(delete(LoginRecord).where(LoginRecord.ends_ms < now_ms))
    database.execute(delete(ProviderLoginRecord).where(ProviderLoginRecord.ends_ms < now_ms))
    database.execute(
        delete(FailedLoginRecord).where(
            FailedLoginRecord.last_ms < failures_before_ms, FailedLoginRecord.locked_until_ms < now_ms
        )
    )
