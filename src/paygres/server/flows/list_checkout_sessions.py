"""GET /api/paygres/{environment}/checkout-sessions: pages of sessions for operators."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.flows.requests.checkout_sessions import CheckoutSessionsQuery
from paygres.server.tables import listed_checkout_sessions
from paygres.server.tables.keyset import Page, Place
from paygres.server.tables.listed_checkout_sessions import Wanted


async def list_checkout_sessions(
    db: Database, environment: str, query: CheckoutSessionsQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """A page in the order the query wants."""
    subject = None
    if query.subject_type is not None and query.subject_id is not None:
        subject = (query.subject_type, query.subject_id)
    wanted = Wanted(
        status=query.status,
        mode=query.mode,
        subject=subject,
        customer_id=query.customer_id,
        since=query.since,
        until=query.until,
    )
    oldest_first = query.sort == "created"
    return await listed_checkout_sessions.page(db, environment, wanted, after, limit, oldest_first=oldest_first)
