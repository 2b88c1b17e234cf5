"""Which blobs lie at the archive location, and the images that go there or come back.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change the schema."""
    op.add_column("blobs", sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.false()))
    _add_index("blobs", "archived", "content_key", "digest")
    # Archived images of before have no time, and those without one would never be found.
    op.execute("UPDATE manifests SET archived_at = pushed_at WHERE status = 'ARCHIVED' AND archived_at IS NULL")
    _add_index("manifests", "status = 'ARCHIVED'", "archived_at", "repository", "digest")
    _add_index("manifests", "status = 'ACTIVATING'", "status", "repository", "digest")


def _add_index(table: str, condition: str, *columns: str) -> None:
    op.create_index(
        op.f(f"ix_{table}_{'_'.join(columns)}"),
        table,
        [*columns],
        unique=False,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
