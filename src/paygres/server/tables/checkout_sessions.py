"""Reserve, finish and read checkout sessions."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from paygres.server.caller import Caller
from paygres.server.db.database import Database
from paygres.server.errors import InvalidRequest, PermissionDenied
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("checkout_sessions")
_RAISED = (
    "payments.can_bill, a policy or a trigger of payments.stripe_checkout_sessions raised this; they should answer"
    " for every subject, whatever its id looks like."
)
_SOLD_ALREADY, _UNKNOWN_PRICES = "PG409", "PG404"  # raised by payments.reserve_checkout_session
_REFUSED = "Checkout session creation is not allowed by payments.stripe_checkout_sessions RLS policies"


@dataclass(frozen=True, slots=True)
class Reserved:
    """outcome: created, existing, overdue, subscribed, initialized, conflict, limited or unknown_prices (functions/06).

    `params` are what Stripe is sent. Subscribed without a session: a new checkout would sell a plan twice. Unknown
    prices: nobody can tell whether it would, before `unknown_prices` are read at Stripe; nothing is stored.
    """

    outcome: str
    row_id: uuid.UUID | None
    params: dict[str, Any] | None
    session: dict[str, Any] | None
    unknown_prices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A checkout as it is asked for, before Stripe knows of it."""

    id: uuid.UUID
    environment: str
    account_id: str
    mode: str
    subject: tuple[str, str] | None
    customer_email: str | None
    line_items: list[dict[str, Any]]
    success_url: str
    cancel_url: str
    idempotency_key: str | None
    request_hash: str
    metadata: dict[str, str]
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class GuestLimit:
    """Guest checkouts a minute: over all networks, and from one."""

    all: int
    network: int


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _decoded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


async def reserve(
    db: Database,
    caller: Caller,
    draft: Draft,
    *,
    configured: bool,
    guest_limit: GuestLimit | None,
    lease: timedelta,
    prices_asked: bool = False,
) -> Reserved:
    """Insert the row as the caller, or find the one its key already has; one transaction, one round trip.

    `prices_asked`: what Stripe knows of the prices is known, so that what is unknown now does not stop it.
    Raises PermissionDenied when row-level security refuses, NotConfigured (nothing stored) when the caller
    may, but the environment has no Stripe key.
    """
    subject_type, subject_id = draft.subject or (None, None)
    try:
        with translated():
            row = await db.fetchrow(
                Q.reserve,
                caller.role,
                caller.claims,
                caller.sub if caller.role == "authenticated" else None,
                caller.scope(draft.subject),
                caller.network if guest_limit else None,
                guest_limit.all if guest_limit else 0,
                guest_limit.network if guest_limit else 0,
                configured,
                prices_asked,
                draft.id,
                draft.environment,
                draft.account_id,
                draft.mode,
                subject_type,
                subject_id,
                draft.customer_email,
                _json(draft.line_items),
                draft.success_url,
                draft.cancel_url,
                draft.idempotency_key,
                draft.request_hash,
                _json(draft.metadata),
                _json(draft.params),
                lease,
            )
    except PermissionDenied:
        raise PermissionDenied(_REFUSED, next_actions=_explanation(caller, draft)) from None
    except InvalidRequest as error:
        raise InvalidRequest(error.message, code=error.code, next_actions=_RAISED) from error
    except asyncpg.PostgresError as error:
        state = getattr(error, "sqlstate", None)
        if state == _UNKNOWN_PRICES:
            return Reserved("unknown_prices", None, None, None, tuple(orjson.loads(str(getattr(error, "detail", "")))))
        if state != _SOLD_ALREADY:
            raise
        return Reserved("subscribed", None, None, None)
    assert row is not None
    return Reserved(row["outcome"], row["row_id"], _decoded(row["params"]), _decoded(row["session"]))


def _explanation(caller: Caller, draft: Draft) -> str:
    """Why the default policies say no, and what to do about it."""
    if caller.role == "anon":
        return "Guests may only do a one-time checkout without subject: sign in, or leave the subject out."
    if draft.subject is None:
        return "A policy on payments.stripe_checkout_sessions refused the row: look at its INSERT and SELECT policies."
    kind, ident = draft.subject
    return (
        f"payments.can_bill('{kind}', '{ident}') is not true for this user: it decides who may bill a subject of type"
        f" '{kind}'. An own INSERT policy needs a SELECT policy for the same rows beside it."
    )


async def lease(db: Database, row_id: uuid.UUID, duration: timedelta) -> dict[str, Any] | None:
    """Take over a row whose owner is gone: its `params`, `account_id`, `environment`; None while it is held."""
    with translated():
        return _decoded(await db.fetchval(Q.lease, row_id, duration))


async def finish(
    db: Database,
    environment: str,
    account_id: str,
    row_id: uuid.UUID,
    object_id: str,
    as_of: int,
    payload: str,
    rows: dict[str, Any],
    lock: int,
) -> dict[str, Any] | None:
    """Apply Stripe's answer when nothing else is known yet; None when an event came first."""
    with translated():
        return _decoded(
            await db.fetchval(Q.finish, environment, account_id, row_id, object_id, as_of, payload, _json(rows), lock)
        )


async def select_json(db: Database, row_id: uuid.UUID) -> dict[str, Any] | None:
    """The contract's object, as the service."""
    with translated():
        return _decoded(await db.fetchval(Q.select_json, row_id))


async def fail(db: Database, row_id: uuid.UUID, error: str) -> None:
    """Stripe surely did not create it: this generation is over."""
    with translated():
        await db.execute(Q.fail, row_id, error)


async def release(db: Database, row_id: uuid.UUID, error: str) -> None:
    """The outcome is unknown: the same request may be resumed."""
    with translated():
        await db.execute(Q.release, row_id, error)


async def is_superseded(db: Database, row_id: uuid.UUID) -> bool:
    """Whether the subject has the plan meanwhile: by another session, or by a subscription that was changed to it."""
    with translated():
        return bool(await db.fetchval(Q.superseded, row_id))


async def abandoned(db: Database, environments: list[str], limit: int) -> list[uuid.UUID]:
    """Rows that nobody is taking to Stripe any more; what guests left behind a month ago is removed."""
    with translated():
        await db.execute(Q.give_up)
        await db.execute(Q.forget_guests)
        return [r["id"] for r in await db.fetch(Q.abandoned, environments, limit)]


async def read(db: Database, caller: Caller, environment: str, wanted: str) -> dict[str, Any] | None:
    """One session by row id or cs_ id under the caller's own policies; the id is a guest's capability."""
    row_id = row_id_of(wanted)
    with translated():
        async with db.as_caller(caller) as tx:
            await tx.execute("select set_config('paygres.capability', $1, true)", str(row_id) if row_id else wanted)
            return _decoded(await tx.fetchval(Q.read, environment, row_id, wanted))


def row_id_of(wanted: str) -> uuid.UUID | None:
    """The text as a row's id, or None when it can only be Stripe's."""
    try:
        return uuid.UUID(wanted)
    except ValueError:
        return None
