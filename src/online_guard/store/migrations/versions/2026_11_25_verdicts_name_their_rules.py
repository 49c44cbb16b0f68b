"""Findings and results name the rulebook that gave them: code and version of each rule."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_rulebooks"
down_revision = "20261125_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; rows of earlier verifications name none."""
    op.create_table(
        "rulebook",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_rulebook")),
    )
    for table in ("finding", "result"):
        op.add_column(table, sa.Column("rules_sha256", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Undo."""
    for table in ("result", "finding"):
        op.drop_column(table, "rules_sha256")
    op.drop_table("rulebook")
