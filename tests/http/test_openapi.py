"""The OpenAPI document: complete, and whatever it lets somebody send, the server never fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, shop
from tests.fresh_database import cloned
from tests.http.running import ANON_KEY, API_KEY, USER, Server, bearer, environment, serving, token, user

USER2 = "22222222-2222-4222-8222-222222222222"
# Tokens without an end: this module may be read long before it is run.
ADMINS = {
    "API key": {"x-api-key": API_KEY},
    "admin token": bearer(token(sub="local:root", role="project_admin")),
}
CALLERS = {
    **ADMINS,
    "user": bearer(token(sub=USER, role="authenticated")),
    "second user": bearer(token(sub=USER2, role="authenticated")),
    "guest": bearer(ANON_KEY),
    "nobody": {},
    "garbage": bearer("garbage"),
}
CONFORMS = [content_type_conformance, response_schema_conformance, status_code_conformance]
# Never asked by the generated requests, each for a reason.
LEFT_OUT = {
    ("get", "/api/paygres/{environment}/events/stream"): "does not end; tests/flows/test_event_routes.py reads it",
    ("delete", "/api/payments/stripe/{environment}/config"): "would disconnect Stripe from the requests after it",
}
MALFORMED = "Invalid HTTP request received."  # the HTTP parser's own answer, before any of our code
BOUNDED = settings(
    max_examples=6,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OWN_ROUTES = ("/livez", "/readyz", "/metrics", "/openapi.json", "/api/paygres/")


@dataclass
class Attacked:
    """A server, and ids that exist there by the name of their path parameter (`id`: by the path)."""

    server: Server
    ids: dict[str, str]

    def attack(self, operation: Any, mode: GenerationMode) -> None:
        """Every generated request as every caller; whom the route refuses before it reads, only the first one."""
        asked: set[str] = set()
        refused = set(CALLERS) - set(ADMINS) if {"apiKey": []} in operation.definition.raw["security"] else set[str]()

        def send(case: schemathesis.Case) -> None:
            if asked and self.ids and mode is GenerationMode.POSITIVE:
                self._name_what_exists(case)
            for caller, headers in CALLERS.items():
                if caller not in refused or caller not in asked:
                    asked.add(caller)
                    self._send(case, headers, mode)

        try:
            given(case=operation.as_strategy(generation_mode=mode))(BOUNDED(send))()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # a route without input has no wrong input

    def _name_what_exists(self, case: schemathesis.Case) -> None:
        """Real ids in place of generated ones, so that more than a 404 is seen."""
        for name in case.path_parameters:
            known = self.ids.get(name) or self.ids.get(f"{name} of {case.path.split('/')[4]}")
            if known:
                case.path_parameters[name] = known
        if case.path.endswith("/checkout-sessions") and isinstance(case.body, dict):
            urls = {"successUrl": "https://shop.example.com/ok", "cancelUrl": "https://shop.example.com/no"}
            case.body |= {"lineItems": [{"priceId": self.ids["priceId"]}], **urls}

    def _send(self, case: schemathesis.Case, headers: dict[str, str], mode: GenerationMode) -> None:
        if case.path == "/api/paygres/keys" and isinstance(case.body, dict) and "rotate" in case.body:
            case.body["rotate"] = False  # or the keys we call with would run out
        answer = case.call(base_url=self.server.url, headers=headers, timeout=10)
        assert answer.status_code < 500, (answer.status_code, answer.text)
        if answer.status_code >= 400 and answer.text != MALFORMED:
            refusal = answer.json()
            assert (refusal["statusCode"], bool(refusal["message"])) == (answer.status_code, True)
        if mode is GenerationMode.POSITIVE:
            case.validate_response(answer, checks=CONFORMS)


def _operations(document: dict[str, Any], left_out: tuple[str, ...] = ()) -> Iterator[Any]:
    """Each operation of the document but those that are left out."""
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        named = (operation.method.lower(), operation.path)
        if not any(operation.path.endswith(end) for end in left_out) and (left_out or named not in LEFT_OUT):
            yield operation


def _known_ids(opened: Shop) -> dict[str, str]:
    """A product, a price, a paid session and its payment, a subscription, and an event that told of them."""
    user2 = {"type": "user", "id": USER2}
    session = opened.buy(CALLERS["second user"], subject=user2)
    opened.pay(session)
    monthly = opened.sandbox.price(recurring={"interval": "month"})
    items = [{"priceId": monthly}]
    subscribed = opened.buy(CALLERS["second user"], mode="subscription", lineItems=items, subject=user2)
    opened.pay(subscribed)
    [event] = opened.sql("select provider_event_id from payments.webhook_events limit 1")
    return {
        "environment": "test",
        "productId": str(opened.sandbox.stripe.v1.prices.retrieve(opened.price).product),
        "priceId": opened.price,
        "type": "user",
        "id of subjects": USER2,
        "id of checkout-sessions": session["id"],
        "id of events": event["provider_event_id"],
        "id of payments": opened.row(session["id"])["payment_intent_id"],
        "id of subscriptions": opened.row(subscribed["id"])["subscription_id"],
    }


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    return server.client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def connected(postgres: Urls) -> Iterator[Attacked]:
    """A server of its own, with a sandbox behind it: what is thrown at it uses up the sign-ins of our network."""
    with shop(postgres) as opened:
        yield Attacked(opened.server, _known_ids(opened))


@pytest.fixture(scope="module")
def unconfigured(postgres: Urls) -> Iterator[Attacked]:
    with cloned(postgres) as fresh, serving(environment(fresh.server_url)) as running:
        yield Attacked(running, {})


def test_own_routes_are_marked_as_extensions(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation.get("x-paygres-extension", False) == path.startswith(OWN_ROUTES)


def test_the_checkout_body_is_described_as_it_is_validated(document: dict[str, Any]) -> None:
    body = document["components"]["schemas"]["CheckoutRequest"]
    assert body["required"] == ["mode", "lineItems", "successUrl", "cancelUrl"]
    assert body["additionalProperties"] is False
    assert body["properties"]["lineItems"]["maxItems"] == 100
    assert body["properties"]["idempotencyKey"]["maxLength"] == 200
    assert "null" not in str(body["properties"]["subject"])


def test_every_documented_route_exists(server: Server, document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method in methods:
            wanted = path.replace("{environment}", "test").replace("{", "").replace("}", "")
            answer = server.client.request(method.upper(), wanted, headers=user())
            assert not answer.text.startswith('{"error":"NOT_FOUND","message":"Endpoint')


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_nothing_the_document_allows_or_forbids_makes_a_server_error(
    connected: Attacked, document: dict[str, Any], mode: GenerationMode
) -> None:
    for operation in _operations(document):
        connected.attack(operation, mode)


def test_without_stripe_no_request_makes_a_server_error_either(
    unconfigured: Attacked, document: dict[str, Any]
) -> None:
    for operation in _operations(document, left_out=("events/stream",)):
        unconfigured.attack(operation, GenerationMode.POSITIVE)


def test_what_is_left_out_is_in_the_document(document: dict[str, Any]) -> None:
    for method, path in LEFT_OUT:
        assert method in document["paths"][path]
