"""Venues, plans for a window, and published rosters, which the database lets nobody change."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_rosters"
down_revision = "20261125_evidence_log"
branch_labels = None
depends_on = None

STATED = ("version", "stated_ms", "stated_by", "sha256")
"""All of a statement but its sealed body, which is sealed anew when the master key is turned over."""
GUARDS = (
    ("venues", "no_update", f"UPDATE OF {', '.join(STATED)}", "1 = 1", "venues is append-only"),
    ("venues", "no_delete", "DELETE", "1 = 1", "venues is append-only"),
    (
        "venues",
        "in_order",
        "INSERT",
        "NEW.version <> 1 + (SELECT coalesce(max(version), 0) FROM venues)",
        "statements of venues follow each other",
    ),
    ("roster", "no_update", "UPDATE", "1 = 1", "roster is append-only"),
    ("roster", "no_delete", "DELETE", "1 = 1", "roster is append-only"),
    (
        "roster",
        "in_order",
        "INSERT",
        # also a plan that was published: INSERT OR REPLACE would take the place of its row without waking a guard
        """NEW.version <> 1 + (SELECT coalesce(max(version), 0) FROM roster WHERE "window" = NEW."window")
        OR EXISTS (SELECT 1 FROM roster WHERE plan_id = NEW.plan_id)""",
        "versions of a roster follow each other",
    ),
)
"""Table, name, verb, the condition under which a row is refused, and why; alike on both databases."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "venues",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stated_ms", sa.BigInteger(), nullable=False),
        sa.Column("stated_by", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_venues")),
    )
    op.create_table(
        "roster_draft",
        sa.Column("plan_id", sa.String(length=128), nullable=False),
        sa.Column("window", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("venues_version", sa.Integer(), nullable=False),
        sa.Column("before_version", sa.Integer(), nullable=True),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("pending", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["venues_version"], ["venues.version"], name=op.f("fk_roster_draft_venues_version_venues")
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_roster_draft")),
    )
    op.create_index(op.f("ix_roster_draft_window"), "roster_draft", ["window"], unique=False)
    op.create_table(
        "roster",
        sa.Column("window", sa.String(length=7), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.String(length=128), nullable=False),
        sa.Column("venues_version", sa.Integer(), nullable=False),
        sa.Column("published_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("length(trim(published_by)) > 0", name="ck_roster_published_by"),
        sa.ForeignKeyConstraint(["plan_id"], ["roster_draft.plan_id"], name=op.f("fk_roster_plan_id_roster_draft")),
        sa.ForeignKeyConstraint(["venues_version"], ["venues.version"], name=op.f("fk_roster_venues_version_venues")),
        sa.PrimaryKeyConstraint("window", "version", name=op.f("pk_roster")),
        sa.UniqueConstraint("plan_id", name=op.f("uq_roster_plan_id")),
        sqlite_with_rowid=False,
    )
    for guard in GUARDS:
        _guard(*guard)
    if op.get_bind().dialect.name == "postgresql":
        for table in ("venues", "roster"):
            _function(f"guard_{table}_no_truncate", "1 = 1", f"{table} is append-only", "NULL")
            op.execute(
                f"CREATE TRIGGER guard_{table}_no_truncate BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION guard_{table}_no_truncate()"
            )


def downgrade() -> None:
    """Undo."""
    for table in ("roster", "roster_draft", "venues"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        names = [f"guard_{table}_{name}" for table, name, *_ in GUARDS]
        for name in (*names, "guard_venues_no_truncate", "guard_roster_no_truncate"):
            op.execute(f"DROP FUNCTION {name}()")


def _guard(table: str, name: str, verb: str, condition: str, reason: str) -> None:
    """Let a trigger refuse a row as a broken constraint."""
    guard = f"guard_{table}_{name}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {guard} BEFORE {verb} ON {table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{reason}'); END"
        )
        return
    _function(guard, condition, reason, "OLD" if verb == "DELETE" else "NEW")
    op.execute(f"CREATE TRIGGER {guard} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {guard}()")


def _function(guard: str, condition: str, reason: str, row: str) -> None:
    op.execute(
        f"CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
        f"MESSAGE = '{reason}'; END IF; RETURN {row}; END $guard$"
    )
