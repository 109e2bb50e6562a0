"""Facts about every page: it says what it is, fits phones and desktops, is labeled, readable and in order, in light and
dark."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import page_facts
from tests.browser.visiting import DESKTOP, PHONE, TABLET, Visitor
from tests.sandbox.running import FORM, Sandbox
from tests.sandbox.subscribing import plans, renew, subscribe, subscriber

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visit = Callable[..., Visitor]
BAR = "TEST SIMULATOR – not Stripe"


@pytest.fixture(scope="module")
def addresses(sandbox: Sandbox) -> dict[str, str]:
    """Each page once, with much on it."""
    euro = sandbox.price(123_456, currency="eur")
    much: Any = {"allow_promotion_codes": True, "billing_address_collection": "required"}
    shirt = {"key": "size", "label": {"type": "custom", "custom": "Size"}, "type": "dropdown", "optional": True}
    shirt["dropdown"] = {"options": [{"label": "Small", "value": "small"}]}
    checkout = sandbox.session(euro, **much, custom_fields=[shirt])
    free = sandbox.session(sandbox.price(0))
    asked = sandbox.session()
    sandbox.pay(asked, card_number="4000002500003155")
    paid = sandbox.session(sandbox.price(990))
    sandbox.pay(paid)
    customer, [basic, gold] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    sandbox.stripe.v1.subscriptions.update(made["id"], {"cancel_at_period_end": True})
    failing = subscribe(sandbox, customer, gold)
    renewed = renew(sandbox, failing["id"], fail=True)
    params: Any = {"customer": customer, "return_url": "https://shop.example.com/account"}
    portal = sandbox.stripe.v1.billing_portal.sessions.create(params).url
    charge = sandbox.stripe.v1.charges.list({"limit": 1}).data[0]
    event = sandbox.stripe.v1.events.list({"limit": 1}).data[0].id
    pages = {
        "checkout": checkout.url,
        "free": free.url,
        "challenge": asked.url,
        "paid": paid.url,
        "unknown": f"{sandbox.url}/c/pay/cs_test_none",
        "portal": portal,
        "plan": f"{portal}/plan?subscription={failing['id']}",
        "change": f"{portal}/plan?subscription={failing['id']}&price={basic}",
        "cancel": f"{portal}/cancel?subscription={failing['id']}",
        "card": f"{portal}/card",
        "details": f"{portal}/details",
        "invoice": f"{sandbox.url}/invoices/{renewed['latest_invoice']}",
        "receipt": f"{sandbox.url}/receipts/{charge.id}",
        "object": f"{sandbox.url}/_sim/object/{event}",
    }
    views = ("events", "deliveries", "payments", "clock", "faults")
    return pages | {f"sim {view}": f"{sandbox.url}/_sim?view={view}" for view in views}


def test_every_page_says_what_it_is_and_is_well_formed(sandbox: Sandbox, addresses: dict[str, str]) -> None:
    for name, url in addresses.items():
        page = sandbox.http.browser.get(url)
        assert BAR in page.text, name
        assert page_facts.broken_tags(page.text) == [], name
        assert '<html lang="en">' in page.text, name
        assert "<script" not in page.text, name
        assert page.text.count("<h1") == 1, name
        assert page.text.count("<main") == 1, name
        assert "default-src 'none'" in page.headers["content-security-policy"], name
    declined = sandbox.http.browser.post(addresses["checkout"], data={**FORM, "card_number": "4000000000000002"})
    assert page_facts.broken_tags(declined.text) == []


@dataclass(frozen=True, slots=True)
class Facts:
    """`overflow` by the window's width in CSS pixels; `contrasts` that are too low, by color scheme."""

    title: str
    overflow: dict[int, int]
    contrasts: dict[str, list[Any]]
    unlabeled: list[str]
    dangling: list[str]


@pytest.fixture(scope="module")
def facts(browser: "Browser", sandbox: Sandbox, addresses: dict[str, str]) -> dict[str, Facts]:
    """What a browser makes of each page, seen once."""
    found: dict[str, Facts] = {}
    with Visitor(browser, sandbox.url) as visitor:
        for name, url in addresses.items():
            if name != "unknown":
                visitor.open(url)
                found[name] = _look(visitor.page)
        visitor.open(addresses["checkout"])
        visitor.press("pay")
        found["checkout with a problem"] = _look(visitor.page)
    return found


def _look(page: "Page") -> Facts:
    overflow: dict[int, int] = {}
    for width in (PHONE, TABLET, DESKTOP):
        page.set_viewport_size({"width": width, "height": 800})
        overflow[width] = page_facts.overflow(page)
    contrasts: dict[str, list[Any]] = {"light": page_facts.low_contrasts(page)}
    page.emulate_media(color_scheme="dark")
    contrasts["dark"] = page_facts.low_contrasts(page)
    page.emulate_media(color_scheme="light")
    return Facts(page.title(), overflow, contrasts, page_facts.unlabeled(page), page_facts.dangling(page))


def test_no_page_is_wider_than_its_window(facts: dict[str, Facts]) -> None:
    for name, one in facts.items():
        assert one.overflow == {PHONE: 0, TABLET: 0, DESKTOP: 0}, name


def test_every_field_has_a_label_and_no_reference_dangles(facts: dict[str, Facts]) -> None:
    for name, one in facts.items():
        assert one.unlabeled == [], name
        assert one.dangling == [], name


def test_every_page_has_a_title_of_its_own(facts: dict[str, Facts]) -> None:
    titles = [one.title for one in facts.values()]
    assert all(title.endswith(" · Paygres Sandbox") for title in titles)
    assert len(set(titles)) == len(titles)
    assert facts["checkout with a problem"].title.startswith("Error: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_edges_stand_out_from_their_ground(facts: dict[str, Facts], scheme: str) -> None:
    for name, one in facts.items():
        assert one.contrasts[scheme] == [], name


def test_the_tab_key_goes_through_the_form_in_its_order(visit: Visit, addresses: dict[str, str]) -> None:
    visitor = visit(addresses["checkout"])
    stops = page_facts.tab_stops(visitor.page)
    wanted = ["back", "promotion_code", "apply", "email", "method_card", "card_number", "exp", "cvc", "name", "line1"]
    assert stops[: len(wanted)] == wanted
    assert stops[len(wanted) :] == ["postal_code", "city", "country", "custom_size", "pay", "tests"]
    visitor.find("#card_number").fill("4242 4242 4242 4242")
    visitor.page.keyboard.press("Enter")
    assert visitor.text("#problem") == "Your email is incomplete."
