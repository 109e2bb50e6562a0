"""Renderings of other API versions: basil (2025-03-31) reads as the pinned version does, an older one not at all.

No specification before 2025-05-28 can be installed; the older shapes here are written by hand from Stripe's changelog.
"""

from typing import Any

import pytest

from paygres.server.projections.objects import KINDS
from paygres.server.projections.project import project
from paygres.server.projections.snapshots import Snapshot, StripeObject, Unreadable
from tests.histories import START, session
from tests.subscription_histories import invoice, subscription

PERIOD = ("current_period_start", "current_period_end")


def rows(kind: str, raw: StripeObject) -> dict[str, Any]:
    """What the object becomes, its own snapshot left out."""
    KINDS[kind].check(raw)
    found = project(KINDS[kind], Snapshot(kind, raw["id"], START, "event", raw, "evt_1"), (), None, ())
    return {table: those for table, those in found.items() if table != "objects"}


def test_a_session_of_basil_reads_as_the_pinned_one() -> None:
    pinned = session("a", status="complete", payment_status="paid", payment_intent="pi_a", ui_mode="hosted_page")
    basil = {**pinned, "ui_mode": "hosted", "total_details": {"amount_discount": 0}}
    assert rows("checkout.session", basil) == rows("checkout.session", pinned)


def test_a_subscription_of_basil_reads_as_the_pinned_one() -> None:
    pinned = subscription("a", billing_mode={"type": "flexible"}, discounts=[])
    basil = {key: value for key, value in pinned.items() if key != "billing_mode"}
    basil |= {"discount": None, "plan": {"id": "price_m"}, "quantity": 1}
    assert rows("subscription", basil) == rows("subscription", pinned)


def test_an_invoice_of_basil_reads_as_the_pinned_one() -> None:
    pinned = invoice("a", status="paid", amount_paid=900, attempted=True)
    basil = {**pinned, "discount": None, "total_tax_amounts": []}
    assert rows("invoice", basil) == rows("invoice", pinned)


def test_a_subscription_from_before_basil_is_not_read() -> None:
    old = subscription("a", current_period_start=START, current_period_end=START + 99)
    item = {key: value for key, value in old["items"]["data"][0].items() if key not in PERIOD}
    with pytest.raises(Unreadable, match="before basil"):
        rows("subscription", {**old, "items": {"data": [item], "has_more": False}})


def test_an_invoice_from_before_basil_is_not_read() -> None:
    old = {key: value for key, value in invoice("a").items() if key != "parent"}
    with pytest.raises(Unreadable, match="before basil"):
        rows("invoice", {**old, "subscription": "sub_a", "payment_intent": "pi_a", "paid": True})


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("payment_intent", "status"),
        ("charge", "currency"),
        ("refund", "status"),
        ("dispute", "status"),
        ("invoice", "amount_due"),
        ("invoice_payment", "payment"),
        ("subscription", "items"),
        ("checkout.session", "payment_status"),
        ("price", "currency"),
        ("product", "active"),
    ],
)
def test_an_object_without_what_is_needed_is_refused_by_name(kind: str, field: str) -> None:
    complete = {name: 1 for name in KINDS[kind].required}
    del complete[field]
    with pytest.raises(Unreadable, match=field):
        KINDS[kind].check(complete)
