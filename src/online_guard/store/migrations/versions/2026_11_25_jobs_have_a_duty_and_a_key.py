"""Jobs have a duty and a key, one row each, and are held by a named lease or parked."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_jobs_have_a_duty"
down_revision = "20261125_events_in_chunks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("duty", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("key", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("asked", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("taken", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("asked_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("lease", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("parked_ms", sa.BigInteger(), nullable=True))
    # a class could have one row that was held and one that waited: the last one stays, and is held by nobody
    op.execute("DELETE FROM job WHERE row_id NOT IN (SELECT max(row_id) FROM job GROUP BY class_id)")
    op.execute(
        "UPDATE job SET duty = 'verify', \"key\" = class_id, asked = 1, taken = 0, asked_ms = run_after_ms, "
        "leased_until_ms = NULL"
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_class_id"))
        batch_op.drop_constraint(batch_op.f("fk_job_class_id_training_class"), type_="foreignkey")
        batch_op.drop_column("class_id")
        batch_op.alter_column("duty", existing_type=sa.String(length=32), nullable=False)
        batch_op.alter_column("key", existing_type=sa.String(length=400), nullable=False)
        batch_op.alter_column("asked", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("taken", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("asked_ms", existing_type=sa.BigInteger(), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_job_duty_key"), ["duty", "key"])


def downgrade() -> None:
    """Undo; jobs of other duties than verifying are forgotten."""
    op.execute("DELETE FROM job WHERE duty <> 'verify'")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("class_id", sa.String(length=128), nullable=True))
    op.execute('UPDATE job SET class_id = "key", leased_until_ms = NULL')
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_job_duty_key"), type_="unique")
        for name in ("duty", "key", "asked", "taken", "asked_ms", "lease", "parked_ms"):
            batch_op.drop_column(name)
        batch_op.alter_column("class_id", existing_type=sa.String(length=128), nullable=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_job_class_id_training_class"), "training_class", ["class_id"], ["class_id"]
        )
        batch_op.create_index(batch_op.f("ix_job_class_id"), ["class_id"], unique=False)
