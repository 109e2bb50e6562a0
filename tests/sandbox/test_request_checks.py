"""Requests are refused as Stripe refuses them: status, type, code, param and text."""

import base64

import pytest

from tests.sandbox.running import Sandbox

SESSION = "mode=payment&success_url=https://shop.example.com/ok&line_items[0][quantity]=1"


@pytest.mark.parametrize(
    ("path", "form", "code", "param", "message"),
    [
        ("/v1/customers", "wat=1", "parameter_unknown", "wat", "Received unknown parameter: wat"),
        (
            "/v1/customers",
            "invoice_settings[nope]=1",
            "parameter_unknown",
            "invoice_settings[nope]",
            "Received unknown parameter: invoice_settings[nope]",
        ),
        ("/v1/customers", "a=1&b=2", "parameter_unknown", "a", "Received unknown parameters: a, b"),
        ("/v1/customers", "balance=abc", "parameter_invalid_integer", "balance", "Invalid integer: abc"),
        (
            "/v1/customers",
            "balance=99999999999999999999",
            "parameter_invalid_integer",
            "balance",
            "Invalid integer: 99999999999999999999",
        ),
        ("/v1/products", "active=true", "parameter_missing", "name", "Missing required param: name."),
        ("/v1/products", "name=A&active=maybe", None, "active", "Invalid boolean: maybe"),
        (
            "/v1/products",
            "name=",
            "parameter_invalid_empty",
            "name",
            "You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; "
            "however 'name' cannot be unset. You should remove 'name' from your request or supply a non-empty value.",
        ),
        (
            "/v1/customers",
            "tax_exempt=often",
            None,
            "tax_exempt",
            "Invalid tax_exempt: must be one of exempt, none, or reverse",
        ),
        (
            "/v1/prices",
            "currency=usd&unit_amount=5&product_data[name]=A&recurring[interval]=decade",
            None,
            "recurring[interval]",
            "Invalid recurring[interval]: must be one of day, month, week, or year",
        ),
        ("/v1/customers", "metadata=x", None, "metadata", "Invalid object"),
        ("/v1/products", "name=A&images=x", None, "images", "Invalid array"),
        (
            "/v1/checkout/sessions",
            SESSION + "&line_items[0][price_data][unit_amount]=1",
            "parameter_missing",
            "line_items[0][price_data][currency]",
            "Missing required param: line_items[0][price_data][currency].",
        ),
        (
            "/v1/checkout/sessions",
            SESSION + "&line_items[0][price]=price_x",
            "resource_missing",
            "line_items[0][price]",
            "No such price: 'price_x'",
        ),
        ("/v1/customers", "email=nope", "email_invalid", "email", "Invalid email address: nope"),
        ("/v1/products", "name=A%00B", None, None, "Invalid string: null bytes are not allowed."),
        ("/v1/products", "name=%ff", None, None, "Invalid form encoding: the body must be URL-encoded UTF-8."),
        ("/v1/customers", "a=1&a[b]=1", None, "a[b]", "Invalid object: a[b] is sent both as a value and as a hash."),
        (
            "/v1/webhook_endpoints",
            "url=ftp://example.com&enabled_events[]=*",
            "url_invalid",
            "url",
            "Invalid URL: An explicit scheme (such as https) must be provided.",
        ),
    ],
)
def test_a_wrong_parameter_is_refused_in_stripes_words(
    sandbox: Sandbox, path: str, form: str, code: str | None, param: str | None, message: str
) -> None:
    error = sandbox.http.refused("POST", path, form)
    assert error["status"] == 400
    assert error["type"] == "invalid_request_error"
    assert (error.get("code"), error.get("param"), error["message"]) == (code, param, message)


def test_the_documentation_of_a_code_is_linked(sandbox: Sandbox) -> None:
    error = sandbox.http.refused("POST", "/v1/customers", "wat=1")
    assert error["doc_url"] == "https://stripe.com/docs/error-codes/parameter-unknown"


def test_an_unsupported_currency_lists_the_supported_ones(sandbox: Sandbox) -> None:
    error = sandbox.http.refused("POST", "/v1/prices", "currency=zzz&unit_amount=1&product_data[name]=A")
    assert error["param"] == "currency"
    assert error["message"].startswith("Invalid currency: zzz. Stripe currently supports these currencies: usd, aed,")


def test_lists_may_be_sent_with_indices_or_empty_brackets(sandbox: Sandbox) -> None:
    for form in (
        "name=A&images[]=https://a.example/1&images[]=https://a.example/2",
        "name=A&images[1]=https://a.example/2&images[0]=https://a.example/1",
    ):
        answer = sandbox.http.api("POST", "/v1/products", form).json()
        assert answer["images"] == ["https://a.example/1", "https://a.example/2"]


