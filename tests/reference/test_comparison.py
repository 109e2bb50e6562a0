"""The comparison itself: what it must see, and what it must let pass."""

from typing import Any

import pytest

from tests.reference.comparison import differences

ERROR = {"error": "INVALID_INPUT", "message": "name: Required, lineItems.0: Expected object", "statusCode": 400}
FOUND = {"price": {"id": "price_1", "active": True, "lookupKey": None, "unitAmount": 5, "syncedAt": "<ts>"}}
ANSWERED = {**FOUND["price"], "syncedAt": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (409, ERROR, ["status 400 -> 409"]),
        (400, {**ERROR, "error": "NOT_FOUND"}, ["error INVALID_INPUT -> NOT_FOUND"]),
        (400, {**ERROR, "message": "name: Required"}, ["faults of ['name', 'lineItems.0'] -> ['name']"]),
        (400, {**ERROR, "hint": "x"}, ["hint is added"]),
        (400, {**ERROR, "requestId": "req_1", "nextActions": "Send it", "message": "name: no, lineItems.0: no"}, []),
    ],
)
def test_errors_differ_by_status_code_and_form(status: int, body: dict[str, Any], seen: list[str]) -> None:
    assert differences(400, ERROR, status, body) == seen


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, []),
        ({"id": "price_other", "lookupKey": "a text", "unitAmount": 7}, []),
        ({"active": False}, ["price.active: True -> False"]),
        ({"active": "yes"}, ["price.active: boolean -> string"]),
        ({"unitAmount": None}, ["price.unitAmount: number -> null"]),
        ({"syncedAt": "yesterday"}, ["price.syncedAt: yesterday is no <ts>"]),
        ({"more": 1}, ["price.more is added"]),
    ],
)
def test_objects_differ_by_keys_types_and_states(changes: dict[str, Any], seen: list[str]) -> None:
    assert differences(200, FOUND, 200, {"price": {**ANSWERED, **changes}}) == seen


def test_the_order_of_keys_and_a_missing_one_are_seen() -> None:
    turned = dict(reversed(ANSWERED.items()))
    assert "price.keys in another order" in differences(200, FOUND, 200, {"price": turned})[0]
    del turned["active"]
    assert differences(200, FOUND, 200, {"price": turned})[0] == "price.active is missing"


def test_lists_are_compared_row_by_row_and_an_empty_one_with_nothing() -> None:
    rows = {"prices": [{"id": "price_1", "metadata": {"a": "b"}}]}
    assert differences(200, rows, 200, {"prices": []}) == []
    assert differences(200, rows, 200, {"prices": [{"id": "price_2", "metadata": {}}] * 2}) == []
    assert differences(200, rows, 200, {"prices": [{"id": 5, "metadata": {}}]}) == ["prices.id: string -> number"]
