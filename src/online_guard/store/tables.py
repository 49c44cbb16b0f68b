"""The tables of the service's database."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from online_guard.store.sealed_text import SealedText

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
Key = String(128)
BigKey = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)


class ClassRecord(Base):
    """A class; `body` is its row of BUNDLE as JSON."""

    __tablename__ = "training_class"

    class_id: Mapped[str] = mapped_column(Key, primary_key=True)
    platform_id: Mapped[str] = mapped_column(Key, index=True)
    body: Mapped[str] = mapped_column(Text)


class EnrolmentRecord(Base):
    """A learner in a class; name, identity number and face vector are sealed, and empty once the person was erased."""

    __tablename__ = "enrolment"

    enrolment_id: Mapped[str] = mapped_column(Key, primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), index=True)
    learner_id: Mapped[str] = mapped_column(Key, index=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    identity_number: Mapped[bytes] = mapped_column(LargeBinary)
    applicant: Mapped[bytes | None] = mapped_column(LargeBinary)
    face_checks: Mapped[str] = mapped_column(String(16))
    leave: Mapped[str] = mapped_column(Text)
    reference_sha256: Mapped[str | None] = mapped_column(String(64))
    reference_vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased_ms: Mapped[int | None] = mapped_column(BigInteger)


class SessionRecord(Base):
    """A sitting; times in ms, `closed_received_ms` null while open. `timeline` tells copies of long ones (OG804).

    `revision` grows by each change to the session, its events, pictures and checks: a process that remembers where a
    session stands looks whether another one has changed it since.

    `provenance` is `live`, or `import` where all clocks are the platform's own word, with the import that brought it.
    """

    __tablename__ = "session"
    __table_args__ = (UniqueConstraint("platform_id", "session_id"),)

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    platform_id: Mapped[str] = mapped_column(Key)
    session_id: Mapped[str] = mapped_column(Key, index=True)
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), index=True)
    lesson_no: Mapped[int]
    opened_at_ms: Mapped[int] = mapped_column(BigInteger)
    opened_received_ms: Mapped[int] = mapped_column(BigInteger)
    device_id: Mapped[str] = mapped_column(Key, index=True)
    user_agent: Mapped[str | None] = mapped_column(SealedText("session.user_agent"), deferred=True)
    ip: Mapped[str | None] = mapped_column(SealedText("session.ip"), deferred=True)
    closed_received_ms: Mapped[int | None] = mapped_column(BigInteger)
    timeline: Mapped[str | None] = mapped_column(String(64), index=True)
    provenance: Mapped[str] = mapped_column(String(8), default="live", server_default="live")
    import_id: Mapped[str | None] = mapped_column(Key, index=True)
    revision: Mapped[int] = mapped_column(default=0, server_default="0")


class ConflictRecord(Base):
    """An event kept aside: sent under a used `seq` with other content."""

    __tablename__ = "event_conflict"
    __table_args__ = (UniqueConstraint("session_row", "seq", "digest"),)

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    session_row: Mapped[int] = mapped_column(ForeignKey("session.row_id"))
    seq: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    received_ms: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str] = mapped_column(Text)


class DeadLetterRecord(Base):
    """Something refused, kept with its reason; both may repeat what a client sent, so both are sealed.

    `state` is `waiting` or `replayed`. platform_id, session_id: whom it was for, when there was no such session.
    """

    __tablename__ = "dead_letter"

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    session_row: Mapped[int | None] = mapped_column(ForeignKey("session.row_id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    received_ms: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(SealedText("dead_letter.reason"))
    content: Mapped[str] = mapped_column(SealedText("dead_letter.content"))
    platform_id: Mapped[str | None] = mapped_column(Key)
    session_id: Mapped[str | None] = mapped_column(Key)
    state: Mapped[str] = mapped_column(String(16), default="waiting", server_default="waiting")


class SnapshotRecord(Base):
    """A retained image and what was measured on it; `report` is the answer to its sender as JSON."""

    __tablename__ = "snapshot"

    session_row: Mapped[int] = mapped_column(ForeignKey("session.row_id"), primary_key=True)
    snapshot_id: Mapped[str] = mapped_column(Key, primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[bool]
    good: Mapped[bool]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    phash: Mapped[str] = mapped_column(String(16), index=True)
    distance: Mapped[float | None]
    presented_attack: Mapped[bool | None]
    report: Mapped[str] = mapped_column(Text)


class CheckRecord(Base):
    """A liveness check: what was asked, and what came of it; inconclusive until its clip was judged.

    `actions` is JSON, in the order drawn. `clip_sha256` is set by the first clip, `report` (the answer as JSON) once it
    was judged. `strip_sha256` and `plot_sha256` name sealed pictures.
    """

    __tablename__ = "liveness_check"

    session_row: Mapped[int] = mapped_column(ForeignKey("session.row_id"), primary_key=True)
    check_id: Mapped[str] = mapped_column(Key, primary_key=True, index=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(16))
    distance: Mapped[float | None]
    presented_attack: Mapped[bool | None]
    actions: Mapped[str | None] = mapped_column(Text)
    nonce: Mapped[str | None] = mapped_column(String(64))
    issued_ms: Mapped[int | None] = mapped_column(BigInteger)
    expires_ms: Mapped[int | None] = mapped_column(BigInteger)
    clip_sha256: Mapped[str | None] = mapped_column(String(64))
    received_ms: Mapped[int | None] = mapped_column(BigInteger)
    report: Mapped[str | None] = mapped_column(Text)
    strip_sha256: Mapped[str | None] = mapped_column(String(64))
    plot_sha256: Mapped[str | None] = mapped_column(String(64))


class CaptureRecord(Base):
    """A picture that the duplicate search compares: a reference photo, a good snapshot, or a telling frame of a clip.

    `kind` is `reference`, `snapshot` or `frame`; `capture_id` the snapshot or check, for a reference the enrolment.
    `picture` (what is compared) and `vector` are sealed. `is_searched`: earlier captures were compared with it.
    `forgotten_ms`: when picture and vector were dropped, so that the index of every process drops them too.
    """

    __tablename__ = "capture"
    __table_args__ = (Index(None, "session_row", "capture_id"), Index(None, "is_searched", "enrolment_id"))

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), index=True)
    session_row: Mapped[int | None] = mapped_column(ForeignKey("session.row_id"))
    capture_id: Mapped[str] = mapped_column(Key)
    phash: Mapped[str] = mapped_column(String(16))
    picture: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_searched: Mapped[bool] = mapped_column(default=False)
    forgotten_ms: Mapped[int | None] = mapped_column(BigInteger, index=True)


class LikenessRecord(Base):
    """What the duplicate search found about a snapshot or check, as in BUNDLE; `other_row` is the other's session."""

    __tablename__ = "likeness"

    session_row: Mapped[int] = mapped_column(ForeignKey("session.row_id"), primary_key=True)
    snapshot_id: Mapped[str] = mapped_column(Key, primary_key=True)
    other_kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    other_id: Mapped[str] = mapped_column(String(400), primary_key=True, index=True)
    other_row: Mapped[int | None] = mapped_column(ForeignKey("session.row_id"), index=True)
    phash_distance: Mapped[int]
    cosine: Mapped[float | None]
    residual: Mapped[float | None]
    distance: Mapped[float | None]


