"""Whatever bytes come as a request: the form, the parameter checks and the expansion answer or refuse, never fail; and
what Stripe's parameter lists permit is accepted, in any order."""

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from paygres.sandbox.spec.document import operations
from paygres.sandbox.spec.parameters import checker
from paygres.sandbox.wire import form
from paygres.sandbox.wire.errors import Refusal
from tests.sandbox.running import Sandbox

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

# A value as it is sent (texts in dicts), and as an endpoint gets it.
Sent = tuple[Any, Any]

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
KEYS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=6)
FORMS = st.recursive(TEXTS, lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3), max_leaves=8)


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    if not isinstance(value, dict) or (name and not value):
        return [(name, value)]
    return [pair for key, one in value.items() for pair in flat(one, f"{name}[{key}]" if name else key)]


def answered(work: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """What it answers; None when it refuses, as Stripe would a request that no key remembers."""
    try:
        return work()
    except Refusal as refusal:
        if refusal.status != 400 or refusal.stored:
            raise
        return None


@quick
@given(asked=st.dictionaries(KEYS, FORMS, max_size=4), seed=st.integers(0, 999))
def test_a_nested_form_is_read_as_it_was_meant_in_any_order(asked: dict[str, Any], seed: int) -> None:
    pairs = flat(asked)
    random.Random(seed).shuffle(pairs)
    assert form.decode(encoded(pairs)) == asked


@quick
@given(sent=st.one_of(st.binary(max_size=60), st.text("ab[]=&%+0\u00e9", max_size=40).map(str.encode)))
def test_any_bytes_are_a_form_or_a_refusal(sent: bytes) -> None:
    read = answered(lambda: form.decode(sent))
    assert all(isinstance(value, str) for _, value in flat(read or {}) if value != {})


@quick
@given(operation=st.sampled_from(sorted(operations())), data=st.data())
def test_any_form_is_checked_or_refused(operation: str, data: st.DataObject) -> None:
    schema = operations()[operation]["query" if operation.startswith("GET ") else "body"]
    names = st.sampled_from(sorted(schema["properties"]) or ["wat"])
    asked = data.draw(st.dictionaries(names, FORMS, max_size=4))
    checked = answered(lambda: checker(operation)(asked, ""))
    assert checked is None or checked.keys() == asked.keys()


def values(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Sent]:
    """Any value that the published schema of a parameter permits."""
    if "anyOf" in schema:
        # Where several hashes are possible only the first is drawn: the fields that are sent decide, not the schema.
        hashes = [one for one in schema["anyOf"] if one.get("type") in ("object", "array")]
        plain = [one for one in schema["anyOf"] if one.get("enum") == [""]]
        return st.one_of([values(one, depth) for one in (hashes[:1] or schema["anyOf"][:1]) + plain])
    match schema.get("type"):
        case "object" if "properties" in schema:
            return objects(schema, depth)
        case "object":
            inner = schema.get("additionalProperties")
            each = values(inner, depth + 1) if isinstance(inner, dict) and inner else TEXTS.map(lambda one: (one, one))
            return st.dictionaries(KEYS, each, max_size=2).map(halves)
        case "array":
            listed = st.lists(values(schema["items"], depth + 1), min_size=1, max_size=2)
            return listed.map(
                lambda many: ({str(n): sent for n, (sent, _) in enumerate(many)}, [got for _, got in many])
            )
        case "integer":
            top = 2**39 if schema.get("format") == "unix-time" else 2**62
            return st.integers(0, top).map(lambda one: (str(one), one))
        case "boolean":
            return st.booleans().map(lambda one: ("true" if one else "false", one))
        case "number":
            return st.integers(0, 10**6).map(lambda one: (f"{one / 100}", one / 100))
    if "enum" in schema:
        return st.sampled_from(schema["enum"]).map(lambda one: (one, one))
    if schema.get("format") == "decimal":
        return st.integers(0, 10**6).map(lambda one: (f"{one}.5", f"{one}.5"))
    return TEXTS.map(lambda one: (one, one))


def objects(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Sent]:
    required = schema.get("required", [])
    optional = [name for name in schema["properties"] if name not in required]
    some = st.lists(st.sampled_from(optional), max_size=3, unique=True) if optional and depth < 3 else st.just([])
    return some.flatmap(
        lambda names: st.fixed_dictionaries(
            {name: values(schema["properties"][name], depth + 1) for name in [*required, *names]}
        )
    ).map(halves)


def halves(drawn: dict[str, Sent]) -> Sent:
    return {name: sent for name, (sent, _) in drawn.items()}, {name: got for name, (_, got) in drawn.items()}


@settings(quick, max_examples=200)
@given(operation=st.sampled_from(sorted(operations())), data=st.data(), seed=st.integers(0, 999))
def test_what_stripe_permits_is_accepted_and_typed(operation: str, data: st.DataObject, seed: int) -> None:
    schema = operations()[operation]["query" if operation.startswith("GET ") else "body"]
    sent, meant = data.draw(objects(schema))
    pairs = flat(sent)
    assume(all(value != {} for _, value in pairs))  # a hash without fields cannot be sent at all
    random.Random(seed).shuffle(pairs)
    assert checker(operation)(form.decode(encoded(pairs)), "") == meant


EXPANDABLE = ["customer", "latest_invoice", "items", "data", "price", "product", "payments", "payment_intent", "id"]
PATHS = st.lists(st.sampled_from([*EXPANDABLE, "default_payment_method", "subscriptions", "wat", ""]), max_size=5).map(
    ".".join
)


@pytest.fixture(scope="module")
def subscription(sandbox: Sandbox) -> str:
    session = sandbox.session(sandbox.price(recurring={"interval": "month"}), mode="subscription")
    assert sandbox.pay(session).status_code == 303
    return str(sandbox.stripe.v1.checkout.sessions.retrieve(session.id).subscription)


@settings(quick, max_examples=60)
@given(paths=st.lists(PATHS, min_size=1, max_size=3, unique=True), listed=st.booleans())
def test_any_path_is_expanded_or_refused_and_order_is_nothing(
    sandbox: Sandbox, subscription: str, paths: list[str], listed: bool
) -> None:
    url = "/v1/subscriptions" if listed else f"/v1/subscriptions/{subscription}"
    prefix = "data." if listed else ""

    def ask(order: list[str]) -> Any:
        asked = {f"expand[{place}]": prefix + path for place, path in enumerate(order)}
        answer = sandbox.http.api("GET", url, asked)
        assert answer.status_code in (200, 400)
        return answer.json() if answer.status_code == 200 else "refused"

    assert ask(paths) == ask(paths[::-1])
