"""Applications name their papers, assessors confirm what lacked data, and candidates say when they changed."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session

from online_guard.store import sealed_log

revision = "20261125_applications"
down_revision = "20261125_rosters"
branch_labels = None
depends_on = None

RESULTS = sa.table("result", *map(sa.column, ("kind", "owner", "class_id", "body")))
APPLICATIONS = sa.table("application", *map(sa.column, ("class_id", "window", "applied_on", "assessment_on")))
SURVEYS = sa.table("survey", *map(sa.column, ("institution", "surveyed_on", "score")))
GUARDS = (
    ("no_update", "UPDATE", "1 = 1", "confirmation is append-only"),
    ("no_delete", "DELETE", "1 = 1", "confirmation is append-only"),
    (
        "in_order",
        "INSERT",
        "NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM confirmation WHERE class_id = NEW.class_id)",
        "confirmations of a class follow each other",
    ),
)
"""Name, verb, the condition under which a row is refused, and why; alike on both databases."""


def upgrade() -> None:
    """Apply."""
    for column in (
        sa.Column("certificate_route", sa.String(length=32), nullable=True),
        sa.Column("papers", sa.Text(), nullable=True),
        sa.Column("task_row", sa.Integer(), nullable=True),
    ):
        op.add_column("application", column)
    op.add_column("survey", sa.Column("asked", sa.Integer(), nullable=True))
    _create_confirmations()
    _create_candidates()
    _fill_candidates()
    _log_what_decides()


def downgrade() -> None:
    """Undo."""
    for table in ("candidate_clock", "candidate", "confirmation"):
        op.drop_table(table)
    op.drop_column("survey", "asked")
    for name in ("task_row", "papers", "certificate_route"):
        op.drop_column("application", name)
    if op.get_bind().dialect.name == "postgresql":
        for name in (*(name for name, *_ in GUARDS), "no_truncate"):
            op.execute(f"DROP FUNCTION guard_confirmation_{name}()")


def _create_confirmations() -> None:
    op.create_table(
        "confirmation",
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=True),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("said_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("answer IN ('confirm', 'deny')", name="ck_confirmation_answer"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="ck_confirmation_reason"),
        sa.CheckConstraint("length(trim(reviewer)) > 0", name="ck_confirmation_reviewer"),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_confirmation_class_id_training_class")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_confirmation_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("class_id", "number", name=op.f("pk_confirmation")),
        sqlite_with_rowid=False,
    )
    for guard in GUARDS:
        _guard(*guard)
    if op.get_bind().dialect.name == "postgresql":
        _function("guard_confirmation_no_truncate", "1 = 1", "confirmation is append-only", "NULL")
        op.execute(
            "CREATE TRIGGER guard_confirmation_no_truncate BEFORE TRUNCATE ON confirmation "
            "FOR EACH STATEMENT EXECUTE FUNCTION guard_confirmation_no_truncate()"
        )


def _create_candidates() -> None:
    op.create_table(
        "candidate",
        sa.Column("window", sa.String(length=7), nullable=False),
        sa.Column("enrolment_id", sa.String(length=128), nullable=False),
        sa.Column("class_id", sa.String(length=128), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["training_class.class_id"], name=op.f("fk_candidate_class_id_training_class")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.enrolment_id"], name=op.f("fk_candidate_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("window", "enrolment_id", name=op.f("pk_candidate")),
    )
    op.create_index(op.f("ix_candidate_class_id"), "candidate", ["class_id"])
    op.create_index(
        op.f("ix_candidate_window_updated_ms_enrolment_id"), "candidate", ["window", "updated_ms", "enrolment_id"]
    )
    clock = op.create_table(
        "candidate_clock",
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_candidate_clock")),
    )
    op.bulk_insert(clock, [{"row_id": 1, "last_ms": 0}])


def _fill_candidates() -> None:
    """Let rows that were judged already count as changed long ago; their next verification dates them."""
    database = op.get_bind()
    candidates = sa.table("candidate", *map(sa.column, ("window", "enrolment_id", "class_id", "updated_ms", "digest")))
    judged = sa.select(RESULTS.c.owner, RESULTS.c.class_id, RESULTS.c.body).where(RESULTS.c.kind == "eligibility")
    for owner, class_id, body in database.execute(judged).all():
        window = json.loads(body)["window"]
        if window is not None:
            row = {"window": window, "enrolment_id": owner, "class_id": class_id, "updated_ms": 0, "digest": ""}
            database.execute(sa.insert(candidates).values(row))


def _log_what_decides() -> None:
    """Enter applications and surveys into the evidence log, as the service does from now on."""
    database = Session(op.get_bind())
    later = {"certificate_route": None, "papers": None, "task_row": None}
    names = ("window", "applied_on", "assessment_on")
    for row in database.execute(sa.select(APPLICATIONS)).all():
        payload = {name: getattr(row, name) for name in names} | later
        sealed_log.append(database, "application", f"class/{row.class_id}", payload)
    for row in database.execute(sa.select(SURVEYS)).all():
        payload = {"name": f"{row.surveyed_on} {float(row.score)!r}", "asked": None}
        sealed_log.append(database, "survey", f"institution/{row.institution}", payload)


def _guard(name: str, verb: str, condition: str, reason: str) -> None:
    """Let a trigger refuse a row as a broken constraint."""
    guard = f"guard_confirmation_{name}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {guard} BEFORE {verb} ON confirmation FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{reason}'); END"
        )
        return
    _function(guard, condition, reason, "OLD" if verb == "DELETE" else "NEW")
    op.execute(f"CREATE TRIGGER {guard} BEFORE {verb} ON confirmation FOR EACH ROW EXECUTE FUNCTION {guard}()")


def _function(guard: str, condition: str, reason: str, row: str) -> None:
    op.execute(
        f"CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
        f"MESSAGE = '{reason}'; END IF; RETURN {row}; END $guard$"
    )
