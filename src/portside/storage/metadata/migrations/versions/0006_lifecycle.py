"""Lifecycle policies and their previews, creation templates, pull exclusions, events, times of archiving.

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Change the schema."""
    op.add_column("manifests", sa.Column("archived_at", sa.BigInteger(), nullable=True))
    op.add_column("manifests", sa.Column("activated_at", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_manifests_repository_status_pushed_at_digest"),
        "manifests",
        ["repository", "status", "pushed_at", "digest"],
        unique=False,
    )
    _add_lifecycle()
    _add_settings_of_registries()
    op.create_table(
        "events",
        sa.Column("number", _key(), autoincrement=True, nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_at"), "events", ["at"], unique=False)
    op.create_index(op.f("ix_events_unit_number"), "events", ["unit", "number"], unique=False)


def _add_lifecycle() -> None:
    op.create_table(
        "lifecycle_policies",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("evaluated_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_lifecycle_policies_repository")),
        sa.PrimaryKeyConstraint("repository", name=op.f("pk_lifecycle_policies")),
    )
    op.create_index(
        op.f("ix_lifecycle_policies_due_at_repository"), "lifecycle_policies", ["due_at", "repository"], unique=False
    )
    op.create_table(
        "lifecycle_previews",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("id", _text(36), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("status", _text(16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expiring", sa.BigInteger(), nullable=False),
        sa.Column("transitioning", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_lifecycle_previews_repository")),
        sa.PrimaryKeyConstraint("repository", name=op.f("pk_lifecycle_previews")),
    )
    op.create_table(
        "lifecycle_preview_results",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("preview", _text(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", _text(160), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository"], ["repositories.key"], name=op.f("fk_lifecycle_preview_results_repository")
        ),
        sa.PrimaryKeyConstraint("repository", "preview", "number", name=op.f("pk_lifecycle_preview_results")),
    )
    op.create_index(
        op.f("ix_lifecycle_preview_results_repository_preview_digest"),
        "lifecycle_preview_results",
        ["repository", "preview", "digest"],
        unique=False,
    )


def _add_settings_of_registries() -> None:
    op.create_table(
        "creation_templates",
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("prefix", _text(256), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_creation_templates_account")),
        sa.PrimaryKeyConstraint("account", "region", "prefix", name=op.f("pk_creation_templates")),
    )
    op.create_table(
        "pull_exclusions",
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("principal", _text(200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_pull_exclusions_account")),
        sa.PrimaryKeyConstraint("account", "region", "principal", name=op.f("pk_pull_exclusions")),
    )
