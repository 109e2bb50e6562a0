"""Lists of customers with what they paid: the contract's, and pages of it with filters."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.flows.requests.lists import CustomersQuery, LimitQuery
from paygres.server.tables import customers
from paygres.server.tables.customers import Wanted
from paygres.server.tables.keyset import Page, Place


async def list_customers(db: Database, environment: str, query: LimitQuery) -> list[dict[str, Any]]:
    """The contract's customers (1.6): deleted ones last, by e-mail, name or id."""
    return await customers.alphabetical(db, environment, query.limit)


async def page_of_customers(
    db: Database, environment: str, query: CustomersQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """The contract's customers with the subject they pay for."""
    wanted = Wanted(
        email=query.email,
        email_begins=query.email_begins,
        deleted=query.deleted,
        since=query.since,
        until=query.until,
    )
    page = await customers.page(db, environment, wanted, after, limit, oldest_first=query.sort == "created")
    return Page([{**row["object"], **row["extras"]} for row in page.rows], page.next)
