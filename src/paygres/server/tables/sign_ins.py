"""Rows of system.sign_ins and the counts of attempts: begin a chain of refresh tokens, move it on, end it."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("sign_ins")


class Presented(NamedTuple):
    """How a presented token stands in its chain. `place`: it was replaced so many tokens ago, None when it is not among
    the last sixteen; `in_grace`: that was just now."""

    sub: str
    kind: str
    token_hash: bytes
    credential: bytes | None
    live: bool
    current: bool
    place: int | None
    in_grace: bool


class Attempts(NamedTuple):
    """A key under which attempts are counted, how many may be made, and within what time."""

    key: str
    most: int
    lasts: timedelta


async def insert(
    db: Database, sign_in: uuid.UUID, kind: str, sub: str, token_hash: bytes, credential: bytes | None, lasts: timedelta
) -> None:
    with translated():
        await db.execute(Q.insert_sign_in, sign_in, kind, sub, token_hash, credential, lasts)


async def rotate(
    db: Database,
    sign_in: uuid.UUID,
    kind: str,
    credential: bytes | None,
    presented: bytes,
    following: bytes,
    lasts: timedelta,
) -> str | None:
    """Replace the presented token; its subject, or None when it is not the one that is good now."""
    with translated():
        return await db.fetchval(Q.rotate, sign_in, kind, credential, presented, following, lasts)


async def select_presented(
    db: Database | Tx, sign_in: uuid.UUID, token_hash: bytes, grace: timedelta
) -> Presented | None:
    with translated():
        row = await db.fetchrow(Q.select_presented, sign_in, token_hash, grace)
    return None if row is None else Presented(*row)


async def revoke(db: Database | Tx, sign_in: uuid.UUID, because: str) -> str | None:
    """The subject whose sign-in ended now; None when it had ended."""
    with translated():
        return await db.fetchval(Q.revoke, sign_in, because)


async def revoke_all(db: Database | Tx, kind: str, sub: str, because: str) -> int:
    """End every sign-in of a subject; how many there were."""
    with translated():
        return len(await db.fetch(Q.revoke_all, kind, sub, because))


async def delete_ended(db: Database, most: int) -> int:
    """Forget sign-ins that ended and counts that are over, so many of each at most."""
    with translated():
        gone = await db.fetch(Q.delete_ended, most)
        return len(gone) + len(await db.fetch(Q.delete_counts, most))


async def count_attempt(db: Database, attempts: Sequence[Attempts]) -> int:
    """Count one under every key, the widest first; the seconds to wait, 0 for none."""
    with translated():
        return await db.fetchval(
            Q.count_attempt, [a.key for a in attempts], [a.most for a in attempts], [a.lasts for a in attempts]
        )


async def forgive(db: Database, keys: Sequence[str]) -> None:
    """Begin to count anew."""
    with translated():
        await db.execute(Q.forgive, list(keys))
