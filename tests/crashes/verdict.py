"""What must hold after the storm, and the undisturbed run it is compared with."""

import asyncio
import io
import itertools
import time
from collections import Counter
from typing import Any

import asyncpg
import orjson

from tests.crashes.buyers import Buyers
from tests.crashes.programs import Program
from tests.crashes.stage import SECRET, Stage, at
from tests.flows.webhooks import ROUTE, signed
from tests.mirror import digest

CALM = "calm"
PAID = ("paid", "no_payment_required")
MOST_TOLD = 5
# A checkout's rows as `reserve` leaves them; a lease keeps the worker of the undisturbed run from asking Stripe.
RESERVED = {
    "stripe_checkout_sessions": (
        "id, environment, account_id, mode, subject_type, subject_id, customer_email, line_items, success_url,"
        " cancel_url, idempotency_key, request_hash, metadata, created_by, caller_scope, generation,"
        " 'initialized' as status"
    ),
    "checkout_attempts": "id, params, now() + interval '1 day' as leased_until",
}
# Which snapshot of several that say the same was believed: an object that was read at Stripe in between is known by
# that read, and in the undisturbed run by its event. For the same reason only whether it was paid, failed, refunded is
# compared: the second in which somebody first or last said so may be a read's.
NOT_COMPARED = ("as_of", "source", "event_id")
MARKS = ("paid_at", "failed_at", "refunded_at")
# Told by reads, never by an event: an invoice's payments, and how many invoices a customer has had.
ONLY_READ = ("payments", "next_invoice_sequence")
AT_ONCE = """
update payments.refetch_queue set next_attempt_at = now() where leased_until is null;
update payments.event_queue set next_attempt_at = now() where leased_until is null and next_attempt_at > now();
"""
LEFT = "select (select count(*) from payments.event_queue) + (select count(*) from payments.refetch_queue) as left"


async def compare(stage: Stage, buyers: Buyers, faults: list[str], figures: dict[str, object]) -> None:
    """Adds a sentence to `faults` for everything that is not as it should be."""
    sessions = await stage.listed("/v1/checkout/sessions")
    events = await _events(stage)
    for program in (stage.server, stage.worker, *stage.beside):
        await program.end()
    await _every_event_once(stage, events, faults)
    await _one_checkout_an_order(stage, sessions, buyers.orders, faults)
    await _one_grant_a_payment(stage, sessions, faults, figures)
    statuses = await _undisturbed(stage, [body for _, body in events])
    figures["events at Stripe"] = len(events)
    if refused := {status: count for status, count in statuses.items() if status != 200}:
        faults.append(f"the undisturbed run was answered {refused}")
    stormy, calm = [await _digest(stage, name) for name in ("paygres", CALM)]
    figures["rows compared"] = sum(len(rows) for rows in stormy.values())
    for table in stormy:
        faults += [f"{table}: {told}" for told in _differences(stormy[table], calm[table])]


async def missing(stage: Stage) -> list[str]:
    """Events that the ledger does not have."""
    stored = await stage.rows("select event_id from payments.stripe_snapshots where source = 'event'")
    known = {row["event_id"] for row in stored}
    return [id for id, _ in await _events(stage) if id not in known]


async def _events(stage: Stage) -> list[tuple[str, dict[str, Any]]]:
    """What Stripe was to deliver to us, oldest first."""
    (endpoint,) = await stage.listed("/v1/webhook_endpoints")
    wanted = set(endpoint["enabled_events"])
    listed = await stage.listed("/v1/events")
    return [(e["id"], e) for e in listed if e["type"] in wanted and e["id"] not in stage.before]


