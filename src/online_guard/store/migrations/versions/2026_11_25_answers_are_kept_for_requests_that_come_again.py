"""Answers are kept for requests that come again."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_kept_answers"
down_revision = "20261125_keys_and_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "kept_answer",
        sa.Column("caller", sa.String(length=160), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("media_type", sa.String(length=128), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_kept_answer")),
    )
    op.create_index(op.f("ix_kept_answer_begun_ms"), "kept_answer", ["begun_ms"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("kept_answer")
