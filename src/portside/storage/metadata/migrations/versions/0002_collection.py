"""Leases, and the indexes of the sweep: it costs what it removes, not what is stored.

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "leases",
        sa.Column("name", _text(64), nullable=False),
        sa.Column("holder", _text(64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_index(op.f("ix_blobs_location"), "blobs", ["location"], unique=False)
    op.create_index(op.f("ix_uploads_location"), "uploads", ["location"], unique=False)
    for table, column in (("blobs", "holders"), ("layers", "images")):
        unneeded = sa.text(f"{column} = 0")
        op.create_index(
            op.f(f"ix_{table}_touched_at"),
            table,
            ["touched_at"],
            unique=False,
            sqlite_where=unneeded,
            postgresql_where=unneeded,
        )
