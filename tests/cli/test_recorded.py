"""The reference's recorded command lines, given to ours: same requests, JSON and columns, exit codes by our table."""

import json

import pytest

from tests.cli.canned_backend import CannedBackend
from tests.cli.recorded import RECORDS, WITHOUT_ENVIRONMENT, Record
from tests.cli.running import Line, cells
from tests.http.running import API_KEY

recorded = pytest.mark.parametrize("record", [*RECORDS, *WITHOUT_ENVIRONMENT], ids=lambda record: record.name[:5])


def words(record: Record) -> list[str]:
    whole = ["payments", "stripe", *record.words]
    return [*whole, "--environment", "test"] if record in RECORDS and "--environment" not in whole else whole


def prepare(backend: CannedBackend, record: Record) -> None:
    if record.asked:
        backend.say(*record.asked, record.answer, record.status)


def check_request(backend: CannedBackend, record: Record) -> None:
    assert [(one.method, one.target) for one in backend.asked] == ([record.asked] if record.asked else [])
    for one in backend.asked:
        assert one.fields == record.sent
        assert one.headers["authorization"] == f"Bearer {API_KEY}"
        assert one.headers["content-type"] == "application/json"


@recorded
def test_json_is_the_backends_own_or_one_error_object(line: Line, backend: CannedBackend, record: Record) -> None:
    prepare(backend, record)
    ran = line.here("--json", *words(record))
    check_request(backend, record)
    assert ran.code == record.code, ran.errors
    if not record.error:
        assert ran.out == json.dumps(record.json or record.answer, indent=2, ensure_ascii=False) + "\n"
        assert ran.errors == ""
        return
    assert ran.out == ""
    (only,) = ran.errors.splitlines()
    said = json.loads(only)
    assert (said["error"], said["exitCode"]) == (record.error, record.code)
    assert said["code"] == (record.answer["error"] if record.asked else "USAGE")
    assert said.get("statusCode") == (record.status if record.asked else None)


@recorded
def test_tables_have_the_references_columns(line: Line, backend: CannedBackend, record: Record) -> None:
    prepare(backend, record)
    ran = line.here(*words(record), "--utc")
    check_request(backend, record)
    assert ran.code == record.code, ran.errors
    lines = ran.out.splitlines()
    assert [tuple(cells(line)) for line in lines if tuple(cells(line)) in record.tables] == [*record.tables]
    if record.row:
        assert record.row in [tuple(cells(line))[: len(record.row)] for line in lines]
    assert [line for line in lines if line in record.said] == [*record.said]
    if record.error:
        assert f"Error: {record.error}\n" in ran.errors


def test_every_exit_code_that_differs_from_the_references_is_one_for_a_failure() -> None:
    differing = {r.name[:5]: (r.reference, r.code) for r in (*RECORDS, *WITHOUT_ENVIRONMENT) if r.code != r.reference}
    assert differing == {
        "CLI04": (1, 2),
        "CLI10": (1, 64),
        "CLI20": (1, 64),
        "CLI22": (1, 64),
        "CLI32": (1, 9),
        "CLI44": (1, 8),
        "CLI56": (1, 2),
    }


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (("products",), ("products", "list")),
        (("product", "get", "prod_1"), ("products", "get", "prod_1")),
        (("price", "list"), ("prices",)),
        (("customer",), ("customers", "list")),
        (("subscription",), ("subscriptions", "list")),
        (("transaction", "list"), ("transactions",)),
    ],
)
def test_singular_plural_and_bare_nouns_ask_the_same(
    line: Line, backend: CannedBackend, short: tuple[str, ...], long: tuple[str, ...]
) -> None:
    for words in (short, long, ("payments", "stripe", *short), ("payments", "stripe", *long)):
        line.here(*words)
    assert len(backend.asked) == 4
    assert len({(one.method, one.target) for one in backend.asked}) == 1


@pytest.mark.parametrize(
    ("words", "method", "target", "sent"),
    [
        (("products", "update", "p", "--description", "null"), "PATCH", "products/p", {"description": None}),
        (("products", "update", "p", "--active", "FALSE"), "PATCH", "products/p", {"active": False}),
        (("products", "update", "p", "--name", "N", "--metadata", "{}"), "PATCH", "products/p", None),
        (("prices", "update", "p", "--lookup-key", "null"), "PATCH", "prices/p", {"lookupKey": None}),
        (("prices", "update", "p", "--tax-behavior", "inclusive"), "PATCH", "prices/p", {"taxBehavior": "inclusive"}),
        (("prices", "--product", "prod_1"), "GET", "prices?productId=prod_1", None),
        (("products", "get", "a/b?c"), "GET", "products/a%2Fb%3Fc", None),
    ],
)
def test_values_are_sent_as_the_reference_sends_them(
    line: Line, backend: CannedBackend, words: tuple[str, ...], method: str, target: str, sent: dict[str, object] | None
) -> None:
    line.here(*words)
    (asked,) = backend.asked
    assert (asked.method, asked.target) == (method, f"/api/payments/stripe/test/catalog/{target}")
    if words[3:4] == ("--name",):
        sent = {"name": "N", "metadata": {}}
    assert asked.fields == sent
