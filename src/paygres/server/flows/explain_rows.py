"""The rows as they are now, each once, with the number of the step it stands on: the telling its object was settled
from, for a payment the newest of all its members'."""

from collections.abc import Sequence
from typing import Any

from paygres.server.flows.explain_steps import Step
from paygres.server.tables.event_effects import Concerned
from paygres.server.tables.timeline import Records

# What in a row's key or columns names the object it shows.
_SHOWS = (
    "objectId",
    "checkoutSessionId",
    "subscriptionId",
    "providerCustomerId",
    "productId",
    "priceId",
)
_WAITS = "payments.refetch_queue"  # work to do, not a fact


def rows_now(rows: Sequence[Concerned], records: Records, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """`{table, key, now, step}`, in the order of the steps; `step` is null for a row that no step explains."""
    number = {step.seq: n for n, step in enumerate(steps, 1) if step.seq is not None}
    settled = _settled_steps(records, number)
    payments = _payment_steps(records, settled)
    checkouts = {step.content["id"]: n for n, step in enumerate(steps, 1) if step.kind == "checkout"}
    evidence = {(e["subject_type"], e["subject_id"], e["customer_id"]): e["evidence_id"] for e in records.evidence}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row.table == _WAITS:
            continue
        if row.table == "payments.transactions":
            step = payments.get(row.key["objectId"]) or settled.get(row.key["objectId"])
        elif row.table == "payments.customer_mappings":
            customer = row.summary["providerCustomerId"]
            proof = evidence.get((row.key["subjectType"], row.key["subjectId"], customer))
            step = settled.get(proof or "")
        elif row.table == "payments.stripe_checkout_sessions":
            step = settled.get(row.summary["checkoutSessionId"] or "") or checkouts.get(row.key["id"])
        else:
            told = {**row.summary, **row.key}
            step = next((settled[told[name]] for name in _SHOWS if told.get(name) in settled), None)
        found[row.table, repr(sorted(row.key.items()))] = _row(row.table, row.key, row.summary, step)
    for n, step in enumerate(steps, 1):  # the later step of a fulfillment is what it stands on
        if step.fulfillment_id is not None:
            content = next(s.content for s in steps if s.fulfillment_id == step.fulfillment_id)
            now = {name: content[name] for name in ("status", "rule", "key", "amountPaid", "amountKept")}
            name = ("payments.fulfillments", step.fulfillment_id)
            found[name] = _row(name[0], {"id": step.fulfillment_id}, now, n)
    return sorted(found.values(), key=lambda row: (row["step"] or 0, row["table"], repr(row["key"])))


def _row(table: str, key: dict[str, Any], now: dict[str, Any], step: int | None) -> dict[str, Any]:
    return {"table": table, "key": key, "now": now, "step": step}


def _settled_steps(records: Records, number: dict[int, int]) -> dict[str, int]:
    """Object id to the step of the telling it was settled from."""
    by_event = {one["event_id"]: one["seq"] for one in records.tellings if one["event_id"] is not None}
    by_read: dict[tuple[str, str, int], int] = {}
    for one in records.tellings:
        if one["source"] == "api":
            by_read.setdefault((one["object_type"], one["object_id"], one["as_of"]), one["seq"])
    found: dict[str, int] = {}
    for one in records.settled:
        if one["source"] == "event":
            seq = by_event.get(one["event_id"])
        else:
            seq = by_read.get((one["object_type"], one["object_id"], one["as_of"]))
        if seq in number:
            found[one["object_id"]] = number[seq]
    return found


def _payment_steps(records: Records, settled: dict[str, int]) -> dict[str, int]:
    """Every name of a payment to the step after which all of its members were as they are."""
    invoice_of = {one["payment_intent_id"]: one["invoice_id"] for one in records.links if one["invoice_id"]}
    newest: dict[str, int] = {}
    for one in records.settled:
        key, step = one["payment_key"], settled.get(one["object_id"])
        if key is not None and step is not None:
            newest[key] = max(newest.get(key, 0), step)
    names = {intent: newest[invoice] for intent, invoice in invoice_of.items() if invoice in newest}
    refunds = {
        one["object_id"]: newest[one["payment_key"]]
        for one in records.settled
        if one["object_type"] == "refund" and one["payment_key"] in newest
    }
    return {**newest, **names, **refunds}
