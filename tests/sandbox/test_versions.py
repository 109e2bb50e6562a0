"""API versions: what an endpoint or a request of an older one gets, and that Paygres' server reads it as it reads the
pinned one."""

from collections.abc import Callable
from typing import Any

import pytest

from paygres.sandbox.versions import event_in, supported
from paygres.server.projections.objects import KINDS
from paygres.server.projections.project import project
from paygres.server.projections.snapshots import Snapshot
from tests.sandbox.running import VERSION, Receiver, ReceiverServer, Sandbox

BASIL = "2025-03-31.basil"
CLOVER = "2025-09-30.clover"


def coupon(sandbox: Sandbox) -> str:
    return sandbox.stripe.v1.coupons.create({"percent_off": 10, "duration": "forever"}).id


def ask(sandbox: Sandbox, version: str, method: str, path: str, form: dict[str, str] | None = None) -> Any:
    """An answer in some version. Only what Stripe publishes for ours can be checked against its schema."""
    headers = {"Authorization": f"Bearer {sandbox.key}", "Stripe-Version": version}
    return sandbox.http.browser.request(method, path, data=form, headers=headers)


def test_a_session_of_basil_has_the_older_names_of_ui_modes(sandbox: Sandbox) -> None:
    price = sandbox.price()
    form = {"mode": "payment", "line_items[0][price]": price, "line_items[0][quantity]": "1"}
    form["success_url"] = "https://shop.example.com/ok"
    answer = ask(sandbox, BASIL, "POST", "/v1/checkout/sessions", form | {"ui_mode": "hosted"})
    assert (answer.status_code, answer.headers["stripe-version"]) == (200, BASIL)
    assert answer.json()["ui_mode"] == "hosted"
    assert sandbox.stripe.v1.checkout.sessions.retrieve(answer.json()["id"]).ui_mode == "hosted_page"
    assert ask(sandbox, CLOVER, "POST", "/v1/checkout/sessions", form).json()["ui_mode"] == "hosted"
    for version, name in ((BASIL, "hosted"), ("2026-03-25.dahlia", "hosted_page")):
        listed = ask(sandbox, version, "GET", "/v1/checkout/sessions?limit=2").json()["data"]
        assert [one["ui_mode"] for one in listed] == [name, name]
    # The older name is none in the newer version.
    error = sandbox.http.refused("POST", "/v1/checkout/sessions", form | {"ui_mode": "hosted"})
    assert error["message"].startswith("Invalid ui_mode: must be one of ")


def test_a_customers_discount_of_basil_holds_its_coupon() -> None:
    whole = {"object": "coupon", "id": "SPRING", "percent_off": 10}
    discount = {"object": "discount", "id": "di_1", "source": {"type": "coupon", "coupon": "SPRING"}}
    customer = {"object": "customer", "id": "cus_1", "discount": discount}
    event = {
        "object": "event",
        "api_version": VERSION,
        "data": {"object": customer, "previous_attributes": {"discount": {"source": {"coupon": "WINTER"}}}},
    }
    found = event_in(BASIL, event, lambda id: whole | {"id": id})
    assert found["api_version"] == BASIL
    assert found["data"]["object"]["discount"] == {"object": "discount", "id": "di_1", "coupon": whole}
    assert found["data"]["previous_attributes"] == {"discount": {"coupon": whole | {"id": "WINTER"}}}


def test_a_promotion_code_of_basil_holds_its_coupon(sandbox: Sandbox) -> None:
    id = coupon(sandbox)
    code = ask(sandbox, BASIL, "POST", "/v1/promotion_codes", {"coupon": id, "code": "SPRING"}).json()
    assert (code["coupon"]["object"], code["coupon"]["id"]) == ("coupon", id)
    assert "promotion" not in code
    newer = ask(sandbox, CLOVER, "GET", f"/v1/promotion_codes/{code['id']}").json()
    assert newer["promotion"] == {"type": "coupon", "coupon": id}
    assert "coupon" not in newer


