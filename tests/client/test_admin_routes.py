"""The admin client has a method for every admin route, and sends what the route's body and query know."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import paygres
from paygres.client.admin.desk import Pages
from paygres.server.http.routes import DOCUMENTED
from tests.client.scripted import Answer, scripted

# Not an operator's API key's: a person signs in there, or out.
SESSIONS = re.compile(r"^/api/auth/admin/(refresh|logout|sessions)$")
ARGUMENTS: dict[str, Any] = {
    "environment": "test",
    "items": [{"price_id": "price_1Example", "quantity": 2}],
    "types": ["fulfillment.granted"],
    "event_ids": ["evt_1"],
    "only": ["prices"],
    "since": 1_790_000_000,
    "amount": 100,
    "unit_amount": 100,
    "limit": 7,
    "metadata": {"a": "b"},
}
# Filters that a method takes as keywords.
MORE: dict[str, dict[str, Any]] = {
    "checkout_options.set": {"locale": "de", "trial_period_days": 7},
    "transactions.list": {"status": "succeeded", "q": "pi_1", "customer_id": "cus_1", "limit": 3},
    "events.list": {"object_type": "charge", "object_id": "ch_1"},
    "events.replay_selection": {"type": "charge.*", "limit": 3, "after": "7"},
    "attention.list": {"open": True},
    "audit.list": {"environment": "test", "target": "x"},
}


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    client = paygres.create_admin_client("http://127.0.0.1:9", "ik_0123")
    for noun, desk in vars(client).items():
        if not noun.startswith("_"):
            for name, method in inspect.getmembers(desk, inspect.ismethod):
                if not name.startswith("_"):
                    yield f"{noun}.{name}", method
    yield "metrics", client.metrics


NAMES = [name for name, _ in methods()]


def call(client: paygres.AdminClient, name: str) -> None:
    """Every argument given; the refusal of the scripted server is expected."""
    found: Any = client
    for part in name.split("."):
        found = getattr(found, part)
    given: dict[str, Any] = dict(MORE.get(name, {}))
    for parameter in inspect.signature(found).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD or parameter.name == "on_progress":
            continue
        word = parameter.name.rstrip("_")
        given[parameter.name] = ARGUMENTS.get(word, True if "bool" in str(parameter.annotation) else f"{word}1")
    answer = found(**given)
    if isinstance(answer, Pages | Iterator):
        next(iter(answer))


def asked_by(name: str) -> Any:
    with scripted(Answer(404, {"error": "NOT_FOUND", "message": "m", "statusCode": 404})) as server:
        with paygres.create_admin_client(server.url, "ik_0123") as client, pytest.raises(paygres.NotFoundError):
            call(client, name)
        [asked] = server.asked
        return asked


def documented(method: str, path: str) -> Any:
    for one in DOCUMENTED:
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", one.path)
        if one.method == method and re.fullmatch(pattern, path):
            return one
    return None


@pytest.mark.parametrize("name", NAMES)
def test_a_method_sends_what_its_route_knows(name: str) -> None:
    asked = asked_by(name)
    path, _, query = asked.path.partition("?")
    route = documented(asked.method, path)
    assert route is not None, (asked.method, path)
    assert asked.headers["authorization"] == "Bearer ik_0123"
    known = {field.alias or name for name, field in route.query.model_fields.items()} if route.query else set()
    sent = {part.partition("=")[0] for part in query.split("&") if part}
    assert sent <= known, (sent, known)
    body = {field.alias or name for name, field in route.body.model_fields.items()} if route.body else set()
    assert set(asked.body or {}) <= body, (asked.body, body)


def test_every_admin_route_has_a_method() -> None:
    reached = set()
    for name in NAMES:
        asked = asked_by(name)
        route = documented(asked.method, asked.path.partition("?")[0])
        reached.add((route.method, route.path))
    with scripted(Answer(200, {"results": []})) as server, paygres.create_admin_client(server.url, "ik_0123") as admin:
        admin.connections.sync()
        reached.add((server.asked[0].method, server.asked[0].path))
    wanted = {
        (one.method, one.path) for one in DOCUMENTED if one.access == "admin" and not SESSIONS.fullmatch(one.path)
    }
    assert wanted - reached == set()
