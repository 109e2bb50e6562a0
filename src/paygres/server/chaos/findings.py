"""What is wrong, in words: the kinds of findings and what to do about each."""

from dataclasses import dataclass, field
from typing import Any

from paygres.server.chaos.stage import Failure, Order
from paygres.server.chaos.state import Change

HINTS = {
    "failing": "The event is tried again for two days and then waits for an operator. Make a repeat harmless (on"
    " conflict do nothing), and grant payments_trigger what the trigger needs.",
    "order_dependent": "Events arrive in any order. Write a status only forward, or take it from the settled tables of"
    " schema payments instead of the event.",
    "double_grant": "Events come again and tell the same money twice. Ask payments.fulfill(…), which is true once for a"
    " payment, or key the grant by the payment and not by the event.",
    "unpaid_grant": "No money came. Look at payment_status (paid, no_payment_required), or ask payments.fulfill(…).",
    "lost_async_success": "The money came days later. Listen to checkout.session.async_payment_succeeded as well.",
    "mispriced_grant": "The buyer chooses price and metadata. Compare amount, currency and price with the order's own;"
    " payments.fulfill(…) does.",
    "nothing_granted": "A paid purchase changes no table. Triggers for inserts alone never see `processed`: use after"
    " update, and check --metadata, --subject and --price against the rows of --setup.",
    "kept_after_return": "The money went back, or the subscription ended, and nothing is taken back. Put a trigger on"
    " payments.fulfillments (after update of amount_kept).",
    "free_purchase_ignored": "A purchase that cost nothing (a coupon for all of it) gives nothing: payment_status is"
    " no_payment_required then.",
    "granted_for_each_payment": "Two payments with the same metadata are granted twice. If it names one order, pass it"
    " as the key of payments.fulfill(…).",
}
WARNINGS = frozenset(("kept_after_return", "free_purchase_ignored", "granted_for_each_payment"))


@dataclass(slots=True)
class Finding:
    """`order` shows it; `compared_with` says what the rows' `before` is. `others`: how many orders show it besides;
    some of them are the `alternatives`."""

    kind: str
    scenario: str
    compared_with: str
    order: Order
    events: list[str]
    changes: list[Change] = field(default_factory=list[Change])
    failures: tuple[Failure, ...] = ()
    others: int = 0
    alternatives: tuple["Finding", ...] = ()

    @property
    def is_warning(self) -> bool:
        return self.kind in WARNINGS

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "kind": self.kind,
            "severity": "warning" if self.is_warning else "error",
            "scenario": self.scenario,
            "events": self.events,
            "comparedWith": self.compared_with,
            "changes": [
                {"table": c.table, "key": c.key, "column": c.column, "before": c.before, "after": c.after}
                for c in self.changes
            ],
            "failures": [{"event": f.event_type, "error": f.error} for f in self.failures],
            "otherOrders": self.others,
            "hint": HINTS[self.kind],
        }
