"""Lists of payments and refunds: the contract's, and pages of it with filters."""

from typing import Any

from paygres.server.db.database import Database
from paygres.server.flows.requests.lists import SubjectLimitQuery, TransactionsQuery, subject_of
from paygres.server.tables import transactions
from paygres.server.tables.keyset import Page, Place
from paygres.server.tables.transactions import Wanted


async def list_transactions(db: Database, environment: str, query: SubjectLimitQuery) -> list[dict[str, Any]]:
    """The contract's transactions (1.6), newest first."""
    page = await transactions.page(db, environment, Wanted(subject=subject_of(query)), None, query.limit)
    return [row["object"] for row in page.rows]


async def page_of_transactions(
    db: Database, environment: str, query: TransactionsQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """The contract's transactions with `amountDisputed`, `amountLost` and what belongs to the same payment."""
    wanted = await _wanted(db, environment, query)
    page = await transactions.page(db, environment, wanted, after, limit, oldest_first=query.sort == "created")
    return Page([{**row["object"], **row["extras"]} for row in page.rows], page.next)


async def _wanted(db: Database, environment: str, query: TransactionsQuery) -> Wanted:
    """`q` is told apart by its look. Any id of a payment finds the payment and its refunds."""
    email, customer_id, object_ids = None, query.customer_id, None
    if query.q is not None:
        if "@" in query.q:
            email = query.q
        elif query.q.startswith("cus_") and customer_id in (None, query.q):
            customer_id = query.q
        else:
            object_ids = await transactions.same_payment(db, environment, query.q)
    return Wanted(
        status=query.status,
        type=query.type,
        subject=subject_of(query),
        customer_id=customer_id,
        currency=query.currency,
        since=query.since,
        until=query.until,
        object_ids=object_ids,
        email=email,
    )
