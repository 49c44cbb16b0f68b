"""Captures for the duplicate search, likenesses, and the challenges of liveness checks."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_captures_and_challenges"
down_revision = "20261124_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "capture",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("capture_id", sa.String(length=128), nullable=False),
        sa.Column("phash", sa.String(length=16), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("is_searched", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_capture_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_capture_session_row_session")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_capture")),
    )
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capture_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_capture_is_searched_enrolment_id"), ["is_searched", "enrolment_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_capture_session_row_capture_id"), ["session_row", "capture_id"], unique=False
        )

    op.create_table(
        "likeness",
        sa.Column("session_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("snapshot_id", sa.String(length=128), nullable=False),
        sa.Column("other_kind", sa.String(length=16), nullable=False),
        sa.Column("other_id", sa.String(length=400), nullable=False),
        sa.Column("other_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("phash_distance", sa.Integer(), nullable=False),
        sa.Column("cosine", sa.Double(), nullable=True),
        sa.Column("residual", sa.Double(), nullable=True),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["other_row"], ["session.row_id"], name=op.f("fk_likeness_other_row_session")),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_likeness_session_row_session")),
        sa.PrimaryKeyConstraint("session_row", "snapshot_id", "other_kind", "other_id", name=op.f("pk_likeness")),
    )
    with op.batch_alter_table("likeness", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_likeness_other_id"), ["other_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_likeness_other_row"), ["other_row"], unique=False)

    with op.batch_alter_table("liveness_check", schema=None) as batch_op:
        batch_op.add_column(sa.Column("presented_attack", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("actions", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("nonce", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("issued_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("expires_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("clip_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("received_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("report", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("strip_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("plot_sha256", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_liveness_check_check_id"), ["check_id"], unique=False)

    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("presented_attack", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_column("presented_attack")

    with op.batch_alter_table("liveness_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_liveness_check_check_id"))
        batch_op.drop_column("plot_sha256")
        batch_op.drop_column("strip_sha256")
        batch_op.drop_column("report")
        batch_op.drop_column("received_ms")
        batch_op.drop_column("clip_sha256")
        batch_op.drop_column("expires_ms")
        batch_op.drop_column("issued_ms")
        batch_op.drop_column("nonce")
        batch_op.drop_column("actions")
        batch_op.drop_column("presented_attack")

    with op.batch_alter_table("likeness", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_likeness_other_row"))
        batch_op.drop_index(batch_op.f("ix_likeness_other_id"))

    op.drop_table("likeness")
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_capture_session_row_capture_id"))
        batch_op.drop_index(batch_op.f("ix_capture_is_searched_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_capture_enrolment_id"))

    op.drop_table("capture")
