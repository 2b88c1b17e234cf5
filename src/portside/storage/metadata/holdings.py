"""Rows of what identities hold: attached and inline policies, memberships of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, select

from portside.core.identities import Document, Identity
from portside.storage.metadata import tables
from portside.storage.metadata.identities import COLUMNS, identity_of
from portside.storage.metadata.statements import Session, Statement, prepare

_a, _p, _m = tables.attachments.c, tables.inline_policies.c, tables.memberships.c
_i, _v = tables.identities.c, tables.policy_versions.c
_groups = select(_m.group).where(_m.user == bindparam("identity"))

_ATTACH = Statement(
    lambda insert: (
        insert(tables.attachments)
        .values({"identity": bindparam("identity"), "policy": bindparam("policy")})
        .on_conflict_do_nothing()
    )
)
_DETACH = prepare(
    delete(tables.attachments).where(_a.identity == bindparam("identity"), _a.policy == bindparam("policy"))
)
_ATTACHED = prepare(select(_a.policy).where(_a.identity == bindparam("identity")).order_by(_a.policy))
_HOLDERS = prepare(
    select(*COLUMNS)
    .join(tables.attachments, _a.identity == _i.id)
    .where(_a.policy == bindparam("policy"))
    .order_by(_i.kind, _i.folded)
)
_ATTACHED_DOCUMENTS = prepare(
    select(_a.policy, _v.document)
    .join_from(
        tables.attachments,
        tables.policy_versions,
        and_(_v.policy == _a.policy, _v.is_default == bindparam("yes")),
        isouter=True,
    )
    .where((_a.identity == bindparam("identity")) | _a.identity.in_(_groups))
)


def _put(insert: Any) -> Any:
    columns = ("identity", "name", "document")
    statement = insert(tables.inline_policies).values({name: bindparam(name) for name in columns})
    return statement.on_conflict_do_update(
        index_elements=[_p.identity, _p.name], set_={"document": statement.excluded.document}
    )


_PUT = Statement(_put)
_INLINE = prepare(select(_p.name, _p.document).where(_p.identity == bindparam("identity")).order_by(_p.name))
_INLINE_DOCUMENTS = prepare(
    select(_p.name, _p.document).where((_p.identity == bindparam("identity")) | _p.identity.in_(_groups))
)
_DROP = prepare(
    delete(tables.inline_policies).where(_p.identity == bindparam("identity"), _p.name == bindparam("name"))
)
_JOIN = Statement(
    lambda insert: (
        insert(tables.memberships)
        .values({"group": bindparam("group"), "user": bindparam("user")})
        .on_conflict_do_nothing()
    )
)
_LEAVE = prepare(delete(tables.memberships).where(_m.group == bindparam("group"), _m.user == bindparam("user")))
_MEMBERS = prepare(
    select(*COLUMNS)
    .join(tables.memberships, _m.user == _i.id)
    .where(_m.group == bindparam("group"), _i.folded > bindparam("after"))
    .order_by(_i.folded)
    .limit(bindparam("limit"))
)
_GROUPS = prepare(
    select(*COLUMNS).join(tables.memberships, _m.group == _i.id).where(_m.user == bindparam("user")).order_by(_i.folded)
)


class Holdings:
    """Who holds which policies, and who is in which group."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def attach(self, identity: str, policy: str) -> bool:
        """Attach a managed policy, by its id or as AWS's own by its ARN; False when it was."""
        return await self._session.run(_ATTACH, identity=identity, policy=policy) == 1

    async def detach(self, identity: str, policy: str) -> bool:
        """Take it away; False when it was not attached."""
        return await self._session.run(_DETACH, identity=identity, policy=policy) == 1

    async def attached(self, identity: str) -> Sequence[str]:
        """What is attached to one identity itself."""
        return [row[0] for row in await self._session.rows(_ATTACHED, identity=identity)]

    async def holders(self, policy: str) -> Sequence[Identity]:
        """Everything that a policy is attached to."""
        return [identity_of(row) for row in await self._session.rows(_HOLDERS, policy=policy)]

    async def put_inline(self, identity: str, name: str, document: str) -> None:
        """Let an inline policy of this name be this."""
        await self._session.run(_PUT, identity=identity, name=name, document=document)

    async def inline(self, identity: str) -> Sequence[Document]:
        """Its own inline policies, by name."""
        return [Document(name, text) for name, text in await self._session.rows(_INLINE, identity=identity)]

    async def drop_inline(self, identity: str, name: str) -> bool:
        """Remove an inline policy; False when there is none of this name."""
        return await self._session.run(_DROP, identity=identity, name=name) == 1

    async def attached_documents(self, identity: str) -> Sequence[tuple[str, str | None]]:
        """Id and default text of every managed policy that it holds, its groups' too; no text for AWS's own."""
        rows = await self._session.rows(_ATTACHED_DOCUMENTS, identity=identity, yes=True)
        return [(policy, text) for policy, text in rows]

    async def inline_documents(self, identity: str) -> Sequence[Document]:
        """Every inline policy that it holds, its groups' too."""
        return [Document(name, text) for name, text in await self._session.rows(_INLINE_DOCUMENTS, identity=identity)]

    async def join(self, group: str, user: str) -> bool:
        """Put a user into a group; False when it is there."""
        return await self._session.run(_JOIN, group=group, user=user) == 1

    async def leave(self, group: str, user: str) -> bool:
        """Take a user out of a group; False when it is not there."""
        return await self._session.run(_LEAVE, group=group, user=user) == 1

    async def members(self, group: str, *, after: str, limit: int) -> Sequence[Identity]:
        """The users of a group, from after a name."""
        rows = await self._session.rows(_MEMBERS, group=group, after=after.lower(), limit=limit)
        return [identity_of(row) for row in rows]

    async def groups(self, user: str) -> Sequence[Identity]:
        """The groups of a user."""
        return [identity_of(row) for row in await self._session.rows(_GROUPS, user=user)]
