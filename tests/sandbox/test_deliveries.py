"""Deliveries: signatures, retries, order, what an endpoint wants, the fault dials."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Received, Receiver, Sandbox


def marks(signature: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in signature.split(","))


def deliveries(sandbox: Sandbox, event: str) -> list[dict[str, Any]]:
    return sandbox.http.browser.get("/_sim/deliveries", params={"event": event}).json()["deliveries"]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 8
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_delivery_is_signed_over_its_raw_bytes(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.created")
    customer = sandbox.stripe.v1.customers.create({"name": "Zoë"})
    got = receiver.wait("customer.created")
    event = stripe.Webhook.construct_event(got.payload, got.signature, receiver.secret)
    assert event.data.object["id"] == customer.id
    assert abs(int(marks(got.signature)["t"]) - time.time()) < 5
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(got.payload + b" ", got.signature, receiver.secret)


def test_an_endpoint_gets_only_what_it_wants(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.deleted")
    customer = sandbox.stripe.v1.customers.create({})
    sandbox.stripe.v1.customers.delete(customer.id)
    receiver.wait("customer.deleted")
    assert receiver.types() == ["customer.deleted"]


def test_an_endpoint_gets_events_in_its_own_version(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.created", api_version="2025-03-31.basil")
    sandbox.stripe.v1.customers.create({})
    assert receiver.wait("customer.created").event["api_version"] == "2025-03-31.basil"


def test_a_refused_delivery_is_tried_again_with_a_fresh_signature(
    sandbox: Sandbox, hook: Callable[..., Receiver]
) -> None:
    receiver = hook("customer.created")

    def refuse_twice(_: Received) -> int:
        return 500 if len(receiver.received) < 2 else 200

    receiver.answer = refuse_twice
    sandbox.stripe.v1.customers.create({})
    third = receiver.wait("customer.created", 3)
    assert len({one.event["id"] for one in receiver.received}) == 1
    assert len({one.payload for one in receiver.received}) == 1
    until(lambda: deliveries(sandbox, third.event["id"])[0]["state"] == "delivered")
    assert deliveries(sandbox, third.event["id"])[0]["attempts"] == 3


def test_signatures_of_later_tries_have_later_timestamps(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.created")
    sandbox.stripe.v1.customers.create({})
    first = receiver.wait("customer.created")
    time.sleep(1.1)
    sandbox.http.browser.post("/_sim/resend", json={"event": first.event["id"]})
    second = receiver.wait("customer.created", 2)
    assert marks(second.signature)["t"] > marks(first.signature)["t"]
    assert marks(second.signature)["v1"] != marks(first.signature)["v1"]


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_delivery_that_is_never_accepted_fails_in_the_end(
    sandbox: Sandbox, hook: Callable[..., Receiver], status: int
) -> None:
    receiver = hook("product.created")
    receiver.answer = lambda _: status
    product = sandbox.stripe.v1.products.create({"name": "A"})
    got = receiver.wait("product.created", 3)
    assert got.event["data"]["object"]["id"] == product.id
    until(lambda: deliveries(sandbox, got.event["id"])[0]["state"] == "failed")
    row = deliveries(sandbox, got.event["id"])[0]
    assert (row["attempts"], row["last_status"]) == (3, status)
    undelivered = sandbox.stripe.v1.events.list({"delivery_success": False, "limit": 100}).data
    assert got.event["id"] in [event.id for event in undelivered]
    delivered = sandbox.stripe.v1.events.list({"delivery_success": True, "limit": 100}).data
    assert got.event["id"] not in [event.id for event in delivered]


def test_pending_webhooks_counts_the_unanswered(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.created")
    sandbox.stripe.v1.customers.create({})
    got = receiver.wait("customer.created")
    assert got.event["pending_webhooks"] == 1
    until(lambda: sandbox.stripe.v1.events.retrieve(got.event["id"]).pending_webhooks == 0)


def test_an_unreachable_endpoint_hurts_nobody_else(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    gone = sandbox.stripe.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:1/hook", "enabled_events": ["customer.created"]}
    )
    receiver = hook("customer.created")
    sandbox.stripe.v1.customers.create({})
    receiver.wait("customer.created")
    sandbox.stripe.v1.webhook_endpoints.delete(gone.id)


def test_a_deleted_endpoint_is_tried_no_more(sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint = sandbox.stripe.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    receiver.answer = lambda _: 500
    sandbox.stripe.v1.customers.create({})
    got = receiver.wait("customer.created")
    sandbox.stripe.v1.webhook_endpoints.delete(endpoint.id)
    until(lambda: deliveries(sandbox, got.event["id"])[0]["state"] == "failed")


def test_a_disabled_endpoint_gets_nothing(sandbox: Sandbox, receiver: Receiver) -> None:
    client = sandbox.stripe.v1.webhook_endpoints
    endpoint = client.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    client.update(endpoint.id, {"disabled": True})
    sandbox.stripe.v1.customers.create({})
    event = sandbox.stripe.v1.events.list({"limit": 1}).data[0]
    assert deliveries(sandbox, event.id) == []
    client.delete(endpoint.id)


def test_disabling_an_endpoint_ends_what_it_has_not_answered(sandbox: Sandbox, receiver: Receiver) -> None:
    client = sandbox.stripe.v1.webhook_endpoints
    endpoint = client.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    receiver.answer = lambda _: 500
    sandbox.stripe.v1.customers.create({})
    got = receiver.wait("customer.created")
    client.update(endpoint.id, {"disabled": True})
    assert sandbox.stripe.v1.events.retrieve(got.event["id"]).pending_webhooks == 0
    tried = len(receiver.received)
    client.update(endpoint.id, {"disabled": False})
    time.sleep(0.5)
    assert len(receiver.received) == tried  # nor is it made good when the endpoint is back
    client.delete(endpoint.id)


def roll(sandbox: Sandbox, endpoint: str, **asked: int) -> dict[str, Any]:
    return sandbox.http.browser.post(f"/_sim/webhook_endpoints/{endpoint}/roll", json=asked).json()


def test_a_rolled_secret_signs_beside_the_new_one_until_it_is_over(sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint = sandbox.stripe.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    assert endpoint.secret is not None
    rolled = roll(sandbox, endpoint.id, expires_in=1)
    assert rolled["id"] == endpoint.id
    assert abs(rolled["previous_expires_at"] - time.time() - 1) < 2
    sandbox.stripe.v1.customers.create({})
    both = receiver.wait("customer.created")
    assert both.signature.count("v1=") == 2
    for secret in (endpoint.secret, rolled["secret"]):
        stripe.Webhook.construct_event(both.payload, both.signature, secret)
    time.sleep(1.1)
    sandbox.stripe.v1.customers.create({})
    one = receiver.wait("customer.created", 2)
    assert one.signature.count("v1=") == 1
    stripe.Webhook.construct_event(one.payload, one.signature, rolled["secret"])
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(one.payload, one.signature, endpoint.secret)
    assert "secret" not in sandbox.stripe.v1.webhook_endpoints.retrieve(endpoint.id).to_dict()
    sandbox.stripe.v1.webhook_endpoints.delete(endpoint.id)


def test_a_secret_rolled_without_a_delay_is_over_at_once(sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint = sandbox.stripe.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    receiver.secret = roll(sandbox, endpoint.id)["secret"]
    sandbox.stripe.v1.customers.create({})
    assert receiver.wait("customer.created").signature.count("v1=") == 1
    for asked in ({"expires_in": 90_000}, {"expires_in": "soon"}):
        answer = sandbox.http.browser.post(f"/_sim/webhook_endpoints/{endpoint.id}/roll", json=asked)
        assert answer.status_code == 400
    assert sandbox.http.browser.post("/_sim/webhook_endpoints/we_none/roll").status_code == 404
    sandbox.stripe.v1.webhook_endpoints.delete(endpoint.id)


def test_a_long_queue_keeps_the_recorded_order(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.created")

    def slow_at_first(_: Received) -> int:
        time.sleep(0 if receiver.received else 1.5)  # meanwhile the others pile up
        return 200

    receiver.answer = slow_at_first
    made = [sandbox.stripe.v1.customers.create({}).id for _ in range(260)]
    receiver.wait("customer.created", 260, seconds=20)
    assert [got.event["data"]["object"]["id"] for got in receiver.received] == made


def test_each_of_many_endpoints_gets_every_event_once(sandbox: Sandbox, receiver: Receiver) -> None:
    client = sandbox.stripe.v1.webhook_endpoints
    endpoints = [client.create({"url": receiver.url, "enabled_events": ["product.created"]}).id for _ in range(10)]
    products = [sandbox.stripe.v1.products.create({"name": f"P{number}"}).id for number in range(5)]
    receiver.wait("product.created", 50)
    event = sandbox.stripe.v1.events.list({"type": "product.created", "limit": 1}).data[0]
    until(lambda: sandbox.stripe.v1.events.retrieve(event.id).pending_webhooks == 0)
    got = [one.event["data"]["object"]["id"] for one in receiver.received]
    assert {product: got.count(product) for product in products} == dict.fromkeys(products, 10)
    assert len(deliveries(sandbox, event.id)) == len(endpoints)
    for endpoint in endpoints:
        client.delete(endpoint)


def test_a_sandbox_of_another_time_signs_with_the_machines(receiver: Receiver) -> None:
    with Sandbox("--clock", "2030-01-01") as running:
        client = running.stripe.v1.webhook_endpoints
        endpoint = client.create({"url": receiver.url, "enabled_events": ["customer.created"]})
        receiver.secret = endpoint.secret or ""
        roll_to = roll(running, endpoint.id, expires_in=3600)
        running.stripe.v1.customers.create({})
        got = receiver.wait("customer.created")  # the official library has accepted its timestamp
        assert 0 <= got.event["created"] - 1_893_456_000 < 600
        assert abs(int(got.signature[2:12]) - time.time()) < 5
        assert got.signature.count("v1=") == 2
        assert 0 <= roll_to["previous_expires_at"] - 3600 - 1_893_456_000 < 600


def test_doubled_and_dropped_deliveries_are_dials(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    receiver = hook("customer.created")
    sandbox.http.browser.post("/_sim/faults", json={"duplicate": 1, "seed": 1})
    sandbox.stripe.v1.customers.create({})
    first, second = receiver.wait("customer.created", 1), receiver.wait("customer.created", 2)
    assert first.event["id"] == second.event["id"]
    sandbox.http.browser.post("/_sim/faults", json={"duplicate": 0, "drop": 1})
    sandbox.stripe.v1.customers.create({})
    event = sandbox.stripe.v1.events.list({"limit": 1}).data[0]
    until(lambda: deliveries(sandbox, event.id)[0]["state"] == "failed")
    sandbox.http.browser.delete("/_sim/faults")
    sandbox.http.browser.post("/_sim/resend", json={"event": event.id})
    assert receiver.wait("customer.created", 3).event["id"] == event.id


def test_the_next_answers_can_be_chosen(sandbox: Sandbox) -> None:
    dial = {"answers": [{"status": 429, "count": 2, "path": "/v1/customers", "method": "POST"}]}
    assert sandbox.http.browser.post("/_sim/faults", json=dial).status_code == 200
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as refused:
            sandbox.stripe.v1.customers.create({})
        # The library leaves `.code` empty where it made the class from the status.
        assert refused.value.error is not None
        assert refused.value.error.code == "rate_limit"
    sandbox.stripe.v1.customers.create({})


@pytest.mark.parametrize("dials", [{"wat": 1}, {"drop": "x"}, {"answers": [{"nope": 1}]}, [1]])
def test_a_dial_that_does_not_exist_is_refused(sandbox: Sandbox, dials: object) -> None:
    assert sandbox.http.browser.post("/_sim/faults", json=dials).status_code == 400


def test_a_session_is_paid_by_a_control(sandbox: Sandbox) -> None:
    session = sandbox.session()
    declined = sandbox.http.browser.post("/_sim/pay", json={"session": session.id, "card": "4000000000000002"})
    assert (declined.status_code, declined.json()["error"]["code"]) == (402, "card_declined")
    asked = {"session": session.id, "card": "4000002500003155"}
    assert sandbox.http.browser.post("/_sim/pay", json={**asked, "authenticate": "fail"}).json() == {"status": "open"}
    paid = sandbox.http.browser.post("/_sim/pay", json={**asked, "authenticate": "complete"}).json()
    assert paid == {"status": "complete", "success_url": f"https://shop.example.com/thanks?id={session.id}"}
    assert sandbox.http.browser.post("/_sim/pay", json={"session": "cs_none"}).status_code == 404