async def _every_event_once(stage: Stage, events: list[tuple[str, dict[str, Any]]], faults: list[str]) -> None:
    stored = Counter(
        {
            row["event_id"]: row["times"]
            for row in await stage.rows(
                "select event_id, count(*) as times from payments.stripe_snapshots where source = 'event' group by 1"
            )
        }
    )
    done = {
        row["provider_event_id"]
        for row in await stage.rows(
            "select provider_event_id from payments.webhook_events where processing_status in ('processed', 'ignored')"
        )
    }
    lost = [id for id, _ in events if stored[id] != 1]
    undone = [id for id, _ in events if stored[id] == 1 and id not in done]
    if lost:
        faults.append(f"lost: {len(lost)} of {len(events)} events, {lost[:MOST_TOLD]}")
    if undone:
        faults.append(f"never applied: {len(undone)} of {len(events)} events, {undone[:MOST_TOLD]}")


async def _one_checkout_an_order(
    stage: Stage, sessions: list[dict[str, Any]], orders: list[str], faults: list[str]
) -> None:
    at_stripe = Counter(session["metadata"]["order_id"] for session in sessions)
    rows = await stage.rows(
        "select metadata ->> 'order_id' as order_id, checkout_session_id, status, payment_status"
        " from payments.stripe_checkout_sessions"
    )
    here = Counter(row["order_id"] for row in rows)
    for place, found in (("at Stripe", at_stripe), ("in our table", here)):
        if odd := {order: found[order] for order in {*orders, *found} if found[order] != 1}:
            faults.append(f"checkouts {place} that are not one an order: {dict(list(odd.items())[:MOST_TOLD])}")
    told = {row["checkout_session_id"]: (row["status"], row["payment_status"]) for row in rows}
    names = {"complete": "completed", "open": "open", "expired": "expired"}
    true = {session["id"]: (names[session["status"]], session["payment_status"]) for session in sessions}
    if wrong := {id: (told.get(id), state) for id, state in true.items() if told.get(id) != state}:
        faults.append(f"checkouts whose state is not Stripe's: {dict(list(wrong.items())[:MOST_TOLD])}")


async def _one_grant_a_payment(
    stage: Stage, sessions: list[dict[str, Any]], faults: list[str], figures: dict[str, object]
) -> None:
    paid = Counter(s["metadata"]["order_id"] for s in sessions if s["payment_status"] in PAID)
    tables = {
        "grants": "select order_id from public.grants",
        "orders marked paid": "select id as order_id from public.orders where status = 'paid'",
        "fulfillments": "select key as order_id from payments.fulfillments where status = 'granted'",
    }
    figures["payments"] = paid.total()
    for name, statement in tables.items():
        given = Counter(row["order_id"] for row in await stage.rows(statement))
        figures[name] = given.total()
        if given != paid:
            twice = sorted(order for order, count in given.items() if count > 1)
            unpaid, missing = sorted(given.keys() - paid.keys()), sorted(paid.keys() - given.keys())
            faults.append(
                f"{name} are not payments: {given.total()} for {paid.total()}; more than once {twice[:MOST_TOLD]},"
                f" unpaid {unpaid[:MOST_TOLD]}, missing {missing[:MOST_TOLD]}"
            )


async def _undisturbed(stage: Stage, events: list[dict[str, Any]]) -> Counter[int]:
    """Every event once, in order, to a copy of the database as it was before the first buyer came."""
    await _copy_checkouts(stage)
    await stage.rows(f"alter database {CALM} set synchronous_commit = off", database="postgres")  # nobody dies here
    own = {
        "DATABASE_URL": at(stage.cluster.urls.server, CALM),
        "PAYGRES_LIMITS": "off",
    }  # in a hurry, as nobody else is
    direct = {**stage.environments["server"], **own}
    server = Program("calm-server", ["paygres.server", "serve", "--no-worker"], direct, stage.folder)
    worker = Program("calm-worker", ["paygres.server", "worker"], direct, stage.folder)
    statuses: Counter[int] = Counter()
    try:
        server.start()
        await server.listens(stage.port)
        for event in events:
            payload = orjson.dumps(event)
            answer = await stage.api.post(ROUTE, content=payload, headers=signed(payload, secret=SECRET))
            statuses[answer.status_code] += 1
        worker.start()
        give_up = time.monotonic() + 60 + len(events) / 100
        while (await stage.rows(LEFT, database=CALM))[0]["left"]:
            assert time.monotonic() < give_up, worker.last_words()
            await stage.force(AT_ONCE, CALM)
            await asyncio.sleep(0.1)
    finally:
        await worker.end()
        await server.end()
    return statuses


