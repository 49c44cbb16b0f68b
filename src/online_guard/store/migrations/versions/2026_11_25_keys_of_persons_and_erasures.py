"""Every person has a data key of their own, and can be erased."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_person_keys"
down_revision = "20261125_kept_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "person_key",
        sa.Column("learner_id", sa.String(length=128), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_person_key")),
    )
    op.create_table(
        "erasure",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("learner_id", sa.String(length=128), nullable=False),
        sa.Column("erased_ms", sa.BigInteger(), nullable=False),
        sa.Column("ordered_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_learner_id"), "erasure", ["learner_id"], unique=False)
    op.add_column("enrolment", sa.Column("erased_ms", sa.BigInteger(), nullable=True))
    op.add_column("capture", sa.Column("forgotten_ms", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_capture_forgotten_ms"), "capture", ["forgotten_ms"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_capture_forgotten_ms"), table_name="capture")
    op.drop_column("capture", "forgotten_ms")
    op.drop_column("enrolment", "erased_ms")
    op.drop_index(op.f("ix_erasure_learner_id"), table_name="erasure")
    op.drop_table("erasure")
    op.drop_table("person_key")
