"""A wrong argument is refused before anything is sent, by its name."""

from typing import Any

import pytest

import paygres
from tests.client.both import CHECKOUT, KINDS, Kind, call
from tests.client.scripted import scripted

ITEM = {"price_id": "price_1Example", "quantity": 1}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"mode": "subscription"}, "subject"),
    ({"mode": "setup"}, "mode"),
    ({"mode": None}, "mode"),
    ({"line_items": []}, "line_items"),
    ({"line_items": [ITEM] * 101}, "line_items"),
    ({"line_items": "price_1Example"}, "line_items"),
    ({"line_items": [{"quantity": 1}]}, "line_items.0.priceId"),
    ({"line_items": [{**ITEM, "quantity": 0}]}, "line_items.0.quantity"),
    ({"line_items": [ITEM, {**ITEM, "quantity": 1000}]}, "line_items.1.quantity"),
    ({"line_items": [{**ITEM, "quantity": 1.5}]}, "line_items.0.quantity"),
    ({"line_items": [{**ITEM, "quantity": "2"}]}, "line_items.0.quantity"),
    ({"line_items": [{**ITEM, "quantity": True}]}, "line_items.0.quantity"),
    ({"line_items": [{**ITEM, "amount": 1}]}, "line_items.0.amount"),
    ({"line_items": [{"price_id": ""}]}, "line_items.0.price_id"),
    ({"success_url": ""}, "success_url"),
    ({"cancel_url": 7}, "cancel_url"),
    ({"subject": {"type": "user"}}, "subject.id"),
    ({"subject": {"type": "", "id": "u1"}}, "subject.type"),
    ({"subject": {"type": "user", "id": 7}}, "subject.id"),
    ({"metadata": {"insforge_subject_id": "u1"}}, "metadata"),
    ({"metadata": {"order_id": 7}}, "metadata.order_id"),
    ({"idempotency_key": "x" * 201}, "idempotency_key"),
    ({"idempotency_key": ""}, "idempotency_key"),
    ({"access_token": "ik_0123"}, "access_token"),
    ({"access_token": "two\nlines"}, "access_token"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("change", "field"), WRONG)
def test_a_wrong_argument_of_a_checkout(kind: Kind, change: dict[str, Any], field: str) -> None:
    with scripted() as server, pytest.raises(paygres.ValidationError) as raised:
        call(kind, "create_checkout_session", "test", options={"base_url": server.url}, **{**CHECKOUT, **change})
    assert raised.value.field == field
    assert (raised.value.status_code, raised.value.error, server.asked) == (400, "INVALID_INPUT", [])


@pytest.mark.parametrize("environment", ["prod", "", "TEST", None, "test/../live"])
def test_an_environment_is_test_or_live(environment: Any) -> None:
    with scripted() as server, pytest.raises(paygres.ValidationError, match="'test' or 'live'") as raised:
        call("sync", "create_checkout_session", environment, options={"base_url": server.url}, **CHECKOUT)
    assert (raised.value.field, server.asked) == ("environment", [])


@pytest.mark.parametrize("wait", [-1, 31, "5", True, float("nan")])
def test_a_wait_is_up_to_30_seconds(wait: Any) -> None:
    with scripted() as server, pytest.raises(paygres.ValidationError) as raised:
        call("sync", "get_checkout_session", "test", "cs_1", options={"base_url": server.url}, wait=wait)
    assert (raised.value.field, server.asked) == ("wait", [])


@pytest.mark.parametrize("id", ["", ".", "..", 7, None])
def test_an_id_is_one_part_of_the_path(id: Any) -> None:
    with scripted() as server, pytest.raises(paygres.ValidationError) as raised:
        call("sync", "get_checkout_session", "test", id, options={"base_url": server.url})
    assert (raised.value.field, server.asked) == ("id", [])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"base_url": "pay.example.com"}, "base_url"),
        ({"base_url": "ftp://pay.example.com"}, "base_url"),
        ({"base_url": "http://"}, "base_url"),
        ({"base_url": "http://pay.example.com:x"}, "base_url"),
        ({"base_url": "https://pay.example.com/api"}, "base_url"),
        ({"base_url": "https://me:secret@pay.example.com"}, "base_url"),
        ({"anon_key": "ik_0123"}, "anon_key"),
        ({"anon_key": 7}, "anon_key"),
        ({"headers": {"X-Api-Key": "k"}}, "headers"),
        ({"headers": {"Authorization": "Bearer ik_0123"}}, "headers"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": 1.5}, "max_retries"),
        ({"retry_delay": -0.1}, "retry_delay"),
    ],
)
@pytest.mark.parametrize("create", [paygres.create_client, paygres.create_async_client])
def test_a_client_that_cannot_work_is_not_made(create: Any, options: dict[str, Any], field: str) -> None:
    with pytest.raises(paygres.ValidationError) as raised:
        create(**options)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "u1", "ttl": 0}, "ttl"),
        ({"sub": "u1", "ttl": 1.5}, "ttl"),
        ({"sub": "u1", "claims": {"role": "project_admin"}}, "claims"),
        ({"sub": "u1", "jwt_secret": None}, "jwt_secret"),
    ],
)
def test_a_user_that_cannot_be(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], field: str) -> None:
    monkeypatch.delenv("JWT_SECRET", raising=False)
    with paygres.create_client("http://127.0.0.1:9") as client, pytest.raises(paygres.ValidationError) as raised:
        client.as_user(**{"jwt_secret": "2f1c0a7b9d3e4f5061728394a5b6c7d8", **arguments})
    assert raised.value.field == field
