"""What images and repositories are asked for often.

Whether an image has a tag, whether what it refers to was deleted, when a preview was last worked at, and which
repositories are deleted and not empty yet.

Revision: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Change the schema."""
    op.add_column("manifests", sa.Column("untagged", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("manifests", sa.Column("bereft", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("lifecycle_previews", sa.Column("alive_at", sa.BigInteger(), nullable=False, server_default="0"))
    text = sa.String(300).with_variant(sa.String(300, collation="C"), "postgresql")
    op.add_column("repositories", sa.Column("former", text, nullable=True))
    condition = sa.text("former IS NOT NULL")
    name = op.f("ix_repositories_key")
    op.create_index(name, "repositories", ["key"], sqlite_where=condition, postgresql_where=condition)
    manifests = sa.table("manifests", *map(sa.column, ("repository", "digest", "untagged")))
    tags = sa.table("tags", *map(sa.column, ("repository", "digest")))
    tagged = sa.exists().where(tags.c.repository == manifests.c.repository, tags.c.digest == manifests.c.digest)
    op.execute(sa.update(manifests).where(tagged).values(untagged=sa.false()))
    for columns in (("untagged", "pushed_at", "digest"), ("untagged", "status", "pushed_at", "digest")):
        name = op.f(f"ix_manifests_repository_{'_'.join(columns)}")
        op.create_index(name, "manifests", ["repository", *columns], unique=False)
