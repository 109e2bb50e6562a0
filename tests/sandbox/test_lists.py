"""Lists: order, limits, cursors, filters."""

import pytest

from tests.sandbox.running import Sandbox


@pytest.fixture(scope="module")
def made(sandbox: Sandbox) -> list[str]:
    """Seven customers, newest first."""
    emails = [f"c{n % 2}@example.com" for n in range(7)]
    return [sandbox.stripe.v1.customers.create({"email": email}).id for email in emails][::-1]


def ids(sandbox: Sandbox, **params: object) -> list[str]:
    answer = sandbox.http.api("GET", "/v1/customers", {name: str(value) for name, value in params.items()})
    return [one["id"] for one in answer.json()["data"]]


def test_newest_comes_first_and_has_more_is_told(sandbox: Sandbox, made: list[str]) -> None:
    listed = sandbox.stripe.v1.customers.list({"limit": 3})
    assert [one.id for one in listed.data] == made[:3]
    assert listed.has_more
    assert listed.url == "/v1/customers"


def test_cursors_walk_in_both_directions(sandbox: Sandbox, made: list[str]) -> None:
    assert ids(sandbox, limit=2, starting_after=made[1]) == made[2:4]
    assert ids(sandbox, limit=2, ending_before=made[4]) == made[2:4]
    assert ids(sandbox, ending_before=made[0]) == []
    assert [one.id for one in sandbox.stripe.v1.customers.list({"limit": 2}).auto_paging_iter()] == made


def test_customers_are_found_by_email(sandbox: Sandbox, made: list[str]) -> None:
    assert ids(sandbox, email="c1@example.com") == made[1::2]
    assert ids(sandbox, email="nobody@example.com") == []


def test_created_narrows(sandbox: Sandbox, made: list[str]) -> None:
    now = sandbox.stripe.v1.customers.retrieve(made[0]).created
    assert made[0] in ids(sandbox, **{"created[gte]": now})
    assert ids(sandbox, **{"created[gt]": now + 60}) == []
    assert ids(sandbox, created=now + 60) == []


@pytest.mark.parametrize(
    ("params", "code", "param", "message"),
    [
        (
            {"starting_after": "x", "ending_before": "y"},
            None,
            None,
            "Received both starting_after and ending_before parameters. Please pass in only one.",
        ),
        ({"starting_after": "cus_aaa"}, "resource_missing", "starting_after", "No such customer: 'cus_aaa'"),
        (
            {"limit": "1000"},
            "parameter_invalid_integer",
            "limit",
            "This value must be less than or equal to 100 (it currently is '1000').",
        ),
        (
            {"limit": "0"},
            "parameter_invalid_integer",
            "limit",
            "This value must be greater than or equal to 1 (it currently is '0').",
        ),
    ],
)
def test_a_wrong_cursor_or_limit_is_refused(
    sandbox: Sandbox, params: dict[str, str], code: str | None, param: str | None, message: str
) -> None:
    error = sandbox.http.refused("GET", "/v1/customers", params)
    assert error["status"] == 400
    assert (error.get("code"), error.get("param"), error["message"]) == (code, param, message)


def test_prices_are_found_by_product_activity_and_lookup_key(sandbox: Sandbox) -> None:
    prices = sandbox.stripe.v1.prices
    product = sandbox.stripe.v1.products.create({"name": "A"}).id
    one = prices.create({"product": product, "currency": "usd", "unit_amount": 1, "lookup_key": "one"}).id
    two = prices.create({"product": product, "currency": "eur", "unit_amount": 2}).id
    prices.update(two, {"active": False})
    assert [price.id for price in prices.list({"product": product}).data] == [two, one]
    assert [price.id for price in prices.list({"product": product, "active": True}).data] == [one]
    assert [price.id for price in prices.list({"product": product, "active": False}).data] == [two]
    assert [price.id for price in prices.list({"lookup_keys": ["one", "none"]}).data] == [one]
    assert [price.id for price in prices.list({"product": product, "currency": "eur"}).data] == [two]
