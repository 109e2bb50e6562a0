"""The hosted page as a browser without JavaScript uses it: pay, decline, authenticate, expired, paid."""

import re
import threading
import time
from collections.abc import Callable

import pytest

from tests.sandbox.running import FORM, Received, Receiver, ReceiverServer, Sandbox

BAR = "TEST SIMULATOR – not Stripe"


def test_the_page_shows_what_is_bought_and_what_it_is(sandbox: Sandbox) -> None:
    session = sandbox.session(line_items=[{"price": sandbox.price(150_000), "quantity": 2}])
    page = sandbox.http.browser.get(session.url)
    assert page.status_code == 200
    assert BAR in page.text
    assert "Pocket notebook" in page.text
    assert "$3,000.00" in page.text
    assert 'href="https://shop.example.com/cart"' in page.text
    assert "<script" not in page.text
    for name in ("email", "card_number", "exp", "cvc", "name"):
        assert re.search(rf'<label for="{name}">', page.text), name
        assert re.search(rf'<input id="{name}" name="{name}"', page.text), name


def test_the_page_is_locked_down(sandbox: Sandbox) -> None:
    page = sandbox.http.browser.get(sandbox.session().url)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


def test_what_a_shop_or_buyer_wrote_is_escaped(sandbox: Sandbox) -> None:
    product = sandbox.stripe.v1.products.create({"name": "<script>alert(1)</script>"}).id
    price = sandbox.stripe.v1.prices.create({"product": product, "currency": "usd", "unit_amount": 900}).id
    session = sandbox.session(price)
    assert "<script" not in sandbox.http.browser.get(session.url).text
    assert "<script" not in sandbox.pay(session, email='"><script>@x', card_number="1").text


@pytest.mark.parametrize("card", ["4242 4242 4242 4242", "5555555555554444", "378282246310005"])
def test_a_good_card_pays_and_leads_to_the_shop(sandbox: Sandbox, card: str) -> None:
    session = sandbox.session(payment_intent_data={"metadata": {"order": "7"}, "description": "Order 7"})
    left = sandbox.pay(session, card_number=card, cvc="1234")
    assert left.status_code == 303
    assert left.headers["location"] == f"https://shop.example.com/thanks?id={session.id}"
    paid = sandbox.stripe.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge", "payment_intent.payment_method"]}
    )
    assert (paid.status, paid.payment_status, paid.url, paid.customer) == ("complete", "paid", None, None)
    assert paid.customer_details is not None
    assert (paid.customer_details.email, paid.customer_details.name) == ("buyer@example.com", "Ada")
    intent = paid.to_dict()["payment_intent"]
    assert (intent["status"], intent["amount_received"], intent["metadata"]) == ("succeeded", 1500, {"order": "7"})
    charge = intent["latest_charge"]
    assert (charge["paid"], charge["metadata"], charge["description"]) == (True, {"order": "7"}, "Order 7")
    assert intent["payment_method"]["card"]["last4"] == card.replace(" ", "")[-4:]
    found = sandbox.stripe.v1.checkout.sessions.list({"payment_intent": intent["id"]}).data
    assert [one.id for one in found] == [session.id]


