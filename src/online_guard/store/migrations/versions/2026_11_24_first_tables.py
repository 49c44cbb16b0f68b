"""First tables of the service."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_first_tables"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "training_class",
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("platform_id", sa.String(length=128), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_training_class")),
    )
    with op.batch_alter_table("training_class", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_class_platform_id"), ["platform_id"], unique=False)

    op.create_table(
        "application",
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("window", sa.String(length=7), nullable=False),
        sa.Column("applied_on", sa.String(length=10), nullable=False),
        sa.Column("assessment_on", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_application_class_id_training_class")
        ),
        sa.PrimaryKeyConstraint("class_id", "window", name=op.f("pk_application")),
    )
    op.create_table(
        "enrolment",
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("learner_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("identity_number", sa.LargeBinary(), nullable=False),
        sa.Column("applicant", sa.LargeBinary(), nullable=True),
        sa.Column("face_checks", sa.String(length=16), nullable=False),
        sa.Column("leave", sa.Text(), nullable=False),
        sa.Column("reference_sha256", sa.String(length=64), nullable=True),
        sa.Column("reference_vector", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_enrolment_class_id_training_class")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_enrolment")),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_class_id"), ["class_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_learner_id"), ["learner_id"], unique=False)

    op.create_table(
        "finding",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("rule_since", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=400), nullable=False),
        sa.Column("effect", sa.String(length=8), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.String(length=128), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_finding_class_id_training_class")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_class_id"), ["class_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "job",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("run_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("leased_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["training_class.class_id"], name=op.f("fk_job_class_id_training_class")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_class_id"), ["class_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_run_after_ms"), ["run_after_ms"], unique=False)

    op.create_table(
        "result",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=400), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.String(length=128), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_result_class_id_training_class")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_result")),
    )
    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_result_class_id"), ["class_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_result_kind_owner"), ["kind", "owner"], unique=False)

    op.create_table(
        "claim",
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("claim_id", sa.String(length=128), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_claim_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "claim_id", name=op.f("pk_claim")),
    )
    op.create_table(
        "practice",
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("on", sa.String(length=10), nullable=False),
        sa.Column("class_hours", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_practice_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "on", name=op.f("pk_practice")),
    )
    op.create_table(
        "session",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform_id", sa.String(length=128), nullable=False),
        sa.Column("session_id", sa.String(length=128), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("lesson_no", sa.Integer(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_received_ms", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.String(length=128), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("closed_received_ms", sa.BigInteger(), nullable=True),
        sa.Column("timeline", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_session_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_session")),
        sa.UniqueConstraint("platform_id", "session_id", name=op.f("uq_session_platform_id_session_id")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_session_id"), ["session_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_timeline"), ["timeline"], unique=False)

    op.create_table(
        "dead_letter",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_dead_letter_session_row_session")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_dead_letter")),
    )
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dead_letter_session_row"), ["session_row"], unique=False)

    op.create_table(
        "directive",
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("directive_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("due_playing_ms", sa.BigInteger(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=True),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_directive_session_row_session")),
        sa.PrimaryKeyConstraint("session_row", "directive_id", name=op.f("pk_directive")),
    )
    op.create_table(
        "event",
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("position_s", sa.Double(), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=True),
        sa.Column("playing", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("player", sa.String(length=128), nullable=False),
        sa.Column("popup", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_event_session_row_session")),
        sa.PrimaryKeyConstraint("session_row", "seq", name=op.f("pk_event")),
    )
    op.create_table(
        "event_conflict",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_row"], ["session.row_id"], name=op.f("fk_event_conflict_session_row_session")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_event_conflict")),
        sa.UniqueConstraint("session_row", "seq", "digest", name=op.f("uq_event_conflict_session_row_seq_digest")),
    )
    op.create_table(
        "liveness_check",
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("check_id", sa.String(length=128), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_row"], ["session.row_id"], name=op.f("fk_liveness_check_session_row_session")
        ),
        sa.PrimaryKeyConstraint("session_row", "check_id", name=op.f("pk_liveness_check")),
    )
    op.create_table(
        "snapshot",
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("snapshot_id", sa.String(length=128), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("phash", sa.String(length=16), nullable=False),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_snapshot_session_row_session")),
        sa.PrimaryKeyConstraint("session_row", "snapshot_id", name=op.f("pk_snapshot")),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_phash"), ["phash"], unique=False)
        batch_op.create_index(batch_op.f("ix_snapshot_sha256"), ["sha256"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_snapshot_sha256"))
        batch_op.drop_index(batch_op.f("ix_snapshot_phash"))

    op.drop_table("snapshot")
    op.drop_table("liveness_check")
    op.drop_table("event_conflict")
    op.drop_table("event")
    op.drop_table("directive")
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dead_letter_session_row"))

    op.drop_table("dead_letter")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_timeline"))
        batch_op.drop_index(batch_op.f("ix_session_session_id"))
        batch_op.drop_index(batch_op.f("ix_session_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_session_device_id"))

    op.drop_table("session")
    op.drop_table("practice")
    op.drop_table("claim")
    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_result_kind_owner"))
        batch_op.drop_index(batch_op.f("ix_result_class_id"))

    op.drop_table("result")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_run_after_ms"))
        batch_op.drop_index(batch_op.f("ix_job_class_id"))

    op.drop_table("job")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_subject_id"))
        batch_op.drop_index(batch_op.f("ix_finding_class_id"))

    op.drop_table("finding")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_learner_id"))
        batch_op.drop_index(batch_op.f("ix_enrolment_class_id"))

    op.drop_table("enrolment")
    op.drop_table("application")
    with op.batch_alter_table("training_class", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_class_platform_id"))

    op.drop_table("training_class")
