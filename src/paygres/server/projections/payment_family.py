"""Everything known about one payment: its settled objects, and what they are to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from paygres.server.projections import invoices
from paygres.server.projections.snapshots import StripeObject

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Member:
    """One settled object about a payment; `as_of` and the marks are Unix seconds, the marks over all its snapshots."""

    object_type: str
    raw: StripeObject
    as_of: int = 0
    paid_at: int | None = None
    failed_at: int | None = None
    refunded_at: int | None = None


@dataclass(frozen=True)
class Family:
    """Everything known about payment `key`. `stands_alone`: Stripe was asked, and it pays no invoice."""

    key: str
    members: Sequence[Member]
    links: Sequence[Row] = ()
    stands_alone: bool = False

    def raws(self, object_type: str) -> list[StripeObject]:
        return [m.raw for m in self.members if m.object_type == object_type]

    @cached_property
    def session(self) -> StripeObject:
        return first(self.raws("checkout.session"))

    @cached_property
    def invoice(self) -> StripeObject:
        return first([raw for raw in self.raws("invoice") if raw["id"] == self.key])

    @cached_property
    def intents(self) -> list[StripeObject]:
        """The one that succeeded first, then the newest."""
        return sorted(
            self.raws("payment_intent"),
            key=lambda i: (i.get("status") == "succeeded", i.get("created") or 0, i["id"]),
            reverse=True,
        )

    @cached_property
    def charges(self) -> list[StripeObject]:
        return sorted(
            self.raws("charge"),
            key=lambda c: (c.get("status") == "succeeded", c.get("created") or 0, c["id"]),
            reverse=True,
        )

    @cached_property
    def intent_ids(self) -> list[str]:
        """Of every intent that pays this, by whatever way we heard of it."""
        told = [link for raw in self.raws("invoice") for link in invoices.links(raw)]
        told += [link for raw in self.raws("invoice_payment") for link in invoices.payment_links(raw)]
        found = {raw["id"] for raw in self.intents}
        found |= {str(link["payment_intent_id"]) for link in (*told, *self.links)}
        return sorted(found)


def first(raws: Sequence[StripeObject]) -> StripeObject:
    """The first of some objects, or an empty one."""
    return raws[0] if raws else {}
