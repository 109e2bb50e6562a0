"""Lists of subscriptions with their items: the contract's, and pages of it with filters."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.flows.requests.lists import SubjectLimitQuery, SubscriptionsQuery, subject_of
from paygres.server.tables import subscriptions
from paygres.server.tables.keyset import Page, Place
from paygres.server.tables.subscriptions import Wanted


async def list_subscriptions(db: Database, environment: str, query: SubjectLimitQuery) -> list[dict[str, Any]]:
    """The contract's subscriptions (1.6), those that changed last first."""
    return await subscriptions.recent(db, environment, query.limit, subject_of(query))


async def page_of_subscriptions(
    db: Database, environment: str, query: SubscriptionsQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """The contract's subscriptions with `startedAt`, by which they are sorted."""
    wanted = Wanted(
        status=query.status,
        subject=subject_of(query),
        customer_id=query.customer_id,
        price_id=query.price_id,
        since=query.since,
        until=query.until,
    )
    page = await subscriptions.page(db, environment, wanted, after, limit, oldest_first=query.sort == "created")
    return Page([{**row["object"], **row["extras"]} for row in page.rows], page.next)
