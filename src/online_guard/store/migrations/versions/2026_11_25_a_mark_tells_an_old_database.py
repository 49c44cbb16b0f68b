"""A mark that only grows tells an old database from the one seen last."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_a_mark"
down_revision = "20261125_person_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mark",
        sa.Column("row_id", row_id, nullable=False),
        sa.Column("database_id", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("marked_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_mark")),
    )
    op.create_table(
        "rollback",
        sa.Column("row_id", row_id, nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=False),
        sa.Column("found_mark", sa.BigInteger(), nullable=False),
        sa.Column("remembered_mark", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_rollback")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("rollback")
    op.drop_table("mark")