class DirectiveRecord(Base):
    """What the service drew for a session; `issued_ms` null until the player was told, `used_ms` until answered."""

    __tablename__ = "directive"

    session_row: Mapped[int] = mapped_column(ForeignKey("session.row_id"), primary_key=True)
    directive_id: Mapped[str] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[str] = mapped_column(String(64))
    due_playing_ms: Mapped[int] = mapped_column(BigInteger)
    issued_ms: Mapped[int | None] = mapped_column(BigInteger)
    used_ms: Mapped[int | None] = mapped_column(BigInteger)


class PracticeRecord(Base):
    """Attended offline practice of a day, with minutes of continuous video per class hour; null: not said."""

    __tablename__ = "practice"

    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), primary_key=True)
    on: Mapped[str] = mapped_column(String(10), primary_key=True)
    class_hours: Mapped[float]
    video_minutes: Mapped[float | None]


class ApplicationRecord(Base):
    """An application of a class for an assessment window."""

    __tablename__ = "application"

    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), primary_key=True)
    window: Mapped[str] = mapped_column(String(7), primary_key=True)
    applied_on: Mapped[str] = mapped_column(String(10))
    assessment_on: Mapped[str] = mapped_column(String(10))
    certificate_route: Mapped[str | None] = mapped_column(String(32))
    papers: Mapped[str | None] = mapped_column(Text)
    task_row: Mapped[int | None]


