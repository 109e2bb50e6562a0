"""Open, finish and fail customer portal sessions."""

import uuid
from typing import Any

import orjson

from paygres.server.caller import Caller
from paygres.server.db.database import Database
from paygres.server.errors import InvalidRequest, PermissionDenied
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("customer_portal_sessions")
_RAISED = (
    "payments.can_bill, a policy or a trigger of payments.stripe_customer_portal_sessions raised this; they should"
    " answer for every subject, whatever its id looks like."
)
_REFUSED = "Customer portal session creation is not allowed by payments.stripe_customer_portal_sessions RLS policies"


async def open_session(
    db: Database,
    caller: Caller,
    environment: str,
    account_id: str,
    row_id: uuid.UUID,
    subject: tuple[str, str],
    return_url: str | None,
    configuration: str | None,
    unmapped: str,
) -> str | None:
    """Insert the row as the caller; the customer its subject maps to, or None: the row failed with `unmapped`.

    Raises PermissionDenied when row-level security refuses; nothing is stored then.
    """
    try:
        with translated():
            return await db.fetchval(
                Q.open,
                caller.role,
                caller.claims,
                caller.sub if caller.role == "authenticated" else None,
                caller.scope(subject),
                row_id,
                environment,
                account_id,
                *subject,
                return_url,
                configuration,
                unmapped,
            )
    except PermissionDenied:
        raise PermissionDenied(_REFUSED, next_actions=_explanation(subject)) from None
    except InvalidRequest as error:
        raise InvalidRequest(error.message, code=error.code, next_actions=_RAISED) from error


def _explanation(subject: tuple[str, str]) -> str:
    kind, ident = subject
    return (
        f"payments.can_bill('{kind}', '{ident}') is not true for this user: it decides who may open the portal of a"
        f" subject of type '{kind}'. Your own INSERT policies on payments.stripe_customer_portal_sessions do, too."
    )


async def finish(db: Database, row_id: uuid.UUID, customer_id: str, url: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Keep Stripe's answer; the contract's object."""
    with translated():
        return orjson.loads(await db.fetchval(Q.finish, row_id, customer_id, url, orjson.dumps(raw).decode()))


async def fail(db: Database, row_id: uuid.UUID, error: str) -> None:
    """It came to nothing; `error` is what the caller was told."""
    with translated():
        await db.execute(Q.fail, row_id, error)


async def give_up(db: Database) -> None:
    """End the rows whose process died while Stripe was asked."""
    with translated():
        await db.execute(Q.give_up)