@pytest.mark.parametrize("key", ["", "sk_test_short", "garbage", "uk_test_" + "a" * 30])
def test_a_missing_or_garbled_key_is_unauthorized(sandbox: Sandbox, key: str) -> None:
    header = {"Authorization": f"Bearer {key}"} if key else {}
    answer = sandbox.http.browser.get("/v1/account", headers=header)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("Invalid API Key provided: " if key else "You did not provide an API key.")
    assert not key or key not in error["message"]


def test_a_live_key_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.http.browser.get("/v1/account", headers={"Authorization": "Bearer sk_live_" + "a" * 40})
    assert answer.status_code == 401
    assert "refuses live keys" in answer.json()["error"]["message"]


def test_a_key_may_come_as_basic_authentication(sandbox: Sandbox) -> None:
    credentials = base64.b64encode(f"{sandbox.key}:".encode()).decode()
    answer = sandbox.http.browser.get("/v1/account", headers={"Authorization": f"Basic {credentials}"})
    assert answer.json()["id"] == sandbox.ready["accountId"]


def test_another_test_key_is_another_account_with_its_own_objects(sandbox: Sandbox) -> None:
    customer = sandbox.stripe.v1.customers.create({})
    other = {"Authorization": "Bearer sk_test_51" + "Other" * 8}
    account = sandbox.http.browser.get("/v1/account", headers=other).json()
    assert account["id"] != sandbox.ready["accountId"]
    assert sandbox.http.browser.get(f"/v1/customers/{customer.id}", headers=other).status_code == 404


def test_an_unknown_path_is_unrecognized(sandbox: Sandbox) -> None:
    answer = sandbox.http.browser.get("/v1/wat", headers={"Authorization": f"Bearer {sandbox.key}"})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/wat).")


def test_a_path_that_only_stripe_serves_says_so(sandbox: Sandbox) -> None:
    answer = sandbox.http.browser.get("/v1/accounts/acct_1/persons", headers={"Authorization": f"Bearer {sandbox.key}"})
    assert answer.status_code == 404
    assert "the sandbox does not simulate it" in answer.json()["error"]["message"]


def test_answers_carry_stripes_headers(sandbox: Sandbox) -> None:
    sent = {"Stripe_Version": "2026-05-27.dahlia", "Idempotency_Key": "h1"}
    answer = sandbox.http.api("POST", "/v1/customers", "name=A", **sent)
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2026-05-27.dahlia"
    assert answer.headers["idempotency-key"] == "h1"
    assert answer.headers["date"]


def test_an_oversize_body_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.http.browser.post(
        "/v1/customers", content=b"name=" + b"a" * 1_000_001, headers={"Authorization": f"Bearer {sandbox.key}"}
    )
    assert answer.status_code == 413


def test_metadata_is_merged_and_unset(sandbox: Sandbox) -> None:
    customers = sandbox.stripe.v1.customers
    customer = customers.create({"metadata": {"a": "1", "b": "2"}})
    customer = customers.update(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert customer.to_dict()["metadata"] == {"a": "1", "c": "3"}
    customer = customers.update(customer.id, {"metadata": ""})
    assert customer.to_dict()["metadata"] == {}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"metadata[" + "k" * 41 + "]": "1"}, "Metadata keys can have up to 40 characters"),
        (
            {"metadata[k]": "v" * 501},
            "Metadata values can have up to 500 characters, but you passed in a value that is 501 characters.",
        ),
        ({f"metadata[k{n}]": "1" for n in range(51)}, "Metadata can have up to 50 keys"),
    ],
)
def test_metadata_has_limits(sandbox: Sandbox, form: dict[str, str], message: str) -> None:
    assert sandbox.http.refused("POST", "/v1/customers", form)["message"].startswith(message)


def test_expand_replaces_ids_and_adds_lists(sandbox: Sandbox) -> None:
    session = sandbox.session(expand=["line_items.data.price.product"])
    assert session.line_items.data[0].price.product.name == "Pocket notebook"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("wat", "This property cannot be expanded (wat)."),
        ("currency", "This property cannot be expanded (currency)."),
        ("a.b.c.d.e", "You cannot expand more than 4 levels of a property. Property: a.b.c.d.e"),
    ],
)
def test_a_wrong_expand_path_is_refused(sandbox: Sandbox, path: str, message: str) -> None:
    session = sandbox.session()
    error = sandbox.http.refused("GET", f"/v1/checkout/sessions/{session.id}", {"expand[]": path})
    assert error["message"] == message


def test_lists_are_expanded_below_data(sandbox: Sandbox) -> None:
    sandbox.price()
    listed = sandbox.stripe.v1.prices.list({"limit": 1, "expand": ["data.product"]})
    assert listed.to_dict()["data"][0]["product"]["name"] == "Pocket notebook"
    error = sandbox.http.refused("GET", "/v1/prices", {"expand[]": "product"})
    assert error["message"] == "This property cannot be expanded (product)."
