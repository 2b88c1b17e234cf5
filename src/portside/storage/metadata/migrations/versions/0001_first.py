"""The first schema: accounts, keys, repositories, images, layers, uploads.

Revision: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _key() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "accounts",
        sa.Column("id", _text(12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "data_keys",
        sa.Column("id", _text(64), nullable=False),
        sa.Column("purpose", _text(32), nullable=False),
        sa.Column("account", _text(12), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
        sa.UniqueConstraint("purpose", "account", name=op.f("uq_data_keys_purpose_account")),
    )
    op.create_table(
        "manifest_references",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("parent", _text(160), nullable=False),
        sa.Column("child", _text(160), nullable=False),
        sa.Column("is_image", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("repository", "parent", "child", "is_image", name=op.f("pk_manifest_references")),
    )
    op.create_index(
        op.f("ix_manifest_references_repository_child_is_image_parent"),
        "manifest_references",
        ["repository", "child", "is_image", "parent"],
        unique=False,
    )
    op.create_table(
        "access_keys",
        sa.Column("id", _text(128), nullable=False),
        sa.Column("account", _text(12), nullable=False),
        sa.Column("principal", _text(512), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_access_keys_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_keys")),
    )
    op.create_index(op.f("ix_access_keys_account"), "access_keys", ["account"], unique=False)
    op.create_table(
        "blobs",
        sa.Column("content_key", _text(64), nullable=False),
        sa.Column("digest", _text(160), nullable=False),
        sa.Column("location", _text(128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("holders", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["content_key"], ["data_keys.id"], name=op.f("fk_blobs_content_key")),
        sa.PrimaryKeyConstraint("content_key", "digest", name=op.f("pk_blobs")),
    )
    op.create_table(
        "repositories",
        sa.Column("key", _key(), autoincrement=True, nullable=False),
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("name", _text(256), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("content_key", _text(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_repositories_account")),
        sa.ForeignKeyConstraint(["content_key"], ["data_keys.id"], name=op.f("fk_repositories_content_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_repositories")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_repositories_account_region_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "layers",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("digest", _text(160), nullable=False),
        sa.Column("content_key", _text(64), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_layers_repository")),
        sa.PrimaryKeyConstraint("repository", "digest", name=op.f("pk_layers")),
    )
    op.create_index(op.f("ix_layers_content_key_digest"), "layers", ["content_key", "digest"], unique=False)
    op.create_table(
        "manifests",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("digest", _text(160), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("artifact_type", sa.Text(), nullable=True),
        sa.Column("subject", _text(160), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_size", sa.BigInteger(), nullable=False),
        sa.Column("pushed_at", sa.BigInteger(), nullable=False),
        sa.Column("last_pull_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_manifests_repository")),
        sa.PrimaryKeyConstraint("repository", "digest", name=op.f("pk_manifests")),
    )
    op.create_index(
        op.f("ix_manifests_repository_pushed_at_digest"),
        "manifests",
        ["repository", "pushed_at", "digest"],
        unique=False,
    )
    op.create_index(
        op.f("ix_manifests_repository_subject_digest"), "manifests", ["repository", "subject", "digest"], unique=False
    )
    op.create_table(
        "tags",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("name", _text(300), nullable=False),
        sa.Column("digest", _text(160), nullable=False),
        sa.Column("tagged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_tags_repository")),
        sa.PrimaryKeyConstraint("repository", "name", name=op.f("pk_tags")),
    )
    op.create_index(op.f("ix_tags_repository_digest_name"), "tags", ["repository", "digest", "name"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", _text(36), nullable=False),
        sa.Column("repository", _key(), nullable=False),
        sa.Column("location", _text(128), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("remainder", sa.LargeBinary(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("last_part", sa.BigInteger(), nullable=False),
        sa.Column("undersized", sa.Boolean(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.Column("completed", _text(160), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_uploads_repository")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_repository"), "uploads", ["repository"], unique=False)
    op.create_index(op.f("ix_uploads_touched_at"), "uploads", ["touched_at"], unique=False)
