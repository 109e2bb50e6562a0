"""The Python API of the sandbox: paying, moving time, waiting for events, faults, a fresh beginning, failures."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paygres.contrib.payments_sandbox import Declined, Sandbox, SandboxError, TooLate
from tests.sandbox.running import Receiver

SHOP = Path(__file__).resolve().parents[2] / "docs" / "examples" / "shop.yaml"


@pytest.fixture
def shop(sandbox: Sandbox) -> Sandbox:
    sandbox.reset(seed=SHOP)
    return sandbox


@pytest.fixture
def hook(sandbox: Sandbox, receiver: Receiver) -> Iterator[Receiver]:
    receiver.secret = sandbox.webhook(receiver.url).secret
    yield receiver
    receiver.secret = ""


def checkout(sandbox: Sandbox, price: str = "price_pro_monthly", mode: str = "subscription") -> dict[str, Any]:
    return sandbox.request(
        "POST",
        "/v1/checkout/sessions",
        {
            "mode": mode,
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": "https://shop.example.com/thanks",
        },
    )


def test_a_paid_plan_renews_when_the_clock_passes(shop: Sandbox) -> None:
    began = shop.clock.now
    session = checkout(shop)
    paid = shop.checkout(session["url"]).pay("4242 4242 4242 4242", email="alan@example.com", name="Alan")
    assert (paid.status, paid.success_url) == ("complete", "https://shop.example.com/thanks")
    id = shop.checkout(session["id"]).read()["subscription"]
    shop.events.wait("invoice.paid", 2)  # the first is the file's
    now = shop.clock.advance(days=31)
    assert timedelta(days=31) <= now - began < timedelta(days=31, hours=2)
    renewed = [one for one in shop.events.list("invoice.paid") if invoice_of(one.object) == id]
    assert [one.object["billing_reason"] for one in renewed] == ["subscription_create", "subscription_cycle"]


def invoice_of(invoice: dict[str, Any]) -> str:
    return invoice["parent"]["subscription_details"]["subscription"]


def test_a_renewal_on_the_last_second_of_a_long_month_is_paid_too(shop: Sandbox) -> None:
    shop.reset(seed=SHOP, clock="2026-05-01")  # 31 days later its invoice has just become a draft
    shop.clock.advance(days=31)
    shop.events.wait("invoice.paid", 2)


def test_the_clock_goes_to_a_moment_exactly_and_never_back(sandbox: Sandbox) -> None:
    there = sandbox.clock.now + timedelta(days=3)
    assert abs(sandbox.clock.to(there) - there) < timedelta(seconds=1)
    assert abs(sandbox.clock.now - there) < timedelta(seconds=5)
    with pytest.raises(SandboxError, match="cannot go back"):
        sandbox.clock.to(datetime(2026, 1, 1))


def test_a_declined_card_leaves_the_checkout_open(shop: Sandbox) -> None:
    buyer = shop.checkout(checkout(shop)["id"])
    declined = buyer.decline("4000000000009995")
    assert (declined.code, declined.decline_code) == ("card_declined", "insufficient_funds")
    assert buyer.read()["status"] == "open"
    with pytest.raises(Declined, match="declined"):
        buyer.pay("4000000000000002")
    with pytest.raises(SandboxError, match="was not declined"):
        buyer.decline("4242424242424242")


@pytest.mark.parametrize(("answer", "status"), [(None, "requires_action"), (False, "open"), (True, "complete")])
def test_a_card_asks_and_the_buyer_answers(shop: Sandbox, answer: bool | None, status: str) -> None:
    paid = shop.checkout(checkout(shop)["id"]).pay("4000002500003155", authenticate=answer)
    assert paid.status == status


def test_an_expired_checkout_cannot_be_paid(shop: Sandbox) -> None:
    buyer = shop.checkout(checkout(shop)["id"])
    buyer.expire()
    shop.events.wait("checkout.session.expired", object=buyer.id)
    with pytest.raises(SandboxError, match="expired"):
        buyer.pay()


def test_the_next_payment_fails_once(shop: Sandbox) -> None:
    buyer = shop.checkout(checkout(shop)["id"])
    shop.fail_next()
    assert buyer.decline("4242424242424242").code == "card_declined"
    shop.fail_next("insufficient_funds")
    assert buyer.decline("4242424242424242").decline_code == "insufficient_funds"
    assert buyer.pay().status == "complete"
    with pytest.raises(
        SandboxError, match="The next payment can be declined, asks, disputed, or declined with the code"
    ):
        shop.fail_next("explode")


def test_a_subscription_renews_and_fails_on_demand(shop: Sandbox) -> None:
    ada = shop.subscriptions(shop.seeded["subscriptions"]["ada_pro"])
    assert ada.renew()["status"] == "active"
    assert ada.renew(fail=True)["status"] == "past_due"
    shop.events.wait("invoice.payment_failed")
    assert ada.retry()["status"] == "paid"


def test_waiting_means_that_the_webhook_was_answered(sandbox: Sandbox, hook: Receiver) -> None:
    def slowly(_: object) -> int:
        time.sleep(0.2)
        return 200

    hook.answer = slowly
    sandbox.request("POST", "/v1/customers", {"email": "ada@example.com"})
    event = sandbox.events.wait("customer.created")
    assert hook.types() == ["customer.created"]
    assert (event.object["email"], event.pending, event.previous_attributes) == ("ada@example.com", 0, {})
    assert sandbox.events.resend(event) == 1
    sandbox.deliveries.settle()
    assert hook.types() == ["customer.created"] * 2
    [delivery] = sandbox.deliveries.list(event.id)
    assert (delivery.state, delivery.status, delivery.type) == ("delivered", 200, "customer.created")


def test_a_webhook_that_never_accepts_is_told_with_its_answer(sandbox: Sandbox, hook: Receiver) -> None:
    hook.answer = lambda _: 500
    sandbox.request("POST", "/v1/customers", {})
    assert sandbox.events.wait("customer.created", delivered=False).pending == 1
    with pytest.raises(TooLate, match=r"was not accepted: customer.created .* the last one: HTTP 500"):
        sandbox.events.wait("customer.created")


def test_waiting_in_vain_tells_what_happened_instead(sandbox: Sandbox) -> None:
    sandbox.request("POST", "/v1/customers", {})
    sandbox.request("POST", "/v1/customers", {})
    with pytest.raises(
        TooLate, match=r"0 of 1 events invoice.paid after 0.1 s. There happened: customer.created \(2\)"
    ):
        sandbox.events.wait("invoice.paid", timeout=0.1)


def test_faults_are_set_shown_and_cleared(sandbox: Sandbox, hook: Receiver) -> None:
    assert sandbox.faults.set(duplicate=1.0, seed=7)["duplicate"] == 1.0
    sandbox.request("POST", "/v1/customers", {})
    sandbox.deliveries.settle()
    assert hook.types() == ["customer.created"] * 2
    sandbox.faults.clear()
    assert sandbox.faults.read()["duplicate"] == 0
    with pytest.raises(SandboxError, match="there is no dial `explode`"):
        sandbox.faults.set(explode=1)


def test_a_reset_leaves_nothing(shop: Sandbox, receiver: Receiver) -> None:
    old_key = shop.secret_key
    shop.webhook(receiver.url)
    shop.faults.set(duplicate=1.0)
    shop.clock.advance(days=400)
    shop.reset(new_account=True)
    assert shop.secret_key != old_key
    assert shop.seeded == {}
    assert shop.events.list() == []
    assert shop.faults.read()["duplicate"] == 0
    assert abs(shop.clock.now - datetime.now(UTC)) < timedelta(seconds=10)
    received = len(receiver.received)
    shop.request("POST", "/v1/customers", {})
    shop.events.wait("customer.created")
    assert len(receiver.received) == received
    with Sandbox.at(shop.url, secret_key=old_key) as old:
        assert old.request("GET", "/v1/customers")["data"] == []


def test_a_reset_of_a_kept_state_keeps_the_account(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path / "state.db", seed=SHOP) as sandbox:
        key, customers = sandbox.secret_key, sandbox.seeded["customers"]
        sandbox.request("POST", "/v1/customers", {})
        sandbox.reset()
        assert sandbox.secret_key == key
        assert sandbox.seeded["customers"].keys() == customers.keys()
        assert sandbox.seeded["customers"] != customers
        assert len(sandbox.request("GET", "/v1/customers")["data"]) == 2
    with Sandbox.start(state=tmp_path / "state.db") as again:
        assert again.secret_key == key
        assert len(again.request("GET", "/v1/customers")["data"]) == 2


def test_one_that_runs_is_found_and_goes_on(sandbox: Sandbox) -> None:
    with Sandbox.at(sandbox.url) as found:
        assert (found.account_id, found.secret_key) == (sandbox.account_id, sandbox.secret_key)
    assert sandbox.request("GET", "/v1/account")["id"] == sandbox.account_id


def test_a_server_gets_address_and_key_by_its_environment(sandbox: Sandbox) -> None:
    environ = sandbox.environ()
    assert environ["STRIPE_API_BASE"] == sandbox.url
    assert environ["STRIPE_TEST_SECRET_KEY"] == environ["STRIPE_SECRET_KEY"] == sandbox.secret_key


def test_live_keys_are_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="live key"):
        Sandbox.at(sandbox.url, secret_key="sk_live_" + "1" * 30)
    with pytest.raises(SandboxError, match="refuses live keys"):
        Sandbox.start(options=["--account-seed", "sk_live_" + "1" * 30])


def test_a_start_that_fails_says_what_the_sandbox_said(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match=r"cannot listen on 127.0.0.1:\d+: Address already in use"):
        Sandbox.start(port=int(sandbox.url.rpartition(":")[2]))
    with pytest.raises(SandboxError, match=r"seed\.json:1: prodcts is not known here"):
        Sandbox.start(seed={"prodcts": {}})
    with pytest.raises(SandboxError, match="argument --clock: 'soon' is no time"):
        Sandbox.start(clock="soon")


def test_one_that_is_gone_is_told(tmp_path: Path) -> None:
    sandbox = Sandbox.start()
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(SandboxError, match=r"did not answer GET /_sim/account: .*refused"):
        Sandbox.at(sandbox.url)


def test_the_sandbox_ends_with_the_program_that_started_it() -> None:
    program = (
        "import os; from paygres.contrib.payments_sandbox import Sandbox;"
        "print(Sandbox.start().url, flush=True); os._exit(1)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    url = ended.stdout.strip()
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        try:
            Sandbox.at(url).stop()
        except SandboxError:
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} still answers")
