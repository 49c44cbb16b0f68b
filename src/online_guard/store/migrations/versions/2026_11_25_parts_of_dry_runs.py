"""A dry run goes on class by class, with what is judged kept until the last."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_dry_run_parts"
down_revision = "20261125_last_login"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dry_run_part",
        sa.Column("dry_run_id", sa.String(length=128), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("side", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dry_run_id"], ["dry_run.dry_run_id"], name=op.f("fk_dry_run_part_dry_run_id_dry_run")
        ),
        sa.PrimaryKeyConstraint("dry_run_id", "class_id", "side", "name", name=op.f("pk_dry_run_part")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("dry_run_part")
