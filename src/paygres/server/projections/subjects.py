"""Whom an object is for: the billing subject stamped into its metadata, and what that proves about its customer."""

from paygres.server.projections.snapshots import StripeObject, as_id, within

Subject = tuple[str, str]


def subject(raw: StripeObject) -> Subject | None:
    """(type, id) from the object's own metadata, or None."""
    metadata = within(raw, "metadata")
    kind, ident = metadata.get("insforge_subject_type"), metadata.get("insforge_subject_id")
    return (kind, ident) if kind and ident else None


def subject_of_invoice(raw: StripeObject) -> Subject | None:
    """That of its subscription (frozen in the invoice when it was finalized), else its own (contract 6.3)."""
    return subject(within(raw, "parent", "subscription_details")) or subject(raw)


def evidence(raw: StripeObject, whose: Subject | None) -> dict[str, object] | None:
    """That `whose` pays as the object's customer. The earliest evidence names the mapping (decision 13)."""
    customer = as_id(raw.get("customer"))
    if whose is None or customer is None:
        return None
    return {
        "subject_type": whose[0],
        "subject_id": whose[1],
        "customer_id": customer,
        "since": raw.get("created") or 0,
        "evidence_id": raw["id"],
    }


def of_session(raw: StripeObject) -> dict[str, object] | None:
    """A session proves it when it is complete."""
    return evidence(raw, subject(raw)) if raw.get("status") == "complete" else None


def of_subscription(raw: StripeObject) -> dict[str, object] | None:
    """A subscription proves it by being there."""
    return evidence(raw, subject(raw))


def of_invoice(raw: StripeObject) -> dict[str, object] | None:
    """An invoice proves it through the metadata of its subscription, or its own."""
    return evidence(raw, subject_of_invoice(raw))
