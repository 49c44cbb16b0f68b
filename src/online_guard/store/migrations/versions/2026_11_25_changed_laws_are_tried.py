"""A changed threshold is tried on past sessions; what it would change is kept."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_dry_runs"
down_revision = "20261125_cases_are_taken"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dry_run",
        sa.Column("dry_run_id", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("policy_key", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("old_value", sa.Text(), nullable=False),
        sa.Column("old_sha256", sa.String(length=64), nullable=False),
        sa.Column("new_sha256", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("classes", sa.Integer(), nullable=True),
        sa.Column("judged", sa.Integer(), nullable=False),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("dry_run_id", name=op.f("pk_dry_run")),
    )
    op.create_index(op.f("ix_dry_run_asked_ms"), "dry_run", ["asked_ms"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("dry_run")
