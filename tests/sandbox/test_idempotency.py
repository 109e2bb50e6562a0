"""Idempotency keys behave as Stripe documents them."""

import threading
import time

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


def test_other_parameters_or_another_path_are_refused(sandbox: Sandbox) -> None:
    sandbox.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="other")
    for path, form in (("/v1/customers", "name=Grace"), ("/v1/products", "name=Ada")):
        error = sandbox.http.refused("POST", path, form, Idempotency_Key="other")
        assert (error["status"], error["type"]) == (400, "idempotency_error")
        assert error["message"].startswith(
            "Keys for idempotent requests can only be used with the same parameters they were first used with."
        )


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
    assert (error["status"], error["code"]) == (409, "idempotency_key_in_use")
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
