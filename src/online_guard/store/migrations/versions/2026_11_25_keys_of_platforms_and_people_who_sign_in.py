"""Keys of platforms, people who sign in."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_keys_and_people"
down_revision = "20261125_jobs_have_a_duty"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "failed_login",
        sa.Column("name_index", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name_index", name=op.f("pk_failed_login")),
    )
    with op.batch_alter_table("failed_login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failed_login_last_ms"), ["last_ms"], unique=False)

    op.create_table(
        "person",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_used_step", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
        sa.UniqueConstraint("subject", name=op.f("uq_person_subject")),
    )
    op.create_table(
        "platform_key",
        sa.Column("key_id", sa.String(length=128), nullable=False),
        sa.Column("platform_id", sa.String(length=128), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("rotated_ms", sa.BigInteger(), nullable=True),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_platform_key")),
    )
    with op.batch_alter_table("platform_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_platform_key_platform_id"), ["platform_id"], unique=False)

    op.create_table(
        "provider_login",
        sa.Column("state_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.LargeBinary(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_provider_login")),
    )
    with op.batch_alter_table("provider_login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_login_ends_ms"), ["ends_ms"], unique=False)

    op.create_table(
        "used_nonce",
        sa.Column("created_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("created_s", "digest", name=op.f("pk_used_nonce")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "login",
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.row_id"], name=op.f("fk_login_person_person"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_login")),
    )
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_ends_ms"), ["ends_ms"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_person"), ["person"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_person"))
        batch_op.drop_index(batch_op.f("ix_login_ends_ms"))

    op.drop_table("login")
    op.drop_table("used_nonce")
    with op.batch_alter_table("provider_login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_login_ends_ms"))

    op.drop_table("provider_login")
    with op.batch_alter_table("platform_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_platform_key_platform_id"))

    op.drop_table("platform_key")
    op.drop_table("person")
    with op.batch_alter_table("failed_login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_failed_login_last_ms"))

    op.drop_table("failed_login")
