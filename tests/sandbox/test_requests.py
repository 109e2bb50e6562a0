"""Requests: every form encoding Stripe takes, who may ask, and what is answered to what is no request."""

import base64
import http.client
import time
from urllib.parse import urlsplit

import pytest

from tests.sandbox.running import Sandbox


def images(sandbox: Sandbox, form: str) -> list[str]:
    return sandbox.http.api("POST", "/v1/products", form).json()["images"]


@pytest.mark.parametrize(
    "form",
    [
        "name=A&images[]=https://a.example/1&images[]=https://a.example/2",
        "name=A&images[0]=https://a.example/1&images[1]=https://a.example/2",
        "name=A&images%5B1%5D=https%3A%2F%2Fa.example%2F2&images%5B0%5D=https%3A%2F%2Fa.example%2F1",
    ],
)
def test_a_list_may_be_written_in_three_ways(sandbox: Sandbox, form: str) -> None:
    assert images(sandbox, form) == ["https://a.example/1", "https://a.example/2"]


def test_a_list_of_hashes_may_be_written_without_indices(sandbox: Sandbox) -> None:
    prices = [sandbox.price(), sandbox.price()]
    items = "".join(f"&line_items[][price]={price}&line_items[][quantity]={n}" for n, price in enumerate(prices, 1))
    form = "mode=payment&success_url=https://shop.example.com&expand[]=line_items" + items
    listed = sandbox.http.api("POST", "/v1/checkout/sessions", form).json()["line_items"]["data"]
    assert [(one["price"]["id"], one["quantity"]) for one in listed] == [(prices[0], 1), (prices[1], 2)]


def test_hashes_of_a_list_may_hold_hashes_and_lists(sandbox: Sandbox) -> None:
    form = (
        "mode=payment&success_url=https://shop.example.com&expand[]=line_items.data.price.product"
        "&line_items[][price_data][currency]=usd&line_items[][price_data][unit_amount]=500"
        "&line_items[][price_data][product_data][name]=A"
        "&line_items[][price_data][product_data][images][]=https://a.example/1"
        "&line_items[][price_data][product_data][images][]=https://a.example/2&line_items[][quantity]=3"
    )
    [item] = sandbox.http.api("POST", "/v1/checkout/sessions", form).json()["line_items"]["data"]
    assert (item["quantity"], item["price"]["unit_amount"]) == (3, 500)
    assert item["price"]["product"]["images"] == ["https://a.example/1", "https://a.example/2"]


def test_an_empty_text_unsets_a_field_a_key_and_a_hash(sandbox: Sandbox) -> None:
    form = "name=Ada&description=x&metadata[a]=1&metadata[b]=2&address[line1]=Road"
    customer = sandbox.http.api("POST", "/v1/customers", form).json()
    path = f"/v1/customers/{customer['id']}"
    changed = sandbox.http.api("POST", path, "description=&metadata[a]=").json()
    assert (changed["description"], changed["metadata"]) == (None, {"b": "2"})
    assert sandbox.http.api("POST", path, "metadata=").json()["metadata"] == {}


def test_the_last_of_two_values_counts_and_a_plus_is_a_space(sandbox: Sandbox) -> None:
    made = sandbox.http.api("POST", "/v1/customers", "name=Ada&name=Ada+M.+%2B1").json()
    assert made["name"] == "Ada M. +1"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_a_body_that_is_no_form_is_refused(sandbox: Sandbox, kind: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.key}", "Content-Type": kind}
    answer = sandbox.http.browser.post("/v1/customers", content=b'{"name": "A"}', headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
        "questions, we can help at https://support.stripe.com/."
    )


