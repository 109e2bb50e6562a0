"""Whatever bytes arrive: a 4xx in Stripe's shape or an answer, never a 5xx, and the sandbox goes on."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paygres.sandbox.objects.catalog import ROOMS
from paygres.sandbox.spec.document import operations
from tests.sandbox.running import Sandbox

QUIET = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Every endpoint that makes something and needs no id for it.
CREATIONS = sorted(
    path
    for room in ROOMS
    for method, _, path in (operation.partition(" ") for operation in room.ROUTES)
    if method == "POST" and "{" not in path and f"POST {path}" in operations()
)
VALUES = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "true", "null", "[]", "{}", "9" * 30, "usd", "cus_x", "http://", "http://[", "é\u0000"]
    ),
    st.text(max_size=20),
)
STEPS = st.sampled_from(["", "0", "1", "-1", "price", "data", "enabled", "quantity", "currency", "x", "00", "999999"])


@st.composite
def forms(draw: Any) -> tuple[str, str]:
    path = draw(st.sampled_from(CREATIONS))
    names = sorted(operations()[f"POST {path}"]["body"]["properties"])
    pairs: list[str] = []
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.sampled_from(names)) + "".join(f"[{step}]" for step in draw(st.lists(STEPS, max_size=3)))
        pairs.append(f"{quote(name)}={quote(draw(VALUES))}")
    return path, "&".join(pairs)


@QUIET
@given(form=forms())
def test_no_form_makes_it_fail(sandbox: Sandbox, form: tuple[str, str]) -> None:
    path, body = form
    answer = sandbox.http.api("POST", path, body)
    assert answer.status_code < 500, answer.text


@QUIET
@given(body=st.binary(max_size=60))
def test_no_bytes_make_it_fail(sandbox: Sandbox, body: bytes) -> None:
    answer = sandbox.http.browser.post(
        "/v1/customers", content=body, headers={"Authorization": f"Bearer {sandbox.key}"}
    )
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS", "DELETE"])
def test_a_method_that_stripe_does_not_serve_is_refused(sandbox: Sandbox, method: str) -> None:
    answer = sandbox.http.browser.request(method, "/v1/customers", headers={"Authorization": f"Bearer {sandbox.key}"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/",
        "/v1/customers/%00",
        "/v1/customers/a%2Fb",
        "/v1/%E2%82%AC",
        "/v1/",
        "/v2/core/events",
        "/v1/events/x",
    ],
)
def test_a_path_that_names_nothing_is_not_found(sandbox: Sandbox, path: str) -> None:
    answer = sandbox.http.browser.get(path, headers={"Authorization": f"Bearer {sandbox.key}"})
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_deep_name_and_many_parameters_are_refused(sandbox: Sandbox) -> None:
    deep = "metadata" + "[a]" * 200 + "=1"
    assert sandbox.http.refused("POST", "/v1/customers", deep)["status"] == 400
    many = "&".join(f"metadata[k{n}]=1" for n in range(5000))
    assert sandbox.http.refused("POST", "/v1/customers", many)["status"] == 400


def test_a_web_page_cannot_turn_the_controls(sandbox: Sandbox) -> None:
    answer = sandbox.http.browser.post("/_sim/faults", json={}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("key", ["k" * 256, "\u00e9clair"])
def test_an_odd_idempotency_key_is_refused_or_echoed(sandbox: Sandbox, key: str) -> None:
    answer = sandbox.http.browser.post(
        "/v1/customers",
        headers=[(b"authorization", f"Bearer {sandbox.key}".encode()), (b"idempotency-key", key.encode("latin-1"))],
    )
    assert answer.status_code == (400 if len(key) > 255 else 200)
