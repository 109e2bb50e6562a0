"""Whose an object is: what Paygres makes at Stripe carries the id of its installation in the metadata (decision 11)."""

from paygres.server.projections.snapshots import StripeObject, within

_INSTALLATION = "insforge_installation_id"
# An invoice carries the metadata of its subscription; versions before 2025-03-31 told them beside it.
_PLACES = ((), ("parent", "subscription_details"), ("subscription_details",))


def is_foreign(raw: StripeObject, installation_id: str) -> bool:
    """Stamped by another installation on the same Stripe account, and not by this one. Any other shape is no stamp."""
    found = [within(raw, *place, "metadata").get(_INSTALLATION) for place in _PLACES]
    stamps = [stamp for stamp in found if isinstance(stamp, str) and stamp]
    return bool(stamps) and installation_id not in stamps
