"""Cases have a deadline and class hours at stake, and are taken by a reviewer; people keep views of the queue."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_cases_are_taken"
down_revision = "20261125_results"
branch_labels = None
depends_on = None

STARVES_MS = 30 * 86_400_000


def upgrade() -> None:
    """Apply."""
    # until its class is verified again, a case is as urgent as one without a deadline or class hours
    op.add_column("review_case", sa.Column("class_hours", sa.Double(), server_default="0", nullable=False))
    op.add_column("review_case", sa.Column("due_ms", sa.BigInteger(), nullable=True))
    op.add_column("review_case", sa.Column("urgent_ms", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(f"UPDATE review_case SET urgent_ms = waiting_since_ms + {STARVES_MS}")  # noqa: S608 - a number
    op.create_index(
        op.f("ix_review_case_priority_urgent_ms_case_id"), "review_case", ["priority", "urgent_ms", "case_id"]
    )
    op.create_table(
        "review_assignment",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("reviewer", sa.String(length=128), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["review_case.case_id"],
            name=op.f("fk_review_assignment_case_id_review_case"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_review_assignment")),
    )
    op.create_index(op.f("ix_review_assignment_reviewer"), "review_assignment", ["reviewer"])
    op.create_table(
        "review_saved_view",
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=600), nullable=False),
        sa.PrimaryKeyConstraint("person", "name", name=op.f("pk_review_saved_view")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("review_saved_view")
    op.drop_table("review_assignment")
    op.drop_index(op.f("ix_review_case_priority_urgent_ms_case_id"), "review_case")
    for name in ("urgent_ms", "due_ms", "class_hours"):
        op.drop_column("review_case", name)
