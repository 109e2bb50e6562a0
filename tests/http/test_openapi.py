"""The OpenAPI document: complete, and whatever it lets somebody send, the server never fails."""

from collections.abc import Iterator
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
from tests.fresh_database import cloned
from tests.http.running import ANON_KEY, API_KEY, Server, bearer, environment, serving, user

CALLERS = {"admin": {"x-api-key": API_KEY}, "user": user(), "guest": bearer(ANON_KEY), "nobody": {}}
CONFORMS = [content_type_conformance, response_schema_conformance, status_code_conformance]
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


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    return server.client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def fuzzed(postgres: Urls) -> Iterator[Server]:
    """A server of its own: what is thrown at it uses up the sign-ins of our network."""
    with cloned(postgres) as fresh, serving(environment(fresh.server_url)) as running:
        yield running


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
@pytest.mark.parametrize("caller", CALLERS)
def test_nothing_the_document_allows_or_forbids_makes_a_server_error(
    fuzzed: Server, document: dict[str, Any], caller: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(document)
    for operation in schema.get_all_operations():
        _attack(fuzzed, operation.ok(), CALLERS[caller], mode)


def _attack(server: Server, operation: Any, headers: dict[str, str], mode: GenerationMode) -> None:
    try:
        cases = operation.as_strategy(generation_mode=mode)
        given(case=cases)(BOUNDED(lambda case: _send(server, case, headers, mode)))()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # a route without input has no wrong input


def _send(server: Server, case: schemathesis.Case, headers: dict[str, str], mode: GenerationMode) -> None:
    if case.path == "/api/paygres/keys" and isinstance(case.body, dict) and "rotate" in case.body:
        case.body["rotate"] = False  # or the keys we call with would run out
    answer = case.call(base_url=server.url, headers=headers, timeout=10)
    assert answer.status_code < 500, (answer.status_code, answer.text)
    if answer.status_code >= 400 and answer.text != MALFORMED:
        refusal = answer.json()
        assert (refusal["statusCode"], bool(refusal["message"])) == (answer.status_code, True)
    if mode is GenerationMode.POSITIVE:
        case.validate_response(answer, checks=CONFORMS)
