"""customer -> payments.customers."""

from paygres.server.projections.snapshots import StripeObject, as_id


def lifecycle(raw: StripeObject) -> tuple[int, ...]:
    """A customer has no stages; only its chain of updates orders it."""
    return ()


def row(raw: StripeObject, deleted: bool) -> tuple[str, dict[str, object]]:
    """A deleted customer keeps what was known of it (contract F12); so does the card, which events only name (F14)."""
    method = _method(raw)
    brand, last4 = _card(method)
    country = ((raw.get("address") or {}).get("country")) or (
        ((raw.get("shipping") or {}).get("address") or {}).get("country")
    )
    return "customers", {
        "customer_id": raw["id"],
        "email": raw.get("email"),
        "name": raw.get("name"),
        "phone": raw.get("phone"),
        "deleted": deleted,
        "metadata": raw.get("metadata") or {},
        "created": raw.get("created"),
        "payment_method_id": as_id(method),
        "payment_method_brand": brand,
        "payment_method_last4": last4,
        "country_code": country.upper() if isinstance(country, str) and len(country) == 2 else None,
    }


def completes(newest: StripeObject, other: StripeObject) -> bool:
    """The newest telling only names the card that this one tells."""
    named, told = _method(newest), _method(other)
    return isinstance(named, str) and isinstance(told, dict) and told.get("id") == named


def _method(raw: StripeObject) -> object:
    return (raw.get("invoice_settings") or {}).get("default_payment_method") or raw.get("default_source")


def _card(method: object) -> tuple[str | None, str | None]:
    """(brand, last four) of an expanded payment method or older source; (None, None) of a mere id."""
    if not isinstance(method, dict):
        return None, None
    kind = method.get("type") or method.get("object")
    card = method.get("card") or method.get(kind or "") or method
    brand = (card.get("brand") if isinstance(card, dict) else None) or kind
    last4 = card.get("last4") if isinstance(card, dict) else None
    return (str(brand).lower() if brand else None), last4
