"""Account settings; counts of repositories and images, an image's status, the size of an upload's first part.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Change the schema, and count what is there."""
    op.create_table(
        "account_settings",
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("name", _text(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_account_settings_account")),
        sa.PrimaryKeyConstraint("account", "region", "name", name=op.f("pk_account_settings")),
    )
    op.create_table(
        "registries",
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("repositories", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_registries_account")),
        sa.PrimaryKeyConstraint("account", "region", name=op.f("pk_registries")),
    )
    op.add_column("repositories", sa.Column("images", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("manifests", sa.Column("status", _text(16), nullable=False, server_default="ACTIVE"))
    op.add_column("uploads", sa.Column("first_part", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "INSERT INTO registries (account, region, repositories) "
        "SELECT account, region, count(*) FROM repositories GROUP BY account, region"
    )
    op.execute(
        "UPDATE repositories SET images = "
        "(SELECT count(*) FROM manifests WHERE manifests.repository = repositories.key)"
    )
