"""invoice: how it ages, which payment intents pay it, what it says about its payment; its row is the transaction."""

from paygres.server.projections.snapshots import Snapshot, StripeObject, Unreadable, as_id

_STAGES = {"draft": 0, "open": 1, "uncollectible": 2, "paid": 3, "void": 3}
Link = dict[str, object]


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """draft, open, uncollectible (which may still be paid), paid or void; money and attempts only grow."""
    return (
        _STAGES.get(raw.get("status") or "", 0),
        int(raw.get("amount_paid") or 0),
        int(raw.get("attempt_count") or 0),
        int(raw.get("webhooks_delivered_at") is not None),
    )


def check(raw: StripeObject) -> None:
    """Before basil (2025-03-31) there was no `parent`, and payments were told in other fields."""
    if "parent" not in raw:
        raise Unreadable("invoice without parent: rendered by an API version before basil")


def payment_keys(raw: StripeObject) -> tuple[str, ...]:
    """Its own id; the intents that pay it join its family."""
    return (raw["id"], *(str(link["payment_intent_id"]) for link in links(raw)))


def links(raw: StripeObject) -> list[Link]:
    """The intents among its payments, when Stripe included those (`expand[]=payments`)."""
    listed = (raw.get("payments") or {}).get("data") or []
    return [link for payment in listed for link in payment_links({"invoice": raw["id"], **payment})]


def payment_links(payment: StripeObject) -> list[Link]:
    """What one invoice payment says: this intent pays that invoice."""
    intent = as_id((payment.get("payment") or {}).get("payment_intent"))
    invoice = as_id(payment.get("invoice"))
    if intent is None or invoice is None:
        return []
    return [{"payment_intent_id": intent, "invoice_id": invoice, "invoice_payment_id": payment.get("id") or ""}]


def marks(snapshot: Snapshot) -> dict[str, int]:
    """When it was paid by its own account, and when an attempt failed (contract F1, F9)."""
    raw = snapshot.raw
    if snapshot.event_type == "invoice.payment_failed":
        return {"failed_at": snapshot.as_of}
    if raw.get("status") == "paid":
        paid_at = (raw.get("status_transitions") or {}).get("paid_at")
        return {"paid_at": int(paid_at or raw.get("created") or snapshot.as_of)}
    return {}


def subscription_of(raw: StripeObject) -> str | None:
    """The subscription it is for: its parent's, else that of the first line that names one (contract 6.3)."""
    found = as_id(((raw.get("parent") or {}).get("subscription_details") or {}).get("subscription"))
    return found or next((s for line in _lines(raw) if (s := _subscription_of_line(line))), None)


def prices_of(raw: StripeObject) -> list[tuple[str | None, str]]:
    """(product, price) of every line that has one, subscription lines first, without repeats (contract F10)."""
    lines = sorted(_lines(raw), key=lambda line: _subscription_of_line(line) is None)
    found: dict[tuple[str | None, str], None] = {}
    for line in lines:
        details = (line.get("pricing") or {}).get("price_details") or {}
        price = as_id(details.get("price"))
        if price is not None:
            found[as_id(details.get("product")), price] = None
    return list(found)


def row(raw: StripeObject, deleted: bool) -> None:
    """No table of its own."""


def _lines(raw: StripeObject) -> list[StripeObject]:
    return (raw.get("lines") or {}).get("data") or []


def _subscription_of_line(line: StripeObject) -> str | None:
    parent = line.get("parent") or {}
    candidates = (
        line.get("subscription"),
        (parent.get("subscription_item_details") or {}).get("subscription"),
        (parent.get("invoice_item_details") or {}).get("subscription"),
    )
    return next((found for one in candidates if (found := as_id(one))), None)
