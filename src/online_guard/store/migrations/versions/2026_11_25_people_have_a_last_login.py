"""A person's last login is kept, which ended long ago."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_last_login"
down_revision = "20261125_dry_runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("person", sa.Column("last_login_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("person", "last_login_ms")
