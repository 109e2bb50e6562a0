"""The control page in a browser: the log and its resends, the clock, outcomes, dials; and whom it refuses."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.browser.visiting import DESKTOP, Visitor
from tests.sandbox.running import FORM, Receiver, Sandbox
from tests.sandbox.subscribing import plans, subscribe, subscriber, subscription

Visit = Callable[..., Visitor]
DAY = 86_400


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One of its own: these tests move its clock and turn its dials."""
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_event_is_looked_at_and_sent_again(sandbox: Sandbox, visit: Visit, receiver: Receiver, script: bool) -> None:
    product = sandbox.stripe.v1.products.create({"name": "Pencil"}).id
    receiver.wait("product.created")
    visitor = visit(f"{sandbox.url}/_sim", script=script)
    visitor.fill(type="product.created")
    visitor.find("text=Filter").click()
    row = visitor.find("tbody tr").first
    assert product in (row.text_content() or "")
    row.locator("text=Resend").click()
    assert visitor.text("#notice") == "Sent again: 1."
    receiver.wait("product.created", 2)
    visitor.find("tbody tr >> text=product.created").first.click()
    assert '"object": "event"' in visitor.text("pre")
    visitor.find("text=Resend").click()
    assert visitor.text("#notice") == "Sent again: 1."
    assert receiver.wait("product.created", 3).event["data"]["object"]["id"] == product


