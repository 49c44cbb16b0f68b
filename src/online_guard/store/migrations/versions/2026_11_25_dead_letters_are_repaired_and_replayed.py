"""Dead letters say whom they were for and what became of them, step by step."""

import json

import sqlalchemy as sa
from alembic import op

revision = "20261125_letters_replayed"
down_revision = "20261125_rulebooks"
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LETTERS = sa.table("dead_letter", *map(sa.column, ("row_id", "session_row", "platform_id", "session_id", "content")))


def upgrade() -> None:
    """Apply."""
    op.add_column("dead_letter", sa.Column("platform_id", sa.String(length=128), nullable=True))
    op.add_column("dead_letter", sa.Column("session_id", sa.String(length=128), nullable=True))
    op.add_column("dead_letter", sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False))
    op.create_table(
        "dead_letter_step",
        sa.Column("row_id", BIG_KEY, nullable=False),
        sa.Column("letter_row", BIG_KEY, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=160), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_row"], ["dead_letter.row_id"], name=op.f("fk_dead_letter_step_letter_row_dead_letter")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_dead_letter_step")),
    )
    op.create_index(op.f("ix_dead_letter_step_letter_row"), "dead_letter_step", ["letter_row"])
    _name_addressees(op.get_bind())


def _name_addressees(database: sa.Connection) -> None:
    """Take the addressee of letters without a session out of their content, where it stands if it isn't sealed."""
    lost = sa.select(LETTERS.c.row_id, LETTERS.c.content).where(LETTERS.c.session_row.is_(None))
    for row_id, content in database.execute(lost).all():
        if not content.startswith("{"):
            continue
        named = json.loads(content)
        values = {"platform_id": named["platform_id"], "session_id": named["session_id"], "content": named["event"]}
        database.execute(sa.update(LETTERS).where(LETTERS.c.row_id == row_id).values(**values))


def downgrade() -> None:
    """Undo."""
    database = op.get_bind()
    columns = (LETTERS.c.row_id, LETTERS.c.platform_id, LETTERS.c.session_id, LETTERS.c.content)
    for row_id, platform_id, session_id, event in database.execute(
        sa.select(*columns).where(LETTERS.c.session_row.is_(None))
    ).all():
        if session_id is None:
            continue
        named = {"platform_id": platform_id, "session_id": session_id, "event": event}
        content = json.dumps(named, ensure_ascii=False)
        database.execute(sa.update(LETTERS).where(LETTERS.c.row_id == row_id).values(content=content))
    op.drop_table("dead_letter_step")
    for name in ("state", "session_id", "platform_id"):
        op.drop_column("dead_letter", name)