class JobRecord(Base):
    """Something that is to be done, such as verifying a class: held by a lease, gone when done, or parked.

    `asked` counts how often it was asked for, `taken` is that number when it was last taken. `asked_ms` is when it was
    asked for first.
    """

    __tablename__ = "job"
    __table_args__ = (Index(None, "run_after_ms"), UniqueConstraint("duty", "key"))

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    duty: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(400))
    asked: Mapped[int]
    taken: Mapped[int]
    asked_ms: Mapped[int] = mapped_column(BigInteger)
    run_after_ms: Mapped[int] = mapped_column(BigInteger)
    lease: Mapped[str | None] = mapped_column(String(64))
    leased_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(Text)
    parked_ms: Mapped[int | None] = mapped_column(BigInteger)


class FindingRecord(Base):
    """A finding of a class's last verification, with the policy that it was judged by.

    `finding_id` and `case_id` are the same at each verification; `row_id` isn't. `enrolment_id` is null for a class.
    `provenance` is that of its subject's sessions and those that its evidence names: `live`, `import`, `import+live`.
    """

    __tablename__ = "finding"
    __table_args__ = (Index(None, "rule", "case_id"),)

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    finding_id: Mapped[str] = mapped_column(String(40), index=True)
    case_id: Mapped[str] = mapped_column(String(40), index=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), index=True)
    enrolment_id: Mapped[str | None] = mapped_column(Key)
    rule: Mapped[str] = mapped_column(String(8))
    rule_since: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(400), index=True)
    effect: Mapped[str] = mapped_column(String(8))
    start_ms: Mapped[int | None] = mapped_column(BigInteger)
    end_ms: Mapped[int | None] = mapped_column(BigInteger)
    provenance: Mapped[str | None] = mapped_column(String(16))
    evidence: Mapped[str] = mapped_column(Text)
    policy_id: Mapped[str] = mapped_column(String(128))
    policy_version: Mapped[str] = mapped_column(String(64))
    policy_sha256: Mapped[str] = mapped_column(String(64))
    rules_sha256: Mapped[str | None] = mapped_column(String(64))


class ResultRecord(Base):
    """A row of a class's last verification: kind `session`, `ledger` or `eligibility`, `body` as in SPEC 8."""

    __tablename__ = "result"
    __table_args__ = (Index(None, "kind", "owner"),)

    row_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("training_class.class_id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str] = mapped_column(String(400))
    body: Mapped[str] = mapped_column(Text)
    policy_id: Mapped[str] = mapped_column(String(128))
    policy_version: Mapped[str] = mapped_column(String(64))
    policy_sha256: Mapped[str] = mapped_column(String(64))
    rules_sha256: Mapped[str | None] = mapped_column(String(64))


class ClaimRecord(Base):
    """A platform's claim of hours, and the answer it got."""

    __tablename__ = "claim"

    enrolment_id: Mapped[str] = mapped_column(ForeignKey("enrolment.enrolment_id"), primary_key=True)
    claim_id: Mapped[str] = mapped_column(Key, primary_key=True)
    received_ms: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
