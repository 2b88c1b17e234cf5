"""Identities and the policies that they hold; policies of repositories and registries; when access keys were used.

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Change the schema."""
    _change_what_is_there()
    op.create_table(
        "identities",
        sa.Column("id", _text(512), nullable=False),
        sa.Column("account", _text(12), nullable=False),
        sa.Column("kind", _text(16), nullable=False),
        sa.Column("name", _text(255), nullable=False),
        sa.Column("folded", _text(255), nullable=False),
        sa.Column("path", _text(512), nullable=False),
        sa.Column("boundary", _text(512), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_identities_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("account", "kind", "folded", name=op.f("uq_identities_account_kind_folded")),
    )
    op.create_index(op.f("ix_identities_boundary"), "identities", ["boundary"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("group", _text(512), nullable=False),
        sa.Column("user", _text(512), nullable=False),
        sa.ForeignKeyConstraint(["group"], ["identities.id"], name=op.f("fk_memberships_group")),
        sa.ForeignKeyConstraint(["user"], ["identities.id"], name=op.f("fk_memberships_user")),
        sa.PrimaryKeyConstraint("group", "user", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_user"), "memberships", ["user"], unique=False)
    op.create_table(
        "policy_versions",
        sa.Column("policy", _text(512), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["identities.id"], name=op.f("fk_policy_versions_policy")),
        sa.PrimaryKeyConstraint("policy", "number", name=op.f("pk_policy_versions")),
    )
    op.create_table(
        "attachments",
        sa.Column("identity", _text(512), nullable=False),
        sa.Column("policy", _text(512), nullable=False),
        sa.ForeignKeyConstraint(["identity"], ["identities.id"], name=op.f("fk_attachments_identity")),
        sa.PrimaryKeyConstraint("identity", "policy", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_policy"), "attachments", ["policy"], unique=False)
    op.create_table(
        "inline_policies",
        sa.Column("identity", _text(512), nullable=False),
        sa.Column("name", _text(128), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["identity"], ["identities.id"], name=op.f("fk_inline_policies_identity")),
        sa.PrimaryKeyConstraint("identity", "name", name=op.f("pk_inline_policies")),
    )
    _add_policies_of_resources()


def _change_what_is_there() -> None:
    op.add_column("access_keys", sa.Column("last_used_at", sa.BigInteger(), nullable=True))
    op.add_column("access_keys", sa.Column("last_used_region", _text(25), nullable=True))
    op.add_column("access_keys", sa.Column("last_used_service", _text(64), nullable=True))
    op.create_index(op.f("ix_access_keys_principal"), "access_keys", ["principal"], unique=False)
    op.add_column("accounts", sa.Column("alias", _text(63), nullable=True))
    op.create_index(op.f("ix_accounts_alias"), "accounts", ["alias"], unique=True)


def _add_policies_of_resources() -> None:
    op.create_table(
        "repository_policies",
        sa.Column("repository", _key(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["repository"], ["repositories.key"], name=op.f("fk_repository_policies_repository")),
        sa.PrimaryKeyConstraint("repository", name=op.f("pk_repository_policies")),
    )
    op.create_table(
        "registry_policies",
        sa.Column("account", _text(12), nullable=False),
        sa.Column("region", _text(25), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_registry_policies_account")),
        sa.PrimaryKeyConstraint("account", "region", name=op.f("pk_registry_policies")),
    )
