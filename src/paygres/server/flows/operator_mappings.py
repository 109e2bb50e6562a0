"""Customer mappings for operators: listed, set and withdrawn; and the list of what needs their attention."""

import uuid
from typing import Any

from paygres.server import errors
from paygres.server.flows.operator import Operator, record
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.mappings import AttentionQuery, MappingsQuery
from paygres.server.tables import mappings
from paygres.server.tables.keyset import Page, Place


async def list_mappings(
    parts: Parts, environment: str, query: MappingsQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """A page, newest first."""
    account_id = (await parts.connections.webhook(environment)).account_id
    subject = None
    if query.subject_type is not None and query.subject_id is not None:
        subject = (query.subject_type, query.subject_id)
    created = (query.since, query.until)
    return await mappings.page_of_mappings(
        parts.db, environment, account_id, after, limit, subject, query.customer_id, created
    )


async def list_attention(
    parts: Parts, environment: str, query: AttentionQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """A page, newest first."""
    account_id = (await parts.connections.webhook(environment)).account_id
    opened = (query.since, query.until)
    return await mappings.page_of_attention(
        parts.db, environment, account_id, after, limit, query.open, query.reason, opened
    )


async def set_mapping(
    parts: Parts, environment: str, subject: tuple[str, str], customer_id: str, operator: Operator
) -> None:
    """The subject pays as this customer from now on, whoever did before. Raises NotFound for an unknown customer."""
    account_id = (await parts.connections.webhook(environment)).account_id
    if not await mappings.customer_is_known(parts.db, environment, account_id, customer_id):
        raise errors.NotFound(
            f"No customer {customer_id} is known in {environment}",
            code="PAYMENT_NOT_FOUND",
            next_actions="Sync the environment if the customer was made at Stripe just now.",
        )
    async with parts.db.as_service() as tx:
        await mappings.set_mapping(tx, environment, account_id, subject, customer_id)
        await record(tx, operator, "mapping.set", environment, ":".join(subject), {"customerId": customer_id})


async def unset_mapping(parts: Parts, environment: str, subject: tuple[str, str], operator: Operator) -> None:
    """Withdraw an operator's word; what was paid decides again. Raises NotFound when there is none."""
    account_id = (await parts.connections.webhook(environment)).account_id
    async with parts.db.as_service() as tx:
        if not await mappings.unset_mapping(tx, environment, account_id, subject):
            raise errors.NotFound(
                "No operator has set a customer for this subject",
                code="PAYMENT_NOT_FOUND",
                next_actions="A mapping that follows from a payment can be replaced (PUT), not removed.",
            )
        await record(tx, operator, "mapping.unset", environment, ":".join(subject), {})


async def dismiss_notice(parts: Parts, environment: str, notice_id: uuid.UUID, operator: Operator) -> None:
    """Close what needs attention. Raises NotFound when it is not open."""
    async with parts.db.as_service() as tx:
        if not await mappings.dismiss(tx, environment, notice_id):
            raise errors.NotFound("No such open notice", code="PAYMENT_NOT_FOUND")
        await record(tx, operator, "attention.dismiss", environment, str(notice_id), {})
