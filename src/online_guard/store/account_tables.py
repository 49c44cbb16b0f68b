"""Tables of who may call: platforms' keys and the nonces they used, people with their sessions and failed logins."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from online_guard.store.tables import Base, BigKey, Key

Sha256 = LargeBinary(32)


class PlatformKeyRecord(Base):
    """A platform's key; `revoked_ms` null while it works, `secret` null afterwards.

    Secrets are sealed, not hashed: whoever verifies a signature needs the secret itself.
    """

    __tablename__ = "platform_key"

    key_id: Mapped[str] = mapped_column(Key, primary_key=True)
    platform_id: Mapped[str] = mapped_column(Key, index=True)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    rotated_ms: Mapped[int | None] = mapped_column(BigInteger)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    revoked_ms: Mapped[int | None] = mapped_column(BigInteger)


class NonceRecord(Base):
    """A signature that was used: when it was made (s since the epoch), and a digest of key and nonce.

    The time comes first, so that new rows lie beside each other, and old ones go as one range.
    """

    __tablename__ = "used_nonce"
    __table_args__ = ({"sqlite_with_rowid": False},)

    created_s: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)


class PersonRecord(Base):
    """A person who signs in; `password` is an Argon2id hash, `totp` a sealed secret, `subject` names them to OIDC."""

    __tablename__ = "person"

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(Key, unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str | None] = mapped_column(String(255))
    totp: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_used_step: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    disabled_ms: Mapped[int | None] = mapped_column(BigInteger)
    last_login_ms: Mapped[int | None] = mapped_column(BigInteger)


class LoginRecord(Base):
    """A person who is signed in; the id that their browser holds is kept as its SHA-256 only."""

    __tablename__ = "login"

    token_sha256: Mapped[bytes] = mapped_column(Sha256, primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("person.row_id", ondelete="CASCADE"), index=True)
    began_ms: Mapped[int] = mapped_column(BigInteger)
    used_ms: Mapped[int] = mapped_column(BigInteger)
    ends_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class FailedLoginRecord(Base):
    """Failed logins under a name (its blind index), whether anyone has that name or not."""

    __tablename__ = "failed_login"

    name_index: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    locked_until_ms: Mapped[int] = mapped_column(BigInteger)


class ProviderLoginRecord(Base):
    """A login under way at the OIDC provider; `state_sha256` is of what comes back with it."""

    __tablename__ = "provider_login"

    state_sha256: Mapped[bytes] = mapped_column(Sha256, primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[bytes] = mapped_column(LargeBinary)
    ends_ms: Mapped[int] = mapped_column(BigInteger, index=True)
