"""Who may do what on which table (contract 2.2), proved by real statements in each role."""

from itertools import product

import asyncpg
import pytest

READ, SESSION = frozenset({"select"}), frozenset({"select", "insert"})
HOOKED, KEPT = frozenset({"select", "update"}), frozenset({"select", "insert", "update"})
ALL = frozenset({"select", "insert", "update", "delete"})
MIRRORS = (
    "provider_connections",
    "stripe_products",
    "stripe_prices",
    "customer_mappings",
    "stripe_subscriptions",
    "stripe_subscription_items",
    "transactions",
)
SESSIONS = ("stripe_checkout_sessions", "stripe_customer_portal_sessions")
HOOKS = ("webhook_events", "customers")
# set through routes or by the worker, read by admins
OURS = (
    "checkout_options",
    "syncs",
    "sweeps",
    "invariant_checks",
    "reconciliations",
    "reconciliation_findings",
    "listeners",
    "destinations",
)
PRIVATE = (
    "checkout_attempts",
    "stripe_objects",
    "event_queue",
    "refetch_queue",
    "subject_customers",
    "payment_invoices",
    "guest_counts",
    "sync_windows",
    "chain_gaps",
    "reversal_queue",
    "outbox",
    "reconciliation_objects",
)
FOREIGN = ("auth.users", "system.secrets", "system.api_keys", "system.sign_ins", "system.sign_in_counts")
ROLES = ("anon", "authenticated", "project_admin", "payments_trigger", "paygres_service")

# role -> table -> what it may do; everything that is not here is denied.
MAY: dict[str, dict[str, frozenset[str]]] = {
    "anon": dict.fromkeys(SESSIONS, SESSION),
    "authenticated": dict.fromkeys(SESSIONS, SESSION),
    "project_admin": {
        **dict.fromkeys((*MIRRORS, *OURS, "attention", "operator_requests"), READ),
        **dict.fromkeys(SESSIONS, SESSION | {"trigger"}),
        **dict.fromkeys((*HOOKS, "fulfillments"), READ | {"trigger"}),
    },
    "payments_trigger": {
        **dict.fromkeys((*MIRRORS, "attention"), READ),
        **dict.fromkeys(SESSIONS, HOOKED),
        **dict.fromkeys((*HOOKS, "fulfillments"), KEPT),
    },
    "paygres_service": {
        **dict.fromkeys((*MIRRORS, *OURS, *SESSIONS, *HOOKS, *PRIVATE, *FOREIGN, "attention"), ALL),
        "operator_requests": KEPT,
        "fulfillments": READ | {"delete"},  # of one that gave nothing, when two turn out to be one payment
        "system.audit_log": SESSION,
        "stripe_snapshots": SESSION,  # append-only, even for us
        "event_renderings": SESSION,
        "event_attempts": SESSION,
        "system.installation": READ,
        "system.migrations": READ,
    },
}
TABLES = (
    *MIRRORS,
    *OURS,
    *SESSIONS,
    *HOOKS,
    *PRIVATE,
    *FOREIGN,
    "attention",
    "fulfillments",
    "operator_requests",
    "stripe_snapshots",
    "event_renderings",
    "event_attempts",
    "system.audit_log",
    "system.installation",
    "system.migrations",
)
STATEMENTS = {
    "select": "select from {table} where false",
    "insert": "insert into {table} default values",
    "update": "update {table} set {column} = {column} where false",
    "delete": "delete from {table} where false",
    "truncate": "truncate {table}",
    "trigger": (
        "create trigger mine before update on {table}"
        " for each row execute function pg_catalog.suppress_redundant_updates_trigger()"
    ),
}
CASES = list(product(ROLES, TABLES))


@pytest.fixture(params=CASES, ids=[f"{role}-{table}" for role, table in CASES])
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


async def test_a_role_may_do_exactly_this_on_a_table(transaction: asyncpg.Connection, case: tuple[str, str]) -> None:
    role, table = case
    allowed = MAY[role].get(table, frozenset())
    named = table if "." in table else f"payments.{table}"
    column = await transaction.fetchval(
        "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0"
        " and attidentity = '' and attname <> 'id' order by attnum limit 1",
        named,
    )
    await transaction.execute(f"set local role {role}")
    denied = {p for p in STATEMENTS if p not in allowed}
    for privilege in sorted(denied):
        assert await refusal(transaction, privilege, named, column) is not None, privilege
    for privilege in sorted(allowed):
        assert await refusal(transaction, privilege, named, column) is None, privilege


async def refusal(connection: asyncpg.Connection, privilege: str, table: str, column: str) -> str | None:
    """PostgreSQL's denial of the privilege; None when it was not for want of one that the statement failed."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        await connection.execute(STATEMENTS[privilege].format(table=table, column=column))
    except asyncpg.InsufficientPrivilegeError as error:
        return None if "row-level security" in str(error) else str(error)
    except asyncpg.IntegrityConstraintViolationError:
        return None  # INSERT without values got as far as the constraints
    finally:
        await savepoint.rollback()
    return None


async def test_the_matrix_names_every_table(transaction: asyncpg.Connection) -> None:
    found = await transaction.fetch(
        "select case schemaname when 'payments' then '' else schemaname || '.' end || tablename as name"
        " from pg_tables where schemaname in ('payments', 'auth', 'system')"
    )
    assert sorted(r["name"] for r in found) == sorted(TABLES)


@pytest.mark.parametrize("role", ROLES)
async def test_no_caller_can_create_anything_in_our_schemas(transaction: asyncpg.Connection, role: str) -> None:
    await transaction.execute(f"set local role {role}")
    for schema in ("payments", "auth", "system"):
        savepoint = transaction.transaction()
        await savepoint.start()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await transaction.execute(f"create table {schema}.mine (id int)")
        await savepoint.rollback()
