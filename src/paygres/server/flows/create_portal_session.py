"""POST customer-portal-sessions: the row as the caller, the session at Stripe with nothing held, then its end.

Every call makes a new row and a new link; whatever goes wrong is written on the row (contract 4).
"""

import contextlib
import uuid
from typing import Any

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import (
    Authentication,
    NotConfigured,
    NotFound,
    PaygresError,
    PermissionDenied,
    Unavailable,
    Upstream,
)
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.customer_portal_sessions import CustomerPortalRequest
from paygres.server.flows.return_origins import check_return_urls
from paygres.server.tables import customer_portal_sessions

UNMAPPED = "No Stripe customer is mapped to this billing subject"


async def create_portal_session(
    parts: Parts, caller: Caller, environment: str, request: CustomerPortalRequest
) -> dict[str, Any]:
    """The contract's CustomerPortalSession, whose `url` works for a few minutes.

    Raises Authentication (guests), PermissionDenied (row-level security), NotFound (nobody paid for this subject yet),
    NotConfigured, Upstream or RateLimit (Stripe), Unavailable (the account was changed meanwhile).
    """
    if caller.role == "anon":
        raise Authentication("Customer portal sessions require an authenticated user")
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported customer portal role")
    connection, problem = None, None
    try:
        connection = await parts.connections.current(environment)
        account_id = connection.account_id
        check_return_urls(parts, environment, {"returnUrl": request.return_url})
    except NotConfigured as error:  # told only after the policies and the mapping were asked (contract 4)
        problem = error
        account_id = (await parts.connections.webhook(environment)).account_id
    row_id = uuid.uuid4()
    customer = await customer_portal_sessions.open_session(
        parts.db,
        caller,
        environment,
        account_id,
        row_id,
        (request.subject.type, request.subject.id),
        request.return_url,
        request.configuration,
        UNMAPPED,
    )
    if customer is None:
        raise NotFound(
            UNMAPPED,
            code="PAYMENT_NOT_FOUND",
            next_actions="A subject has a customer once one of its checkouts was completed in this environment.",
        )
    try:
        if connection is None:
            raise problem or NotConfigured("not configured")
        url, raw = await _ask_stripe(parts, connection, row_id, customer, request)
        return await customer_portal_sessions.finish(parts.db, row_id, customer, url, raw)
    except PaygresError as error:
        with contextlib.suppress(PaygresError):  # what went wrong first is what the caller needs
            await customer_portal_sessions.fail(parts.db, row_id, error.message)
        raise


async def give_up_portal_sessions(parts: Parts) -> int:
    """The worker's: rows whose process died while Stripe was asked."""
    await customer_portal_sessions.give_up(parts.db)
    return 0


async def _ask_stripe(
    parts: Parts, connection: Connection, row_id: uuid.UUID, customer: str, request: CustomerPortalRequest
) -> tuple[str, dict[str, Any]]:
    params = {"customer": customer, "return_url": request.return_url, "configuration": request.configuration}
    answer = await parts.gateway.request(
        connection.stripe_key,
        "post",
        "/v1/billing_portal/sessions",
        {name: value for name, value in params.items() if value is not None},
        idempotency_key=f"insforge:{connection.environment}:customer_portal_session:{row_id}",
        priority="portal",
    )
    url = answer.object.get("url")
    if not url:
        raise Upstream("Stripe did not return a customer portal URL", definite=True)
    if (await parts.connections.current(connection.environment)).account_id != connection.account_id:
        raise Unavailable("The Stripe account was changed meanwhile; try again")
    return url, answer.object
