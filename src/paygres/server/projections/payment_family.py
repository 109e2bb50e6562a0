"""Everything known about one payment: its settled objects, and what they are to each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from paygres.server.projections import invoices
from paygres.server.projections.snapshots import StripeObject, as_id

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


class Family:
    """Everything known about payment `key`. `stands_alone`: Stripe was asked, and it pays no invoice.

    Of `intents` and `charges` the one that succeeded comes first, then the newest. `intent_ids` are those of every
    intent that pays this, by whatever way we heard of it. Sorted once, because every event about money asks for all.
    """

    __slots__ = ("_by_type", "charges", "intent_ids", "intents", "invoice", "key", "members", "session", "stands_alone")

    def __init__(
        self, key: str, members: Sequence[Member], links: Sequence[Row] = (), *, stands_alone: bool = False
    ) -> None:
        self.key = key
        self.members = members
        self.stands_alone = stands_alone
        self._by_type: dict[str, list[StripeObject]] = {}
        for member in members:
            self._by_type.setdefault(member.object_type, []).append(member.raw)
        self.session = first(self.raws("checkout.session"))
        self.invoice = first([raw for raw in self.raws("invoice") if raw["id"] == key])
        self.intents = _best_first(self.raws("payment_intent"))
        self.charges = _best_first(self.raws("charge"))
        told = [link for raw in self.raws("invoice") for link in invoices.links(raw)]
        told += [link for raw in self.raws("invoice_payment") for link in invoices.payment_links(raw)]
        self.intent_ids = sorted(
            {raw["id"] for raw in self.intents}
            | {intent for raw in self.charges if (intent := as_id(raw.get("payment_intent")))}
            | {one for link in (*told, *links) if (one := str(link["payment_intent_id"])).startswith("pi_")}
        )

    def raws(self, object_type: str) -> list[StripeObject]:
        """The settled objects of one type."""
        return self._by_type.get(object_type, [])


def _best_first(raws: list[StripeObject]) -> list[StripeObject]:
    if len(raws) < 2:
        return raws
    return sorted(raws, key=lambda o: (o.get("status") == "succeeded", o.get("created") or 0, o["id"]), reverse=True)


def first(raws: Sequence[StripeObject]) -> StripeObject:
    """The first of some objects, or an empty one."""
    return raws[0] if raws else {}