def test_a_customer_is_made_when_the_session_asks_for_one(sandbox: Sandbox) -> None:
    session = sandbox.session(customer_creation="always")
    sandbox.pay(session)
    paid = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer", "payment_intent"]})
    shown = paid.to_dict()
    assert shown["customer"]["email"] == "buyer@example.com"
    assert shown["payment_intent"]["customer"] == shown["customer"]["id"]


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "sentence"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "Your card was declined."),
        ("4000000000009995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("4000000000000069", "expired_card", None, "Your card has expired."),
        ("4000000000000127", "incorrect_cvc", None, "Your card&#39;s security code is incorrect."),
    ],
)
def test_a_declined_card_leaves_the_session_open(
    sandbox: Sandbox, card: str, code: str, decline_code: str | None, sentence: str
) -> None:
    session = sandbox.session()
    page = sandbox.pay(session, card_number=card)
    assert page.status_code == 402
    assert sentence in page.text
    assert 'role="alert"' in page.text
    tried = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]}).to_dict()
    assert (tried["status"], tried["payment_status"], tried["url"]) == ("open", "unpaid", session.url)
    error = tried["payment_intent"]["last_payment_error"]
    assert (error["code"], error.get("decline_code")) == (code, decline_code)
    assert sandbox.pay(session).status_code == 303
    paid = sandbox.stripe.v1.checkout.sessions.retrieve(session.id)
    assert paid.payment_intent == tried["payment_intent"]["id"]
    assert len(sandbox.stripe.v1.charges.list({"payment_intent": tried["payment_intent"]["id"]}).data) == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"card_number": "4242 4242 4242 4241"}, "Your card number is incorrect."),
        ({"card_number": "12"}, "Your card number is incorrect."),
        ({"card_number": "4111111111111111"}, "used a non test card"),
        ({"exp": "01/20"}, "expiration date"),
        ({"exp": "13/40"}, "expiration date"),
        ({"cvc": "1"}, "security code is incomplete"),
        ({"email": "nope"}, "Your email is incomplete."),
    ],
)
def test_what_is_typed_wrong_is_said(sandbox: Sandbox, typed: dict[str, str], sentence: str) -> None:
    session = sandbox.session()
    page = sandbox.pay(session, **typed)
    assert page.status_code == 402
    assert sentence in page.text
    assert "buyer@example.com" in page.text or "email" in typed


def test_authentication_is_asked_for_and_passed(sandbox: Sandbox) -> None:
    session = sandbox.session()
    page = sandbox.pay(session, card_number="4000 0025 0000 3155")
    assert page.status_code == 200
    assert "Complete authentication" in page.text
    assert BAR in page.text
    assert "Complete authentication" in sandbox.http.browser.get(session.url).text
    left = sandbox.http.browser.post(f"{session.url}/challenge", data={"outcome": "complete"})
    assert left.status_code == 303
    paid = sandbox.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    card = paid.to_dict()["payment_intent"]["latest_charge"]["payment_method_details"]["card"]
    assert card["three_d_secure"]["result"] == "authenticated"


def test_a_failed_authentication_leaves_the_session_open(sandbox: Sandbox) -> None:
    session = sandbox.session()
    sandbox.pay(session, card_number="4000002500003155")
    page = sandbox.http.browser.post(f"{session.url}/challenge", data={"outcome": "fail"})
    assert page.status_code == 402
    assert "We are unable to authenticate your payment method." in page.text
    assert sandbox.pay(session).status_code == 303


def test_a_card_may_be_declined_after_its_authentication(sandbox: Sandbox) -> None:
    session = sandbox.session()
    sandbox.pay(session, card_number="4000008400001629")
    page = sandbox.http.browser.post(f"{session.url}/challenge", data={"outcome": "complete"})
    assert page.status_code == 402
    assert "Your card was declined." in page.text


def test_a_paid_session_cannot_be_paid_again(sandbox: Sandbox) -> None:
    session = sandbox.session()
    sandbox.pay(session)
    for page in (sandbox.http.browser.get(session.url), sandbox.pay(session)):
        assert "already paid" in page.text
    intent = sandbox.stripe.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    assert len(sandbox.stripe.v1.charges.list({"payment_intent": intent}).data) == 1


def test_an_expired_session_says_so_and_cannot_be_paid(sandbox: Sandbox) -> None:
    session = sandbox.session()
    sandbox.stripe.v1.checkout.sessions.expire(session.id)
    assert "has expired" in sandbox.http.browser.get(session.url).text
    assert "has expired" in sandbox.pay(session).text


def test_an_unknown_session_has_no_page(sandbox: Sandbox) -> None:
    for answer in (sandbox.http.browser.get("/c/pay/cs_test_none"), sandbox.http.browser.post("/c/pay/x", data=FORM)):
        assert answer.status_code == 404
        assert BAR in answer.text


