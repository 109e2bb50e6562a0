"""Two renderings that say the same count as one telling; what really differs stays different."""

import itertools
from typing import Any

import pytest

from paygres.server.projections.latest import settle
from paygres.server.projections.objects import KINDS
from paygres.server.projections.renderings import telling
from paygres.server.projections.snapshots import Snapshot
from tests.histories import session
from tests.subscription_histories import invoice, subscription
from tests.worlds import BASIL

DAHLIA = "2026-05-27.dahlia"


def told(raw: dict[str, Any], version: str, *, ident: str = "evt_1", kind: str = "", **more: Any) -> Snapshot:
    return Snapshot(raw["object"], raw["id"], 5, "event", raw, ident, kind or None, api_version=version, **more)


def same(*snapshots: Snapshot) -> bool:
    say = telling(snapshots)
    return len({repr(say(s.raw)) for s in snapshots}) == 1


def test_what_only_one_version_can_say_is_not_compared() -> None:
    pinned = subscription("a", billing_mode={"type": "flexible", "flexible": {"x": 1}})
    basil = {**subscription("a"), "plan": {"id": "p"}, "quantity": 1}
    assert same(told(pinned, DAHLIA), told(basil, BASIL))
    assert not same(told(pinned, DAHLIA), told({**basil, "status": "past_due"}, BASIL))


def test_of_one_version_everything_is_compared() -> None:
    assert not same(told(subscription("a", billing_mode={"type": "flexible"}), DAHLIA), told(subscription("a"), DAHLIA))


@pytest.mark.parametrize(
    ("pinned", "older", "equal"),
    [
        ({"ui_mode": "hosted_page"}, {"ui_mode": "hosted"}, True),
        ({"ui_mode": "hosted_page"}, {"ui_mode": "embedded"}, False),
        ({"unit_amount_decimal": "2500"}, {"unit_amount_decimal": "2500.0"}, True),
        ({"unit_amount_decimal": "2500"}, {"unit_amount_decimal": "2500.5"}, False),
        ({"metadata": {"a": "1"}}, {"metadata": {}}, False),
        ({"address": {"city": "Rome", "new": 1}}, {"address": {"city": "Rome"}}, True),
        ({"address": {"city": "Rome"}}, {"address": None}, False),
        ({"customer": {"id": "cus_1", "name": "Ada"}}, {"customer": "cus_1"}, True),
        ({"customer": {"id": "cus_1", "name": "Ada"}}, {"customer": "cus_2"}, False),
        ({"lines": [{"a": 1, "new": 2}]}, {"lines": [{"a": 1}]}, True),
        ({"lines": [{"a": 1}, {"a": 2}]}, {"lines": [{"a": 1}]}, False),
    ],
)
def test_renderings_are_compared_by_what_they_both_can_say(pinned: Any, older: Any, equal: bool) -> None:
    assert same(told(session("a", **pinned), DAHLIA), told(session("a", **older), BASIL)) is equal


def test_siblings_in_two_versions_count_once_and_the_newer_rendering_is_kept() -> None:
    paid = invoice("a", status="paid", amount_paid=900, attempted=True)
    burst = [
        told({**paid, "total_tax_amounts": []}, BASIL, ident="evt_1", kind="invoice.paid"),
        told({**paid, "billing_mode": {"type": "flexible"}}, DAHLIA, ident="evt_2", kind="invoice.payment_succeeded"),
    ]
    for order in itertools.permutations(burst):
        settled = settle(order, KINDS["invoice"].lifecycle)
        assert (settled.snapshot.event_id, settled.undecided) == ("evt_2", False)


def test_a_chain_of_updates_is_followed_across_versions() -> None:
    first = {"id": "cus_1", "object": "customer", "name": None, "phone": None, "old_word": 1}
    second = {"id": "cus_1", "object": "customer", "name": "Ada", "phone": None, "new_word": 1}
    third = {**first, "name": "Ada", "phone": "1"}
    chain = [
        told(first, BASIL, ident="evt_9", kind="customer.created"),
        told(second, DAHLIA, ident="evt_8", kind="customer.updated", previous_attributes={"name": None}),
        told(third, BASIL, ident="evt_7", kind="customer.updated", previous_attributes={"phone": None}),
    ]
    for order in itertools.permutations(chain):
        settled = settle(order, KINDS["customer"].lifecycle)
        assert (settled.snapshot.event_id, settled.undecided) == ("evt_7", False)


def test_two_reads_of_one_second_that_expand_differently_say_the_same() -> None:
    card = {"id": "pm_1", "object": "payment_method", "card": {"brand": "visa"}}
    raws = [
        {"id": "cus_1", "object": "customer", "invoice_settings": {"default_payment_method": method}}
        for method in ("pm_1", card)
    ]
    reads = [Snapshot("customer", "cus_1", 5, "api", raw) for raw in raws]
    for order in itertools.permutations(reads):
        assert not settle(order, KINDS["customer"].lifecycle).undecided