def test_what_failed_is_sent_again_all_at_once(sandbox: Sandbox, visit: Visit, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500
    sandbox.stripe.v1.products.create({"name": "Eraser"})
    receiver.wait("product.created", 3)
    time.sleep(0.1)
    visitor = visit(f"{sandbox.url}/_sim?view=deliveries", script=False)
    assert "HTTP 500" in visitor.text("table")
    receiver.answer = lambda _: 200
    visitor.press("resend_all")
    assert visitor.text("#notice").startswith("Sent again: ")
    receiver.wait("product.created", 4)
    time.sleep(0.1)
    visitor.open(f"{sandbox.url}/_sim?view=deliveries")
    assert "Everything was delivered." in visitor.text("main")


def test_the_clock_moves_and_a_subscription_renews(sandbox: Sandbox, visit: Visit) -> None:
    [price] = plans(sandbox, 2000)
    made = subscribe(sandbox, subscriber(sandbox), price)
    visitor = visit(f"{sandbox.url}/_sim?view=clock", script=False)
    before = visitor.text("#now")
    visitor.find("text=+ 31 days").click()
    assert visitor.text("#notice").startswith("The clock was moved")
    assert visitor.text("#now") > before
    period = subscription(sandbox, made["id"])["items"]["data"][0]
    assert period["current_period_start"] >= made["items"]["data"][0]["current_period_end"]
    visitor.fill(to="2001-01-01")
    visitor.press("move")
    assert visitor.place.startswith("/_sim?"), "the browser itself refuses a date that is over"
    answer = sandbox.http.browser.post("/_sim/page/clock", data={"to": "2001-01-01"})
    assert (answer.status_code, "cannot go back" in answer.text) == (400, True)


def test_the_next_payment_does_what_was_chosen_and_the_one_after_it_pays(sandbox: Sandbox, visit: Visit) -> None:
    visitor = visit(f"{sandbox.url}/_sim?view=clock", script=False)
    for word in ("declined", "asks", "disputed"):
        visitor.find(f"#payment_{word}").check()
        visitor.press("switch")
        assert visitor.find(f"#payment_{word}").is_checked()
        session = sandbox.session()
        page = sandbox.pay(session)
        if word == "disputed":
            assert page.status_code == 303
            assert sandbox.stripe.v1.disputes.list({"limit": 1}).data[0].reason == "fraudulent"
        else:
            assert ("Your card was declined." if word == "declined" else "Complete authentication") in page.text
        visitor.open(f"{sandbox.url}/_sim?view=clock")
        assert visitor.find("#payment_none").is_checked()
    assert sandbox.pay(sandbox.session()).status_code == 303
    sandbox.http.browser.post("/_sim/next_payment", json={"outcome": "insufficient_funds"})
    visitor.open(f"{sandbox.url}/_sim?view=clock")
    assert visitor.find("#payment_insufficient_funds").is_checked()
    visitor.find("#payment_none").check()
    visitor.press("switch")
    assert sandbox.pay(sandbox.session()).status_code == 303


def test_the_next_delivery_is_lost(sandbox: Sandbox, visit: Visit, receiver: Receiver) -> None:
    visitor = visit(f"{sandbox.url}/_sim?view=clock", script=False)
    visitor.fill(lost="1")
    visitor.press("switch")
    sandbox.stripe.v1.products.create({"name": "Lost"})
    sandbox.stripe.v1.products.create({"name": "Found"})
    assert receiver.wait("product.created").event["data"]["object"]["name"] == "Found"
    visitor.open(f"{sandbox.url}/_sim?view=deliveries")
    assert "lost by the fault dial" in visitor.text("table")


def test_dials_are_turned_and_turned_off(sandbox: Sandbox, visit: Visit) -> None:
    visitor = visit(f"{sandbox.url}/_sim?view=faults", script=False, width=DESKTOP)
    visitor.fill(dial_duplicate="0.5", dial_seed="7")
    visitor.find("#dial_shuffle").check()
    visitor.press("set")
    dials = sandbox.http.browser.get("/_sim/faults").json()
    assert (dials["duplicate"], dials["seed"], dials["shuffle"]) == (0.5, 7, True)
    assert visitor.find("#dial_shuffle").is_checked()
    visitor.fill(dial_drop="7")
    visitor.press("set")
    assert "`drop` is a share, 0 to 1" in visitor.text("#problem")
    visitor.press("off")
    dials = sandbox.http.browser.get("/_sim/faults").json()
    assert (dials["duplicate"], dials["shuffle"]) == (0, False)


def test_an_open_checkout_is_paid_declined_and_expired_from_here(sandbox: Sandbox, visit: Visit) -> None:
    sessions = [sandbox.session(), sandbox.session()]
    visitor = visit(f"{sandbox.url}/_sim?view=payments", script=False)
    rows = {one.id: visitor.find(f"tr:has(a[href='/_sim/object/{one.id}'])") for one in sessions}
    rows[sessions[0].id].locator("text=Decline").click()
    assert visitor.text("#problem") == "Your card was declined."
    rows[sessions[0].id].locator("button[value=pay]").click()
    assert visitor.text("#notice") == "The checkout is paid."
    rows[sessions[1].id].locator("text=Expire").click()
    states = [sandbox.stripe.v1.checkout.sessions.retrieve(one.id).status for one in sessions]
    assert states == ["complete", "expired"]


def test_a_customers_portal_opens_from_here(sandbox: Sandbox, visit: Visit) -> None:
    customer = subscriber(sandbox)
    visitor = visit(f"{sandbox.url}/_sim?view=payments", script=False, width=DESKTOP)
    visitor.find(f"section[aria-labelledby=customers] li:has-text('{customer}') button").click()
    assert "Signed in as Ada" in visitor.text("main")
    visitor.press("back")
    assert visitor.place == "/_sim?view=payments"


def test_accounts_are_looked_at_one_at_a_time(sandbox: Sandbox, visit: Visit) -> None:
    key = "sk_test_" + "b" * 40
    other = sandbox.http.browser.get("/v1/account", headers={"Authorization": f"Bearer {key}"}).json()["id"]
    name = {"name": "Of another account"}
    sandbox.http.browser.post("/v1/products", data=name, headers={"Authorization": f"Bearer {key}"})
    visitor = visit(f"{sandbox.url}/_sim", script=False)
    visitor.find("#account").select_option(other)
    visitor.press("choose")
    assert visitor.find("tbody tr").count() == 1
    assert "product.created" in visitor.text("tbody")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Host": "rebound.example.com"},
    ],
)
def test_another_sites_form_is_refused(sandbox: Sandbox, headers: dict[str, str]) -> None:
    answer = sandbox.http.browser.post("/_sim/page/dials", data={"drop": "1"}, headers=headers)
    assert answer.status_code == 403
    assert sandbox.http.browser.get("/_sim/faults").json()["drop"] == 0
    if "Host" in headers:
        assert sandbox.http.browser.get("/_sim", headers=headers).status_code == 403


def test_forms_that_make_no_sense_are_answered_with_a_page(sandbox: Sandbox) -> None:
    post = sandbox.http.browser.post
    assert post("/_sim/page/nothing", data={}).status_code == 404
    assert post("/_sim/page/pay", data={"session": "cs_none"}).status_code == 404
    assert post("/_sim/page/resend", data={"event": "evt_none"}).status_code == 404
    assert post("/_sim/page/clock", data={"to": "<script>"}).status_code == 400
    assert post("/_sim/page/dials", data={"answers": "{"}).status_code == 400
    assert sandbox.http.browser.get("/_sim/object/evt_none").status_code == 404
    session = sandbox.session()
    assert post(session.url, data=FORM).status_code == 303
    found = sandbox.http.browser.get(f"/_sim/object/{session.id}").text
    assert "&#34;payment_status&#34;: &#34;paid&#34;" in found
    assert "<script" not in post("/_sim/page/clock", data={"to": "<script>"}).text
