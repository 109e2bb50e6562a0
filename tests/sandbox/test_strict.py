"""Strict validation finds what it must: a field that Stripe does not publish, at any depth, and one that is missing.
Without exceptions: the sandbox sends no field that Stripe's description lacks, and lacks none that it requires."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from paygres.sandbox.objects.catalog import find_route
from paygres.sandbox.spec.complete import schema_of
from paygres.sandbox.spec.validation import answer_violations, violations
from tests.sandbox.running import Sandbox

Object = dict[str, Any]


@pytest.fixture(scope="module")
def told(sandbox: Sandbox) -> dict[str, Object]:
    """The newest event of every type of a shop's day, by type."""
    once = sandbox.session(customer_creation="always")
    assert sandbox.pay(once).status_code == 303
    monthly = sandbox.session(sandbox.price(recurring={"interval": "month"}), mode="subscription")
    assert sandbox.pay(monthly).status_code == 303
    [charge, *_] = sandbox.stripe.v1.charges.list({"limit": 2}).data
    sandbox.stripe.v1.refunds.create({"charge": charge.id, "amount": 100})
    sandbox.stripe.v1.customers.update(str(charge.customer), {"name": "Ada"})
    found: dict[str, Object] = {}
    for event in sandbox.http.api("GET", "/v1/events", {"limit": "100"}).json()["data"]:
        found.setdefault(event["type"], event)
    return found


@pytest.fixture(scope="module")
def made(told: dict[str, Object]) -> dict[str, Object]:
    """One object of each kind, as its event tells of it."""
    return {event["data"]["object"]["object"]: event["data"]["object"] for event in told.values()}


def places(value: Any) -> Iterator[list[str | int]]:
    """The paths of all objects inside, itself first; free hashes, which may hold any name, left out."""
    if isinstance(value, dict):
        yield []
        for name, one in value.items():
            if name not in ("metadata", "data"):
                yield from ([name, *rest] for rest in places(one))
        if isinstance(value.get("data"), list):
            yield from (["data", *rest] for rest in places(value["data"]))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from ([place, *rest] for rest in places(one))


def planted(item: Object, path: list[str | int]) -> Object:
    changed: Any = copy.deepcopy(item)
    place = changed
    for step in path:
        place = place[step]
    place["wat"] = 1
    return changed


def test_a_shops_day_is_told_of_strictly_as_published(told: dict[str, Object], made: dict[str, Object]) -> None:
    assert {"checkout.session", "charge", "subscription", "invoice", "payment_intent", "refund"} <= made.keys()
    assert {type: violations(event, strict=True) for type, event in told.items()} == {type: [] for type in told}


def test_an_unknown_field_is_found_at_every_depth(made: dict[str, Object]) -> None:
    tried = 0
    for item in made.values():
        for path in places(item):
            wrong = planted(item, path)
            assert violations(wrong, strict=True), f"unseen in {item['object']} at {path}"
            assert violations(wrong) == []
            tried += 1
    assert tried > 50


def test_an_unknown_field_of_an_event_or_of_what_it_carries_is_found(told: dict[str, Object]) -> None:
    event = told["customer.updated"]
    assert any("wat" in problem for problem in violations(planted(event, []), strict=True))
    assert any("wat" in problem for problem in violations(planted(event, ["data", "object"]), strict=True))
    previous = planted(event, ["data", "previous_attributes"])
    assert violations(previous, strict=True) == ["/data/previous_attributes: 'wat' is no field of the object"]


def test_a_missing_required_field_is_found(made: dict[str, Object]) -> None:
    for item in made.values():
        for name in schema_of(item)["required"]:
            if name == "object":  # without it nobody knows what it is
                continue
            lacking = {key: value for key, value in item.items() if key != name}
            assert any(f'"{name}" is a required property' in problem for problem in violations(lacking)), name
            assert any(f'"{name}" is a required property' in problem for problem in violations(lacking, strict=True))


def test_the_frame_of_a_list_is_strict_and_so_are_its_elements(sandbox: Sandbox, made: dict[str, Object]) -> None:
    operation, _, _ = find_route("GET", "/v1/customers")
    page = sandbox.http.api("GET", "/v1/customers").json()
    assert answer_violations(operation, page, strict=True) == []
    assert answer_violations(operation, {**page, "wat": 1}, strict=True)
    assert answer_violations(operation, {**page, "data": [planted(made["customer"], [])]}, strict=True)
    assert answer_violations(operation, {name: one for name, one in page.items() if name != "has_more"}, strict=True)


@pytest.mark.parametrize(("validate", "status"), [(True, 500), (False, 200)])
def test_the_validating_sandbox_answers_500_for_an_object_that_is_not_stripes(
    validate: bool, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    wrongs: list[Object] = [{}, {"wat": 1}, {"livemode": "no"}, {"invoice_settings": {"wat": 1}}]
    with Sandbox(validate=validate) as running:
        key = {"Authorization": f"Bearer {running.key}"}
        for at, wrong in enumerate(wrongs, 1_700_000_000):
            # The seed copies whatever fields it is given.
            planted = {"customers": 1, "since": at, "until": at, "fields": {"customers": wrong}}
            assert running.http.browser.post("/_sim/seed", json=planted).status_code == 200
            answer = running.http.browser.get("/v1/customers", params={"created": at}, headers=key)
            assert answer.status_code == (status if wrong else 200)
    told = capfd.readouterr().err.splitlines()
    assert sum(line.startswith("AssertionError: GET /v1/customers") for line in told) == (3 if validate else 0)
