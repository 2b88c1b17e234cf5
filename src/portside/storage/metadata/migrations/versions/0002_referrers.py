"""Referrers of one type: an index, so that a page of them costs the same however many a subject has.

Revision: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the schema."""
    op.create_index(
        op.f("ix_manifests_repository_subject_artifact_type_digest"),
        "manifests",
        ["repository", "subject", "artifact_type", "digest"],
        unique=False,
    )
