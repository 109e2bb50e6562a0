"""What the database says, without row ids and our own clocks: two equal digests are the same state."""

import asyncpg
import orjson

TABLES = {
    "stripe_checkout_sessions": "environment, id, status, payment_status, checkout_session_id, customer_id,"
    " payment_intent_id, subscription_id, url, currency, amount_subtotal, raw, last_error",
    "transactions": "*",
    "customers": "*",
    "customer_mappings": "*",
    "subject_customers": "*",
    "stripe_products": "*",
    "stripe_prices": "*",
    "stripe_subscriptions": "*",
    "stripe_subscription_items": "*",
    "payment_invoices": "*",
    "stripe_objects": "*",
    "attention": "environment, account_id, reason, object_type, object_id, subject_type, subject_id, details",
}
ONLY = {"attention": "where closed_at is null"}
_CLOCKS = "- 'id' - 'created_at' - 'updated_at' - 'synced_at'"


async def digest(url: str) -> dict[str, list[object]]:
    """Every mirrored row, table by table, in an order of its own content."""
    connection = await asyncpg.connect(url)
    try:
        found: dict[str, list[object]] = {}
        for table, columns in TABLES.items():
            keep_id = "" if table != "stripe_checkout_sessions" else "|| jsonb_build_object('id', t.id)"
            rows = await connection.fetch(
                f"select (to_jsonb(t) {_CLOCKS} {keep_id})::text as row"
                f" from (select {columns} from payments.{table} {ONLY.get(table, '')}) t order by 1"
            )
            found[table] = [orjson.loads(r["row"]) for r in rows]
        return found
    finally:
        await connection.close()
