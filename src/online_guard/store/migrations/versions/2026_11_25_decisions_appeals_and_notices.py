"""Decisions, appeals, notices and cases; findings have names that last."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "20261125_decisions_and_appeals"
down_revision = "20261125_a_mark"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_tables()
    _create_notices()
    _create_cases()
    _name_findings()
    _ask_for_cases()


def downgrade() -> None:
    """Undo."""
    for table in ("review_ground", "review_notice", "review_case", "review_appeal", "review_decision", "review_law"):
        op.drop_table(table)
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_rule_case_id"))
        batch_op.drop_index(batch_op.f("ix_finding_finding_id"))
        batch_op.drop_index(batch_op.f("ix_finding_case_id"))
        batch_op.drop_column("enrolment_id")
        batch_op.drop_column("case_id")
        batch_op.drop_column("finding_id")


def _create_tables() -> None:
    op.create_table(
        "review_law",
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("policy_id", sa.String(length=128), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("second_person", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("policy_sha256", name=op.f("pk_review_law")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "review_decision",
        sa.Column("finding_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=400), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=True),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("decision IN ('uphold', 'dismiss')", name="ck_review_decision_kind"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="ck_review_decision_reason"),
        sa.CheckConstraint("length(trim(reviewer)) > 0", name="ck_review_decision_reviewer"),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_review_decision_class_id_training_class")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_review_decision_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["policy_sha256"], ["review_law.policy_sha256"], name=op.f("fk_review_decision_policy_sha256_review_law")
        ),
        sa.PrimaryKeyConstraint("finding_id", "number", name=op.f("pk_review_decision")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_review_decision_case_id"), "review_decision", ["case_id"])
    op.create_index(op.f("ix_review_decision_class_id"), "review_decision", ["class_id"])
    op.create_table(
        "review_appeal",
        sa.Column("finding_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=400), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("appellant", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.String(length=128), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("decisions_before", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name="ck_review_appeal_reason"),
        sa.CheckConstraint("appellant IN ('learner', 'platform')", name="ck_review_appeal_appellant"),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_review_appeal_class_id_training_class")
        ),
        sa.PrimaryKeyConstraint("finding_id", "number", name=op.f("pk_review_appeal")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_review_appeal_case_id"), "review_appeal", ["case_id"])
    op.create_index(op.f("ix_review_appeal_class_id"), "review_appeal", ["class_id"])


def _create_notices() -> None:
    op.create_table(
        "review_notice",
        sa.Column("notice_id", sa.String(length=128), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("issued_by", sa.String(length=128), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(trim(issued_by)) > 0", name="ck_review_notice_issued_by"),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_review_notice_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["policy_sha256"], ["review_law.policy_sha256"], name=op.f("fk_review_notice_policy_sha256_review_law")
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_review_notice")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_review_notice_enrolment_id"), "review_notice", ["enrolment_id"])
    op.create_table(
        "review_ground",
        sa.Column("notice_id", sa.String(length=128), nullable=False),
        sa.Column("lesson_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("finding_id", sa.String(length=40), nullable=False),
        sa.Column("decision_number", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_review_ground_class_id_training_class")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_review_ground_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id", "decision_number"],
            ["review_decision.finding_id", "review_decision.number"],
            name=op.f("fk_review_ground_finding_id_decision_number_review_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["review_notice.notice_id"],
            name=op.f("fk_review_ground_notice_id_review_notice"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("notice_id", "lesson_no", "finding_id", name=op.f("pk_review_ground")),
        sqlite_with_rowid=False,
    )


def _create_cases() -> None:
    op.create_table(
        "review_case",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("platform_id", sa.String(length=128), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=True),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("waiting_since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_review_case_class_id_training_class")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_review_case_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_review_case")),
    )
    op.create_index(op.f("ix_review_case_enrolment_id"), "review_case", ["enrolment_id"])
    order = ["priority", "waiting_since_ms", "case_id"]
    for first in ([], ["state"], ["class_id"], ["platform_id"]):
        op.create_index(op.f("ix_review_case_" + "_".join(first + order)), "review_case", first + order)


def _name_findings() -> None:
    """Give findings names that last; those of earlier verifications get theirs here, their enrolment when judged."""
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.add_column(sa.Column("finding_id", sa.String(length=40), server_default="", nullable=False))
        batch_op.add_column(sa.Column("case_id", sa.String(length=40), server_default="", nullable=False))
        batch_op.add_column(sa.Column("enrolment_id", sa.String(length=128), nullable=True))
    names = ("row_id", "rule", "subject", "subject_id", "finding_id", "case_id")
    finding = sa.table("finding", *map(sa.column, names))
    database = op.get_bind()
    for row_id, rule, subject, subject_id in database.execute(
        sa.select(*finding.c["row_id", "rule", "subject", "subject_id"])
    ).all():
        about = ("session", subject_id.rpartition("/")[0]) if subject == "snapshot" else (subject, subject_id)
        named = {
            "finding_id": f"{rule}-{_digest(rule, subject, subject_id)}",
            "case_id": f"{about[0]}-{_digest(*about)}",
        }
        database.execute(sa.update(finding).where(finding.c.row_id == row_id).values(**named))
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.alter_column("finding_id", server_default=None)
        batch_op.alter_column("case_id", server_default=None)
        batch_op.create_index(batch_op.f("ix_finding_finding_id"), ["finding_id"])
        batch_op.create_index(batch_op.f("ix_finding_case_id"), ["case_id"])
        batch_op.create_index(batch_op.f("ix_finding_rule_case_id"), ["rule", "case_id"])


def _ask_for_cases() -> None:
    """Let every class that has findings be verified once more: that makes its cases."""
    op.execute(
        "INSERT INTO job (duty, key, asked, taken, asked_ms, run_after_ms, attempts) "
        "SELECT DISTINCT 'verify', class_id, 1, 0, 0, 0, 0 FROM finding "
        "WHERE class_id NOT IN (SELECT key FROM job WHERE duty = 'verify')"
    )


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]