def test_a_free_order_needs_no_card(sandbox: Sandbox) -> None:
    session = sandbox.session(sandbox.price(0))
    assert session.payment_status == "no_payment_required"
    assert "card_number" not in sandbox.http.browser.get(session.url).text
    left = sandbox.http.browser.post(session.url, data={"email": "buyer@example.com"})
    assert left.status_code == 303
    done = sandbox.stripe.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)


def test_the_redirect_waits_for_the_webhooks_answer(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    answered: list[float] = []

    def slowly(_: Received) -> int:
        time.sleep(0.4)
        answered.append(time.monotonic())
        return 200

    receiver = hook("checkout.session.completed")
    receiver.answer = slowly
    assert sandbox.pay(sandbox.session()).status_code == 303
    assert answered
    assert time.monotonic() >= answered[0]


def test_the_redirect_does_not_wait_for_ever() -> None:
    released = threading.Event()
    server = ReceiverServer()
    server.receiver.answer = lambda _: 200 if released.wait(8) else 500
    with Sandbox("--redirect-hold", "0.3") as impatient:
        impatient.stripe.v1.webhook_endpoints.create(
            {"url": server.receiver.url, "enabled_events": ["checkout.session.completed"]}
        )
        assert impatient.pay(impatient.session()).status_code == 303
        assert not server.receiver.received
        released.set()
        server.receiver.wait("checkout.session.completed")
    server.close()


def test_the_pages_backend_for_stripes_command_line_pays_too(sandbox: Sandbox) -> None:
    session = sandbox.session(sandbox.price(3000))
    page = sandbox.http.api("GET", f"/v1/payment_pages/{session.id}").json()
    assert page["session_id"] == session.id
    method = sandbox.http.api("POST", "/v1/payment_methods", "type=card&card[token]=tok_visa").json()
    wrong = sandbox.http.api(
        "POST", f"/v1/payment_pages/{session.id}/confirm", {"payment_method": method["id"], "expected_amount": "1"}
    )
    assert wrong.status_code == 400
    confirmed = sandbox.http.api(
        "POST", f"/v1/payment_pages/{session.id}/confirm", {"payment_method": method["id"], "expected_amount": "3000"}
    )
    assert confirmed.json()["status"] == "complete"
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"email=%ff", b"a" * 30_000, b"&" * 100 + b"a=1&" * 100])
def test_a_broken_form_is_answered_with_the_page(sandbox: Sandbox, body: bytes) -> None:
    session = sandbox.session()
    answer = sandbox.http.browser.post(
        session.url, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in (400, 402)
    assert BAR in answer.text


def test_receipts_and_invoices_have_pages(sandbox: Sandbox) -> None:
    session = sandbox.session(sandbox.price(2000, recurring={"interval": "month"}), mode="subscription")
    sandbox.pay(session)
    invoice = sandbox.stripe.v1.invoices.list({"limit": 1}).data[0]
    charge = sandbox.stripe.v1.charges.list({"limit": 1}).data[0]
    for url in (invoice.hosted_invoice_url, charge.receipt_url):
        assert url is not None
        page = sandbox.http.browser.get(url)
        assert page.status_code == 200
        assert BAR in page.text
        assert "$20.00" in page.text
    assert sandbox.http.browser.get(f"/receipts/{invoice.id}").status_code == 404


def test_an_invoice_is_a_pdf_file(sandbox: Sandbox) -> None:
    session = sandbox.session(sandbox.price(2000, recurring={"interval": "month"}), mode="subscription")
    sandbox.pay(session, name="Zoë (Ada) Łukasz")
    invoice = sandbox.stripe.v1.invoices.list({"limit": 1}).data[0]
    assert invoice.invoice_pdf is not None
    file = sandbox.http.browser.get(invoice.invoice_pdf)
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF-1.4")
    for text in (f"Invoice {invoice.number}", BAR, "$20.00", invoice.id):
        assert b"(" + text.encode("cp1252") in file.content
    table = int(file.content.rsplit(b"startxref", 1)[1].split()[0])
    entries = file.content[table:].split(b"trailer")[0].splitlines()[3:]
    for number, entry in enumerate(entries, 1):
        assert file.content[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
