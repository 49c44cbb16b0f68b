"""Imports of past sessions, where a session came from, earlier projects and surveys."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_imports"
down_revision = "20261125_review_is_guarded"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "log_import",
        sa.Column("import_id", sa.String(length=128), nullable=False),
        sa.Column("platform_id", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kept_bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_log_import")),
        sa.UniqueConstraint("platform_id", "sha256", name=op.f("uq_log_import_platform_id_sha256")),
    )
    op.create_index(op.f("ix_log_import_created_ms"), "log_import", ["created_ms"], unique=False)
    op.create_table(
        "log_import_page",
        sa.Column("import_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["log_import.import_id"], name=op.f("fk_log_import_page_import_id_log_import")
        ),
        sa.PrimaryKeyConstraint("import_id", "kind", "page", name=op.f("pk_log_import_page")),
    )
    op.create_table(
        "imported_enrolment",
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("pseudonym", sa.String(length=128), nullable=False),
        sa.Column("is_registered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_imported_enrolment_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_imported_enrolment")),
    )
    op.create_index(op.f("ix_imported_enrolment_pseudonym"), "imported_enrolment", ["pseudonym"], unique=False)
    op.create_table(
        "earlier_project",
        sa.Column("learner_id", sa.String(length=128), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("ended_on", sa.String(length=10), nullable=False),
        sa.Column("assessed_on", sa.String(length=10), nullable=True),
        sa.PrimaryKeyConstraint("learner_id", "class_id", name=op.f("pk_earlier_project")),
    )
    op.create_table(
        "survey",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution", sa.String(length=400), nullable=False),
        sa.Column("surveyed_on", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_survey")),
        sa.UniqueConstraint(
            "institution", "surveyed_on", "score", name=op.f("uq_survey_institution_surveyed_on_score")
        ),
    )
    op.add_column("session", sa.Column("provenance", sa.String(length=8), server_default="live", nullable=False))
    op.add_column("session", sa.Column("import_id", sa.String(length=128), nullable=True))
    op.create_index(op.f("ix_session_import_id"), "session", ["import_id"], unique=False)
    op.add_column("finding", sa.Column("provenance", sa.String(length=16), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("finding", "provenance")
    op.drop_index(op.f("ix_session_import_id"), table_name="session")
    op.drop_column("session", "import_id")
    op.drop_column("session", "provenance")
    op.drop_table("survey")
    op.drop_table("earlier_project")
    op.drop_index(op.f("ix_imported_enrolment_pseudonym"), table_name="imported_enrolment")
    op.drop_table("imported_enrolment")
    op.drop_table("log_import_page")
    op.drop_index(op.f("ix_log_import_created_ms"), table_name="log_import")
    op.drop_table("log_import")
