"""Referrers of one type: an index, so that a page of them costs the same however many a subject has.

Revision: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change the schema."""
    op.create_index(
        op.f("ix_manifests_repository_subject_artifact_type_digest"),
        "manifests",
        ["repository", "subject", "artifact_type", "digest"],
        unique=False,
    )
