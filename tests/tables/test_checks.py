"""What the mirrored tables refuse, whoever writes: their CHECKs are by domains, whose names the refusal tells."""

import asyncpg
import pytest

from tests.fresh_database import FreshDatabase

EVENT = {
    "environment": "test",
    "provider": "stripe",
    "provider_event_id": "evt_1",
    "event_type": "customer.created",
    "livemode": False,
    "payload": "{}",
}
TRANSACTION = {
    "environment": "test",
    "provider": "stripe",
    "type": "refund",
    "status": "succeeded",
    "amount": 1,
    "currency": "usd",
    "raw": "{}",
}
SESSION = {"environment": "test", "mode": "payment", "success_url": "https://a", "cancel_url": "https://b"}
CUSTOMER = {"environment": "test", "provider": "stripe", "provider_customer_id": "cus_1", "raw": "{}"}
MAPPING = {
    "environment": "test",
    "provider": "stripe",
    "provider_customer_id": "cus_1",
    "subject_type": "user",
    "subject_id": "u",
}
SUBSCRIPTION = {
    "environment": "test",
    "subscription_id": "sub_1",
    "customer_id": "cus_1",
    "status": "active",
    "raw": "{}",
}
ITEM = {"environment": "test", "subscription_item_id": "si_1", "subscription_id": "sub_1", "raw": "{}"}
ROWS = {
    "webhook_events": EVENT,
    "transactions": TRANSACTION,
    "stripe_checkout_sessions": SESSION,
    "customers": CUSTOMER,
    "customer_mappings": MAPPING,
    "stripe_subscriptions": SUBSCRIPTION,
    "stripe_subscription_items": ITEM,
}
REFUSED = [
    *((table, "environment", "prod", "environment_name") for table in ROWS),
    *((table, "provider", "Stripe!", "provider_name") for table, row in ROWS.items() if "provider" in row),
    ("webhook_events", "processing_status", "done", "processing_status"),
    ("transactions", "type", "gift", "transaction_type"),
    ("transactions", "status", "won", "transaction_status"),
    ("stripe_checkout_sessions", "mode", "setup", "checkout_mode"),
    ("stripe_checkout_sessions", "status", "paid", "checkout_status"),
    ("stripe_checkout_sessions", "payment_status", "later", "checkout_payment_status"),
    ("stripe_checkout_sessions", "line_items", "{}", "stripe_checkout_sessions_check"),
]


async def put(database: FreshDatabase, table: str, row: dict[str, object]) -> None:
    """As the superuser, so that nothing but the table itself refuses; `text` values become what their column is."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        kinds = dict(
            await connection.fetch(
                "select column_name::text, udt_name::text from information_schema.columns"
                " where table_schema = 'payments' and table_name = $1",
                table,
            )
        )
        places = ", ".join(f"${place}::{kinds[name]}" for place, name in enumerate(row, start=1))
        await connection.execute(f"insert into payments.{table} ({', '.join(row)}) values ({places})", *row.values())
    finally:
        await connection.close()


@pytest.mark.parametrize("table", ROWS)
async def test_a_row_of_known_words_is_taken(database: FreshDatabase, table: str) -> None:
    await put(database, table, ROWS[table])


@pytest.mark.parametrize(("table", "column", "word", "named"), REFUSED)
async def test_another_word_is_refused_by_name(
    database: FreshDatabase, table: str, column: str, word: str, named: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=named):
        await put(database, table, {**ROWS[table], column: word})
