"""What was given for which money, for operators: page by page, and one."""

import uuid
from typing import Any

from paygres.server.db.database import Database
from paygres.server.errors import NotFound
from paygres.server.flows.requests.fulfillments import FulfillmentsQuery
from paygres.server.flows.requests.lists import subject_of
from paygres.server.tables import fulfillments
from paygres.server.tables.fulfillments import Wanted
from paygres.server.tables.keyset import Page, Place


async def list_fulfillments(
    db: Database, environment: str, query: FulfillmentsQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """A page."""
    wanted = Wanted(
        status=query.status,
        rule=query.rule,
        key=query.key,
        subject=subject_of(query),
        payment=query.payment,
        since=query.since,
        until=query.until,
    )
    return await fulfillments.page(db, environment, wanted, after, limit, oldest_first=query.sort == "created")


async def read_fulfillment(db: Database, environment: str, fulfillment_id: str) -> dict[str, Any]:
    """One; raises NotFound."""
    try:
        wanted = uuid.UUID(fulfillment_id)
    except ValueError:
        raise unknown(fulfillment_id) from None
    found = await fulfillments.select_one(db, environment, wanted)
    if found is None:
        raise unknown(fulfillment_id)
    return found


def unknown(fulfillment_id: str) -> NotFound:
    return NotFound(
        f"Fulfillment not found: {fulfillment_id}",
        code="FULFILLMENT_NOT_FOUND",
        next_actions="GET …/fulfillments lists them; the environment is part of the path.",
    )
