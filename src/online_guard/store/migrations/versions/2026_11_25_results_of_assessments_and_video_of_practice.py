"""What became of learners in the offline assessment; minutes of continuous video of practice."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_results"
down_revision = "20261125_applications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "assessment_result",
        sa.Column("window", sa.String(length=7), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("absent", sa.Boolean(), nullable=False),
        sa.Column("assessed_on", sa.String(length=10), nullable=True),
        sa.Column("theory_mark", sa.Double(), nullable=True),
        sa.Column("practice_mark", sa.Double(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("certificate_route", sa.String(length=32), nullable=False),
        sa.Column("certificate_number", sa.LargeBinary(), nullable=True),
        sa.Column("certificate_index", sa.String(length=64), nullable=True),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_assessment_result_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("window", "enrolment_id", "version", name=op.f("pk_assessment_result")),
    )
    with op.batch_alter_table("assessment_result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_result_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_result_certificate_index"), ["certificate_index"], unique=False)
    op.add_column("practice", sa.Column("video_minutes", sa.Double(), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("practice", "video_minutes")
    op.drop_table("assessment_result")
