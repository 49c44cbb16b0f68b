"""Events lie in chunks of columns, one row a batch; sessions count their changes."""

import numpy as np
import sqlalchemy as sa
from alembic import op

from online_guard.store.event_chunks import Chunk, chunk_of, of_sessions, opened, put

revision = "20261125_events_in_chunks"
down_revision = "20261125_captures_and_challenges"
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = (
    "seq", "type", "at_ms", "received_ms", "position_s", "from_s", "playing", "rate", "player", "popup",
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event_chunk",
        sa.Column("row_id", BIG_KEY, nullable=False),
        sa.Column("session_row", BIG_KEY, nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("columns", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_event_chunk_session_row_session")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_event_chunk")),
    )
    op.create_index(
        op.f("ix_event_chunk_session_row_first_seq"), "event_chunk", ["session_row", "first_seq"], unique=True
    )
    op.create_index(op.f("ix_event_chunk_received_ms"), "event_chunk", ["received_ms"])
    op.add_column("session", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    _to_chunks(op.get_bind())
    op.drop_table("event")


def _to_chunks(database: sa.Connection) -> None:
    """Put the events of each session into one packed chunk; one session is in memory at a time."""
    table = sa.table("event", *map(sa.column, ("session_row", *COLUMNS)))
    for session_row in _sessions(database, table):
        query = sa.select(table).where(table.c.session_row == session_row).order_by(table.c.seq)
        rows = [dict(row) for row in database.execute(query).mappings()]
        events = opened([Chunk(session_row, len(rows), chunk_of(rows))])
        put(database, session_row, events)


def _sessions(database: sa.Connection, table: sa.TableClause) -> list[int]:
    return list(database.scalars(sa.select(table.c.session_row).distinct().order_by(table.c.session_row)))


def downgrade() -> None:
    """Undo."""
    event = op.create_table(
        "event",
        sa.Column("session_row", BIG_KEY, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("position_s", sa.Double(), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=True),
        sa.Column("playing", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("player", sa.String(length=128), nullable=False),
        sa.Column("popup", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["session_row"], ["session.row_id"], name=op.f("fk_event_session_row_session")),
        sa.PrimaryKeyConstraint("session_row", "seq", name=op.f("pk_event")),
    )
    _to_rows(op.get_bind(), event)
    op.drop_column("session", "revision")
    op.drop_table("event_chunk")


def _to_rows(database: sa.Connection, event: sa.Table) -> None:
    for session_row in _sessions(database, sa.table("event_chunk", sa.column("session_row"))):
        events = of_sessions(database, {session_row: session_row})
        columns = {name: getattr(events, name).tolist() for name in ("session", *COLUMNS)}
        columns["session_row"] = columns.pop("session")
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        players, popups = events.player_names.tolist(), [*events.popup_names.tolist(), None]
        database.execute(
            sa.insert(event),
            [
                {
                    **row,
                    "from_s": None if row["from_s"] != row["from_s"] else row["from_s"],
                    "rate": float(str(np.float32(row["rate"]))),
                    "player": players[row["player"]],
                    "popup": popups[row["popup"]],
                }
                for row in rows
            ],
        )