def test_no_body_needs_no_content_type_and_a_charset_may_be_told(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    for kind, body in (("application/json", b""), ("application/x-www-form-urlencoded; charset=utf-8", b"name=A")):
        asked = headers | {"Content-Type": kind}
        assert sandbox.http.browser.post("/v1/customers", content=body, headers=asked).status_code == 200


def test_a_publishable_key_is_refused_by_name(sandbox: Sandbox) -> None:
    for key in ("pk_test_" + "a" * 30, "pk_live_" + "a" * 30):
        answer = sandbox.http.browser.get("/v1/account", headers={"Authorization": f"Bearer {key}"})
        error = answer.json()["error"]
        assert (answer.status_code, error["type"], error["code"]) == (
            401,
            "invalid_request_error",
            "secret_key_required",
        )
        assert error["message"].startswith("This API call cannot be made with a publishable API key.")


def test_a_revoked_key_is_unauthorized_until_it_is_restored(sandbox: Sandbox) -> None:
    key = "sk_test_51" + "Revoked1" * 6
    headers = {"Authorization": f"Bearer {key}"}
    assert sandbox.http.browser.get("/v1/account", headers=headers).status_code == 200
    sandbox.http.browser.post("/_sim/restricted_keys", json={"key": key, "permissions": None, "expired": True})
    refused = sandbox.http.browser.get("/v1/account", headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "api_key_expired")
    assert refused.json()["error"]["message"].startswith("Expired API Key provided: sk_test_*")
    sandbox.http.browser.post("/_sim/restricted_keys", json={"key": key, "permissions": None})
    assert sandbox.http.browser.get("/v1/account", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Token abc", "Basic !!!", "Basic " + "é", "garbage"])
def test_a_malformed_authorization_is_unauthorized(sandbox: Sandbox, header: str) -> None:
    answer = sandbox.http.browser.get("/v1/account", headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["www-authenticate"] == 'Basic realm="Stripe"'


@pytest.mark.parametrize("key", ["sk_live_" + "a" * 40, "rk_live_" + "a" * 40])
def test_no_live_key_is_accepted_nor_repeated(sandbox: Sandbox, key: str) -> None:
    basic = base64.b64encode(f"{key}:".encode()).decode()
    for header in (f"Bearer {key}", f"Basic {basic}"):
        answer = sandbox.http.browser.get("/v1/account", headers={"Authorization": header})
        assert answer.status_code == 401
        assert key not in answer.text


def test_another_account_cannot_be_asked_for(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.key}", "Stripe-Account": "acct_1Other"}
    answer = sandbox.http.browser.get("/v1/account", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_invalid")
    assert "does not have access to account 'acct_1Other' (or that account does not exist)" in answer.text
    own = headers | {"Stripe-Account": sandbox.ready["accountId"]}
    assert sandbox.http.browser.get("/v1/account", headers=own).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH"])
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/cus_1", "/v1/nothing"])
def test_methods_that_the_api_does_not_have_are_unrecognized(sandbox: Sandbox, method: str, path: str) -> None:
    answer = sandbox.http.browser.request(method, path, headers={"Authorization": f"Bearer {sandbox.key}"})
    assert answer.status_code == 404
    assert answer.headers["request-id"].startswith("req_")
    # A web page must not reach the sandbox beside it.
    assert "access-control-allow-origin" not in answer.headers
    if method != "HEAD":
        assert answer.json()["error"]["message"].startswith(f"Unrecognized request URL ({method}: {path}).")


def test_every_answer_has_a_request_id_of_its_own(sandbox: Sandbox) -> None:
    answers = [sandbox.http.api("GET", "/v1/customers"), sandbox.http.api("GET", "/v1/nothing")]
    ids = {answer.headers["request-id"] for answer in answers}
    assert len(ids) == 2
    assert answers[1].json()["error"]["request_log_url"].endswith(answers[1].headers["request-id"])


def test_a_connection_may_rest_while_a_buyer_reads_the_page(sandbox: Sandbox) -> None:
    place = urlsplit(sandbox.url)
    assert place.hostname is not None
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
    first = told(connection, sandbox.key)
    time.sleep(6)
    assert told(connection, sandbox.key) == first  # on the same connection: a closed one raises RemoteDisconnected
    connection.close()


def told(connection: http.client.HTTPConnection, key: str) -> bytes:
    connection.request("GET", "/v1/account", headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()