async def _copy_checkouts(stage: Stage) -> None:
    """Checkouts are our own doing, no event's: the undisturbed run begins with all of them reserved."""
    source = await asyncpg.connect(stage.cluster.urls.superuser)
    target = await asyncpg.connect(at(stage.cluster.urls.superuser, CALM))
    await target.execute("set session_replication_role = replica; alter sequence public.stumbles increment 12")
    for table, wanted in RESERVED.items():
        held = io.BytesIO()
        await source.copy_from_query(f"select {wanted} from payments.{table}", output=held)
        held.seek(0)
        columns = [one.split()[-1] for one in wanted.split(", ")]
        await target.copy_to_table(table, schema_name="payments", columns=columns, source=held)
    await source.close()
    await target.close()


async def _digest(stage: Stage, database: str) -> dict[str, list[dict[str, Any]]]:
    """The mirror's digest, less which snapshot of several that say the same was believed: an object that was read at
    Stripe in between is known by that read, in the undisturbed run by its event."""
    found: dict[str, list[dict[str, Any]]] = await digest(at(stage.cluster.urls.superuser, database))  # type: ignore[assignment]
    for row in found["stripe_objects"]:
        for column in NOT_COMPARED:
            del row[column]
    for row in itertools.chain(*found.values()):
        row.update({mark: row[mark] is not None for mark in MARKS if mark in row})
        if isinstance(raw := row.get("raw"), dict):
            for name in ONLY_READ:
                raw.pop(name, None)
    marked = await stage.rows(
        "select provider_event_id, event_type, object_id, processing_status from payments.webhook_events",
        database=database,
    )
    found["webhook_events"] = [row for row in marked if row["provider_event_id"] not in stage.before]
    found["fulfillments"] = await stage.rows(
        "select rule, payment_key, key, status, amount, currency, amount_paid, amount_kept from payments.fulfillments",
        database=database,
    )
    return found


def _differences(stormy: list[dict[str, Any]], calm: list[dict[str, Any]]) -> list[str]:
    """How many rows only one of them has, and in what the first few of them differ from their likeness."""
    one, other = ({orjson.dumps(r, option=orjson.OPT_SORT_KEYS, default=str) for r in rows} for rows in (stormy, calm))
    if one == other and len(stormy) == len(calm):
        return []
    ours, theirs = [[orjson.loads(row) for row in sorted(rows)] for rows in (one - other, other - one)]
    told = [f"{len(ours)} rows after the storm differ from {len(theirs)} undisturbed ones"]
    for row in ours[:MOST_TOLD]:
        likeness = max(theirs, key=lambda their: sum(row[name] == their[name] for name in row), default=None)
        if likeness is None:
            told.append(f"only after the storm: {str(row)[:800]}")
        else:
            parts = {name: (row[name], likeness[name]) for name in row if row[name] != likeness[name]}
            told.append("; ".join(f"{name}: {_apart(*values)}" for name, values in parts.items()) + f" in {_id(row)}")
    return told + [f"only undisturbed: {str(row)[:800]}" for row in theirs[:MOST_TOLD] if not ours]


def _apart(one: Any, other: Any) -> str:
    """Two values; of objects only the members that differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
        return "{" + ", ".join(f"{name}: {_apart(one.get(name), other.get(name))}" for name in names) + "}"
    return f"{str(one)[:200]} after the storm, {str(other)[:200]} undisturbed"


def _id(row: dict[str, Any]) -> str:
    return ", ".join(str(value) for name, value in row.items() if name.endswith("_id") and value)[:200]