def test_an_endpoint_gets_events_in_the_version_it_was_made_with(
    sandbox: Sandbox, hook: Callable[..., Receiver]
) -> None:
    pinned = hook("checkout.session.completed", "promotion_code.created")
    session = sandbox.session()
    server = ReceiverServer(validated=False)
    older = sandbox.stripe.v1.webhook_endpoints.create(
        {
            "url": server.receiver.url,
            "enabled_events": ["checkout.session.completed", "promotion_code.created"],
            "api_version": BASIL,
        }
    )
    assert older.api_version == BASIL
    server.receiver.secret = older.secret or ""
    sandbox.pay(session)
    sandbox.stripe.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon(sandbox)}})
    for type, field, shapes in (
        ("checkout.session.completed", "ui_mode", ("hosted", "hosted_page")),
        ("promotion_code.created", "coupon", (True, False)),
    ):
        ours, theirs = pinned.wait(type).event, server.receiver.wait(type).event
        assert (theirs["api_version"], ours["api_version"]) == (BASIL, VERSION)
        assert theirs["id"] == ours["id"]
        told = [one["data"]["object"] for one in (theirs, ours)]
        assert tuple(one["ui_mode"] if field == "ui_mode" else field in one for one in told) == shapes
    sandbox.stripe.v1.webhook_endpoints.delete(older.id)
    server.close()


def test_the_server_reads_events_of_basil_as_it_reads_ours(sandbox: Sandbox, hook: Callable[..., Receiver]) -> None:
    pinned = hook()
    server = ReceiverServer(validated=False)
    older = sandbox.stripe.v1.webhook_endpoints.create(
        {"url": server.receiver.url, "enabled_events": ["*"], "api_version": BASIL}
    )
    session = sandbox.session(sandbox.price(2000, recurring={"interval": "month"}), mode="subscription")
    sandbox.pay(session)
    for receiver in (pinned, server.receiver):
        receiver.wait("charge.updated")
        receiver.wait("invoice_payment.paid")
    read = 0
    theirs = {one.event["id"]: one.event for one in server.receiver.received}
    for one in pinned.received:
        raw = one.event["data"]["object"]
        if raw["object"] in KINDS:
            read += 1
            assert rows(theirs[one.event["id"]]["data"]["object"]) == rows(raw)
    assert read >= 10
    sandbox.stripe.v1.webhook_endpoints.delete(older.id)
    server.close()


def rows(raw: dict[str, Any]) -> dict[str, Any]:
    """What the object becomes in the server's tables, the snapshot itself left out."""
    kind = KINDS[raw["object"]]
    kind.check(raw)
    found = project(kind, Snapshot(raw["object"], raw["id"], 1_790_000_000, "event", raw, "evt_1"), (), None, ())
    return {table: those for table, those in found.items() if table != "objects"}


def test_a_version_that_cannot_be_sent_is_refused_for_an_endpoint(sandbox: Sandbox) -> None:
    for version in ("2024-06-20", "2026-05-27", "latest"):
        form = {"url": "https://shop.example.com/hook", "enabled_events[]": "*", "api_version": version}
        error = sandbox.http.refused("POST", "/v1/webhook_endpoints", form)
        assert (error["status"], error["param"]) == (400, "api_version")
        assert error["message"].startswith("Invalid api_version: must be one of ")
    assert (supported()[0], supported()[-1]) == (BASIL, VERSION)


@pytest.mark.parametrize(
    ("header", "answered"),
    [("2026-10-28.endive", VERSION), (VERSION, VERSION), ("2025-08-27.basil", "2025-08-27.basil")],
)
def test_a_request_is_answered_in_its_version_or_the_newest(sandbox: Sandbox, header: str, answered: str) -> None:
    answer = ask(sandbox, header, "GET", "/v1/customers")
    assert (answer.status_code, answer.headers["stripe-version"]) == (200, answered)


@pytest.mark.parametrize("header", ["2024-06-20", "2025-03-32.basil", "newest", ""])
def test_a_version_that_is_none_is_refused(sandbox: Sandbox, header: str) -> None:
    answer = ask(sandbox, header, "GET", "/v1/customers")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"Invalid Stripe API version: {header}")
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_idempotency_key_replays_the_shape_of_the_first_answer(sandbox: Sandbox) -> None:
    form = {"coupon": coupon(sandbox)}
    headers = {"Authorization": f"Bearer {sandbox.key}", "Stripe-Version": BASIL, "Idempotency-Key": "older"}
    answers = [sandbox.http.browser.post("/v1/promotion_codes", data=form, headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotent-replayed"] == "true"
