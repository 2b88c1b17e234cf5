"""The one schema, for both dialects.

Times are microseconds since 1970 in BIGINT, documents are JSON text, digests are their wire form: nothing whose meaning
depends on the dialect. Changes to this file come with a migration; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows by INTEGER PRIMARY KEY only; PostgreSQL needs the wide type.
_Key = BigInteger().with_variant(Integer(), "sqlite")


def _text(length: int) -> String:
    """Text that sorts by its bytes on both dialects."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _index_where(condition: str, *columns: str) -> Index:
    """A few rows among many, in an order of their own."""
    return Index(None, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


accounts = Table(
    "accounts",
    metadata,
    Column("id", _text(12), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("alias", _text(63)),
    Index(None, "alias", unique=True),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", _text(64), primary_key=True),
    Column("purpose", _text(32), nullable=False),
    Column("account", _text(12), nullable=False),  # empty for keys of the whole deployment
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("purpose", "account"),
)

kms_keys = Table(
    "kms_keys",
    metadata,
    Column("id", _text(36), primary_key=True),
    Column("account", _text(12), ForeignKey("accounts.id"), nullable=False),
    Column("region", _text(25), nullable=False),
    Column("alias", _text(256)),
    Column("enabled", Boolean, nullable=False),
    Column("managed", Boolean, nullable=False),  # made by the registry itself, for whoever names no key
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("account", "region", "alias"),
)

account_settings = Table(
    "account_settings",
    metadata,
    Column("account", _text(12), ForeignKey("accounts.id"), primary_key=True),
    Column("region", _text(25), primary_key=True),
    Column("name", _text(64), primary_key=True),
    Column("value", Text, nullable=False),
)

registries = Table(
    "registries",
    metadata,
    Column("account", _text(12), ForeignKey("accounts.id"), primary_key=True),
    Column("region", _text(25), primary_key=True),
    Column("repositories", BigInteger, nullable=False),  # how many it has
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", _text(128), primary_key=True),
    Column("account", _text(12), ForeignKey("accounts.id"), nullable=False),
    Column("principal", _text(512), nullable=False),  # "root", or the unique id of a user
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("active", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("last_used_region", _text(25)),
    Column("last_used_service", _text(64)),
    Index(None, "account"),
    Index(None, "principal"),
)

identities = Table(
    "identities",
    metadata,
    Column("id", _text(512), primary_key=True),
    Column("account", _text(12), ForeignKey("accounts.id"), nullable=False),
    Column("kind", _text(16), nullable=False),
    Column("name", _text(255), nullable=False),
    Column("folded", _text(255), nullable=False),  # the name without its case: unique, and what lists are ordered by
    Column("path", _text(512), nullable=False),
    Column("boundary", _text(512)),  # ARN of the policy that is its permissions boundary
    Column("attributes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("account", "kind", "folded"),
    Index(None, "boundary"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("group", _text(512), ForeignKey("identities.id"), primary_key=True),
    Column("user", _text(512), ForeignKey("identities.id"), primary_key=True),
    Index(None, "user"),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("policy", _text(512), ForeignKey("identities.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("identity", _text(512), ForeignKey("identities.id"), primary_key=True),
    Column("policy", _text(512), primary_key=True),  # an id, or the ARN of one that is AWS's own
    Index(None, "policy"),
)

inline_policies = Table(
    "inline_policies",
    metadata,
    Column("identity", _text(512), ForeignKey("identities.id"), primary_key=True),
    Column("name", _text(128), primary_key=True),
    Column("document", Text, nullable=False),
)

repositories = Table(
    "repositories",
    metadata,
    Column("key", _Key, primary_key=True, autoincrement=True),
    Column("account", _text(12), ForeignKey("accounts.id"), nullable=False),
    Column("region", _text(25), nullable=False),
    Column("name", _text(256), nullable=False),
    Column("settings", Text, nullable=False),
    Column("content_key", _text(64), ForeignKey("data_keys.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False, server_default="0"),  # manifests that it holds
    Column("former", _text(300)),  # region and name of one that is deleted, and not empty yet
    UniqueConstraint("account", "region", "name"),
    _index_where("former IS NOT NULL", "key"),
    sqlite_autoincrement=True,
)

repository_policies = Table(
    "repository_policies",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("document", Text, nullable=False),  # principals by unique id
    Column("given", Text, nullable=False),  # as it was sent
)

registry_policies = Table(
    "registry_policies",
    metadata,
    Column("account", _text(12), ForeignKey("accounts.id"), primary_key=True),
    Column("region", _text(25), primary_key=True),
    Column("document", Text, nullable=False),
    Column("given", Text, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("content_key", _text(64), ForeignKey("data_keys.id"), primary_key=True),
    Column("digest", _text(160), primary_key=True),
    Column("location", _text(128), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("holders", BigInteger, nullable=False),  # repositories that hold it
    Column("damaged", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),  # a sweep waits until this is long ago
    Column("archived", Boolean, nullable=False, server_default=false()),  # the bytes lie at the archive location
    Index(None, "location"),
    _index_where("holders = 0", "touched_at"),  # in order of age: what a sweep looks through
    _index_where("archived", "content_key", "digest"),
)

layers = Table(
    "layers",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("digest", _text(160), primary_key=True),
    Column("content_key", _text(64), nullable=False),
    Column("media_type", Text),
    Column("images", BigInteger, nullable=False),  # manifests of the repository that refer to it
    Column("touched_at", BigInteger, nullable=False),
    Index(None, "content_key", "digest"),
    _index_where("images = 0", "touched_at"),  # in order of age: what a sweep looks through
)

manifests = Table(
    "manifests",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("digest", _text(160), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("artifact_type", Text),
    Column("subject", _text(160)),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("size", BigInteger, nullable=False),
    Column("content_size", BigInteger, nullable=False),
    Column("pushed_at", BigInteger, nullable=False),
    Column("last_pull_at", BigInteger),
    Column("status", _text(16), nullable=False, server_default="ACTIVE"),  # or ARCHIVED, ACTIVATING
    Column("archived_at", BigInteger),  # the last time
    Column("activated_at", BigInteger),  # the last time that it came back from the archive
    Column("untagged", Boolean, nullable=False, server_default=true()),  # no tag points at it
    Column("bereft", Boolean, nullable=False, server_default=false()),  # its subject was here, and was deleted
    Index(None, "repository", "pushed_at", "digest"),
    Index(None, "repository", "status", "pushed_at", "digest"),
    Index(None, "repository", "untagged", "pushed_at", "digest"),
    Index(None, "repository", "untagged", "status", "pushed_at", "digest"),
    Index(None, "repository", "subject", "digest"),
    Index(None, "repository", "subject", "artifact_type", "digest"),
    _index_where("status = 'ARCHIVED'", "archived_at", "repository", "digest"),
    _index_where("status = 'ACTIVATING'", "status", "repository", "digest"),
)

references = Table(
    "manifest_references",
    metadata,
    Column("repository", _Key, primary_key=True),
    Column("parent", _text(160), primary_key=True),
    Column("child", _text(160), primary_key=True),
    Column("is_image", Boolean, primary_key=True),  # a manifest of an index, else a blob
    Index(None, "repository", "child", "is_image", "parent"),
)

tags = Table(
    "tags",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("name", _text(300), primary_key=True),
    Column("digest", _text(160), nullable=False),
    Column("tagged_at", BigInteger, nullable=False),
    Index(None, "repository", "digest", "name"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", _text(36), primary_key=True),
    Column("repository", _Key, ForeignKey("repositories.key"), nullable=False),
    Column("location", _text(128), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("remainder", LargeBinary, nullable=False),  # sealed
    Column("parts", BigInteger, nullable=False),  # through the API, or docker's chunks where they count as parts
    Column("first_part", BigInteger, nullable=False, server_default="0"),  # bytes of the first of them
    Column("last_part", BigInteger, nullable=False),  # bytes of the latest of them
    Column("undersized", Boolean, nullable=False),  # one before the latest is below 5 MiB
    Column("turn", BigInteger, nullable=False),
    Column("held_until", BigInteger, nullable=False),  # a request is writing until then; 0 when none is
    Column("completed", _text(160)),
    Column("started_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Index(None, "repository"),
    Index(None, "location"),
    Index(None, "touched_at"),
)

creation_templates = Table(
    "creation_templates",
    metadata,
    Column("account", _text(12), ForeignKey("accounts.id"), primary_key=True),
    Column("region", _text(25), primary_key=True),
    Column("prefix", _text(256), primary_key=True),  # or ROOT
    Column("document", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

pull_exclusions = Table(
    "pull_exclusions",
    metadata,
    Column("account", _text(12), ForeignKey("accounts.id"), primary_key=True),
    Column("region", _text(25), primary_key=True),
    Column("principal", _text(200), primary_key=True),  # the ARN of a role or user
    Column("created_at", BigInteger, nullable=False),
)

lifecycle_policies = Table(
    "lifecycle_policies",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("document", Text, nullable=False),
    Column("evaluated_at", BigInteger),
    Column("due_at", BigInteger, nullable=False),  # when it is to be applied next
    Index(None, "due_at", "repository"),
)

lifecycle_previews = Table(
    "lifecycle_previews",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("id", _text(36), nullable=False),
    Column("policy", Text, nullable=False),
    Column("status", _text(16), nullable=False),  # IN_PROGRESS, COMPLETE or FAILED
    Column("started_at", BigInteger, nullable=False),
    Column("alive_at", BigInteger, nullable=False, server_default="0"),  # who makes it said so then
    Column("expiring", BigInteger, nullable=False),
    Column("transitioning", BigInteger, nullable=False),
)

lifecycle_preview_results = Table(
    "lifecycle_preview_results",
    metadata,
    Column("repository", _Key, ForeignKey("repositories.key"), primary_key=True),
    Column("preview", _text(36), primary_key=True),
    Column("number", Integer, primary_key=True),  # in the order of results
    Column("digest", _text(160), nullable=False),
    Column("result", Text, nullable=False),
    Index(None, "repository", "preview", "digest"),
)

events = Table(
    "events",
    metadata,
    Column("number", _Key, primary_key=True, autoincrement=True),
    Column("unit", BigInteger, nullable=False),  # that wrote it
    Column("account", _text(12), nullable=False),
    Column("region", _text(25), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "unit", "number"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("name", _text(64), primary_key=True),
    Column("holder", _text(64), nullable=False),
    Column("until", BigInteger, nullable=False),  # nobody else takes it before
)

authority = Table(
    "authority",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row at the most
    Column("version", BigInteger, nullable=False),
)

OF_AUTHORITY = frozenset(
    {
        accounts,
        data_keys,
        account_settings,
        access_keys,
        identities,
        memberships,
        policy_versions,
        attachments,
        inline_policies,
        repositories,
        repository_policies,
        registry_policies,
    }
)
"""What says who somebody is and what they may do: a unit that changes one of these moves `authority.version`."""
