"""Idempotency keys behave as Stripe documents them."""

import threading
import time

import pytest

from paygres.sandbox.store import Store
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.idempotency import KEPT_SECONDS, IdempotencyKeys, Replay, fingerprint
from tests.sandbox.running import Sandbox


def test_a_repeated_request_is_answered_with_the_first_answer(sandbox: Sandbox) -> None:
    first = sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="same")
    second = sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="same")
    assert second.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]


def test_a_replay_is_the_first_answer_even_when_the_object_has_changed(sandbox: Sandbox) -> None:
    first = sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="changed").json()
    sandbox.stripe.v1.customers.update(first["id"], {"name": "Grace"})
    assert sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="changed").json()["name"] == "Ada"


def test_other_parameters_are_refused(sandbox: Sandbox) -> None:
    sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="other")
    error = sandbox.http.refused("POST", "/v1/customers", "name=Grace", Idempotency_Key="other")
    assert (error["status"], error["type"]) == (400, "idempotency_error")
    assert error["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a "
        "key other than 'other' if you meant to execute a different request."
    )


def test_another_endpoint_is_refused_by_its_path(sandbox: Sandbox) -> None:
    sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="path")
    error = sandbox.http.refused("POST", "/v1/products", "name=Ada", Idempotency_Key="path")
    assert (error["status"], error["type"]) == (400, "idempotency_error")
    assert error["message"] == (
        "Keys for idempotent requests can only be used for the same endpoint they were first used for ('/v1/products' "
        "vs '/v1/customers'). Try using a key other than 'path' if you meant to execute a different request."
    )


def test_the_same_parameters_in_another_order_are_the_same(sandbox: Sandbox) -> None:
    forms = ("name=Ada&metadata[a]=1&metadata[b]=2", "metadata%5Bb%5D=2&metadata[a]=1&name=Ada")
    first, second = (sandbox.http.api("POST", "/v1/customers", form, Idempotency_Key="order") for form in forms)
    assert second.content == first.content


def test_keys_of_two_accounts_are_two_keys(sandbox: Sandbox) -> None:
    made = sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="ours").json()
    headers = {"Authorization": "Bearer sk_test_51" + "Second12" * 5, "Idempotency-Key": "ours"}
    theirs = sandbox.http.browser.post("/v1/customers", data={"name": "Grace"}, headers=headers)
    assert theirs.status_code == 200
    assert theirs.json()["id"] != made["id"]


def test_a_key_is_forgotten_after_a_day() -> None:
    began = 1_790_000_000.0
    keys, mark = IdempotencyKeys(Store(None), began), fingerprint("/v1/customers", {"name": "Ada"})
    assert keys.begin("acct_1", "k", mark, began) is None
    keys.keep("acct_1", "k", mark, began, "POST /v1/customers", Replay(200, b"{}", "req_1"))
    keys.end("acct_1", "k")
    assert keys.begin("acct_1", "k", mark, began + KEPT_SECONDS - 1) == Replay(200, b"{}", "req_1")
    assert keys.begin("acct_1", "k", mark, began + KEPT_SECONDS + 1) is None
    with pytest.raises(Refusal, match="another in-progress request"):
        keys.begin("acct_1", "k", mark, began + KEPT_SECONDS + 1)


def test_a_key_may_have_255_characters(sandbox: Sandbox) -> None:
    assert sandbox.http.api("POST", "/v1/customers", "name=A", Idempotency_Key="k" * 255).status_code == 200
    error = sandbox.http.refused("POST", "/v1/customers", "name=A", Idempotency_Key="k" * 256)
    assert (error["status"], error["type"]) == (400, "idempotency_error")


def test_a_failed_validation_is_not_remembered(sandbox: Sandbox) -> None:
    sandbox.http.refused("POST", "/v1/products", "active=true", Idempotency_Key="late")
    assert sandbox.http.api("POST", "/v1/products", "name=A", Idempotency_Key="late").status_code == 200


def test_a_refusal_by_the_endpoint_is_remembered(sandbox: Sandbox) -> None:
    form = "product=prod_later&currency=usd&unit_amount=5"
    assert sandbox.http.api("POST", "/v1/prices", form, Idempotency_Key="kept").status_code == 400
    sandbox.stripe.v1.products.create({"id": "prod_later", "name": "A"})
    again = sandbox.http.api("POST", "/v1/prices", form, Idempotency_Key="kept")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (400, "true")


def test_keys_are_for_posts_only(sandbox: Sandbox) -> None:
    answer = sandbox.http.api("GET", "/v1/customers", {}, Idempotency_Key="read")
    assert "idempotency-key" not in answer.headers


def test_a_second_request_in_flight_conflicts(sandbox: Sandbox) -> None:
    form = {"email": "busy@example.com"}
    headers = {"Authorization": f"Bearer {sandbox.key}", "Idempotency-Key": "busy"}
    answers: list[int] = []

    def first() -> None:
        answers.append(sandbox.http.browser.post("/v1/customers", data=form, headers=headers).status_code)

    sandbox.http.browser.post("/_sim/faults", json={"latency": 1.5})
    thread = threading.Thread(target=first)
    thread.start()
    # The work is done before the answer is slept on: once the customer is there, the key is in flight.
    while not sandbox.stripe.v1.customers.list({"email": "busy@example.com"}).data:
        time.sleep(0.01)
    error = sandbox.http.refused("POST", "/v1/customers", form, Idempotency_Key="busy")
    assert (error["status"], error["type"], error["code"]) == (409, "idempotency_error", "idempotency_key_in_use")
    assert error["message"] == (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        "twice, and the other request is still going through): busy. Please try again later."
    )
    thread.join()
    sandbox.http.browser.post("/_sim/faults", json={"latency": 0})
    assert answers == [200]
    again = sandbox.http.api("POST", "/v1/customers", form, Idempotency_Key="busy")
    assert again.headers["idempotent-replayed"] == "true"


def test_an_answer_lost_after_the_work_is_replayed(sandbox: Sandbox) -> None:
    dial = {"answers": [{"status": 500, "path": "/v1/customers", "after": True}]}
    sandbox.http.browser.post("/_sim/faults", json=dial)
    lost = sandbox.http.api("POST", "/v1/customers", "name=Lost&email=lost@example.com", Idempotency_Key="lost")
    assert lost.status_code == 500
    again = sandbox.http.api("POST", "/v1/customers", "name=Lost&email=lost@example.com", Idempotency_Key="lost")
    assert again.status_code == 200
    assert len(sandbox.stripe.v1.customers.list({"email": "lost@example.com"}).data) == 1


def test_latency_is_slept_concurrently() -> None:
    with Sandbox("--latency", "0.5") as slow:
        threads = [
            threading.Thread(target=slow.http.api, args=("POST", "/v1/customers", f"name=A{n}")) for n in range(10)
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 2.5
