"""The database itself refuses what review must never do, whoever asks."""

from alembic import op

revision = "20261125_review_is_guarded"
down_revision = "20261125_decisions_and_appeals"
branch_labels = None
depends_on = None

APPEND_ONLY = ("review_law", "review_decision", "review_appeal", "review_notice", "review_ground")
INSERT_GUARDS = (
    (
        "review_law",
        "replaced",
        "EXISTS (SELECT 1 FROM review_law WHERE policy_sha256 = NEW.policy_sha256)",
        "a law is written once",
    ),
    (
        "review_decision",
        "in_order",
        """NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM review_decision WHERE finding_id = NEW.finding_id)
        OR NEW.decided_ms <= (
            SELECT coalesce(max(decided_ms), -1) FROM review_decision WHERE finding_id = NEW.finding_id
        )""",
        "decisions on a finding follow each other",
    ),
    (
        "review_decision",
        "by_another",
        """EXISTS (
            SELECT 1 FROM review_decision WHERE finding_id = NEW.finding_id AND number = NEW.number - 1
            AND reviewer = NEW.reviewer AND decision = NEW.decision
        )""",
        "nobody confirms their own decision",
    ),
    (
        "review_decision",
        "of_an_appeal",
        """EXISTS (
            SELECT 1 FROM review_appeal a WHERE a.finding_id = NEW.finding_id AND (
                a.opened_by = NEW.reviewer OR EXISTS (
                    SELECT 1 FROM review_decision d WHERE d.finding_id = a.finding_id
                    AND d.reviewer = NEW.reviewer AND d.number <= a.decisions_before
                )
            )
        )""",
        "an appeal is decided by somebody who has not decided before",
    ),
    (
        "review_appeal",
        "in_order",
        """NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM review_appeal WHERE finding_id = NEW.finding_id)
        OR NEW.decisions_before <> (
            SELECT coalesce(max(number), 0) FROM review_decision WHERE finding_id = NEW.finding_id
        )""",
        "appeals follow each other, and the decisions that they are against",
    ),
    (
        "review_ground",
        "upheld",
        """NOT EXISTS (
            SELECT 1 FROM review_decision d WHERE d.finding_id = NEW.finding_id AND d.number = NEW.decision_number
            AND d.decision = 'uphold'
        )""",
        "a notice rests on what a person upheld",
    ),
    (
        "review_ground",
        "by_two_persons",
        """EXISTS (SELECT 1 FROM review_law WHERE second_person) AND NOT EXISTS (
            SELECT 1 FROM review_decision d JOIN review_decision p
            ON p.finding_id = d.finding_id AND p.number = d.number - 1
            WHERE d.finding_id = NEW.finding_id AND d.number = NEW.decision_number
            AND p.decision = d.decision AND p.reviewer <> d.reviewer
        )""",
        "a notice rests on what two persons upheld",
    ),
    (
        "review_ground",
        "still_holds",
        """EXISTS (
            SELECT 1 FROM review_decision d WHERE d.finding_id = NEW.finding_id AND d.number > NEW.decision_number
            AND d.decision = 'dismiss' AND (
                NOT EXISTS (SELECT 1 FROM review_law WHERE second_person) OR EXISTS (
                    SELECT 1 FROM review_decision p WHERE p.finding_id = d.finding_id AND p.number = d.number - 1
                    AND p.decision = d.decision AND p.reviewer <> d.reviewer
                )
            )
        )""",
        "a notice rests on what was not dismissed since",
    ),
    (
        "review_ground",
        "not_appealed",
        """EXISTS (
            SELECT 1 FROM review_appeal WHERE finding_id = NEW.finding_id AND decisions_before >= NEW.decision_number
        )""",
        "a notice waits for the appeal",
    ),
    (
        "review_ground",
        "of_the_enrolment",
        """NOT EXISTS (
            SELECT 1 FROM review_decision d WHERE d.finding_id = NEW.finding_id AND d.number = NEW.decision_number
            AND d.class_id = NEW.class_id AND (d.enrolment_id IS NULL OR d.enrolment_id = NEW.enrolment_id)
        )""",
        "a notice rests on findings about its enrolment or class",
    ),
    (
        "review_ground",
        "before_its_notice",
        "EXISTS (SELECT 1 FROM review_notice WHERE notice_id = NEW.notice_id)",
        "a notice that was issued is not changed",
    ),
    (
        "review_notice",
        "grounds",
        """NOT EXISTS (
            SELECT 1 FROM review_ground WHERE notice_id = NEW.notice_id AND enrolment_id = NEW.enrolment_id
        ) OR EXISTS (
            SELECT 1 FROM review_ground WHERE notice_id = NEW.notice_id AND enrolment_id <> NEW.enrolment_id
        ) OR EXISTS (SELECT 1 FROM review_notice WHERE notice_id = NEW.notice_id)""",
        "nobody is refused for good without a person's decision",
    ),
)
"""Table, name, the condition under which a new row is refused, and why.

They read alike on both databases, and only tables of review: SQLite can't rebuild a table that a trigger reads.
"""


def upgrade() -> None:
    """Apply."""
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            _guard(table, f"no_{verb.lower()}", verb, "1 = 1", f"{table} is append-only")
    for table, name, condition, reason in INSERT_GUARDS:
        _guard(table, name, "INSERT", condition, reason)
    if op.get_bind().dialect.name == "postgresql":
        _keep_whole()


def downgrade() -> None:
    """Undo."""
    names = [(table, name) for table, name, _, _ in INSERT_GUARDS]
    names += [(table, f"no_{verb}") for table in APPEND_ONLY for verb in ("update", "delete")]
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        names += [(table, "no_truncate") for table in APPEND_ONLY]
    for table, name in names:
        guard = f"guard_{table}_{name}"
        op.execute(f"DROP FUNCTION {guard}() CASCADE" if is_postgresql else f"DROP TRIGGER {guard}")


def _guard(table: str, name: str, verb: str, condition: str, reason: str) -> None:
    """Let a trigger refuse a row as a broken constraint."""
    guard = f"guard_{table}_{name}"
    if op.get_bind().dialect.name == "sqlite":
        when = "" if condition == "1 = 1" else f"WHEN {condition}"
        op.execute(
            f"CREATE TRIGGER {guard} BEFORE {verb} ON {table} FOR EACH ROW {when} "
            f"BEGIN SELECT RAISE(ABORT, '{reason.replace(chr(39), chr(39) * 2)}'); END"
        )
        return
    _function(guard, condition, reason, "OLD" if verb == "DELETE" else "NEW")
    op.execute(f"CREATE TRIGGER {guard} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {guard}()")


def _function(guard: str, condition: str, reason: str, row: str) -> None:
    escaped = reason.replace("'", "''")
    op.execute(
        f"CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
        f"MESSAGE = '{escaped}'; END IF; RETURN {row}; END $guard$"
    )


def _keep_whole() -> None:
    """Let PostgreSQL refuse TRUNCATE too, which wakes no guard of rows."""
    for table in APPEND_ONLY:
        guard = f"guard_{table}_no_truncate"
        _function(guard, "1 = 1", f"{table} is append-only", "NULL")
        op.execute(f"CREATE TRIGGER {guard} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {guard}()")
