"""Lists of transactions, subscriptions and customers: the contract's, and pages with filters, cursors and CSV."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import cloned, in_its_own_loop
from tests.http.running import Server, admin, environment, serving, user


def words(text: str) -> list[str]:
    return text.split()


ROWS = Path(__file__).with_name("listed_rows.sql")
CONTRACT, OURS = "/api/payments/stripe/test", "/api/paygres/test"
TRANSACTION = words("""environment provider type status subjectType subjectId providerCustomerId
    customerEmailSnapshot providerReferenceId providerReferenceType amount amountRefunded currency description paidAt
    failedAt refundedAt providerCreatedAt createdAt updatedAt""")
SUBSCRIPTION = words("""environment subscriptionId customerId subjectType subjectId status currentPeriodStart
    currentPeriodEnd cancelAtPeriodEnd cancelAt canceledAt trialStart trialEnd latestInvoiceId metadata syncedAt
    createdAt updatedAt items""")
ITEM = words("""environment subscriptionItemId subscriptionId productId priceId quantity metadata createdAt
    updatedAt""")
CUSTOMER = words("""environment provider providerCustomerId email name phone deleted metadata providerCreatedAt
    syncedAt paymentsCount lastPaymentAt totalSpend totalSpendCurrency paymentMethodBrand paymentMethodLast4
    countryCode""")
ID = {"transactions": "providerReferenceId", "subscriptions": "subscriptionId", "customers": "providerCustomerId"}


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ROWS.read_text(encoding="utf-8"))
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def filled(postgres: Urls) -> Iterator[Server]:
    """A server on the rows of listed_rows.sql."""
    with cloned(postgres) as fresh, serving(environment(fresh.server_url)) as running:
        in_its_own_loop(_fill(fresh.superuser_url))
        yield running


def get(server: Server, path: str, expected: int = 200, /, **query: str) -> dict[str, Any]:
    answer = server.client.get(path, headers=admin(), params=query)
    assert answer.status_code == expected, answer.text[:500]
    return answer.json()


def ids(server: Server, noun: str, root: str = OURS, /, **query: str) -> list[str]:
    return [row[ID[noun]] for row in get(server, f"{root}/{noun}", **query)[noun]]


def test_the_contracts_transactions_are_those_of_the_connected_account_newest_first(filled: Server) -> None:
    rows = get(filled, f"{CONTRACT}/transactions")["transactions"]
    assert [list(row) for row in rows] == [TRANSACTION] * 7
    assert [row["providerReferenceId"] for row in rows][3:] == ["pi_3", "cs_2", "re_1", "pi_1"]
    assert {**rows[-1], "createdAt": "", "updatedAt": ""} == {
        "environment": "test",
        "provider": "stripe",
        "type": "one_time_payment",
        "status": "partially_refunded",
        "subjectType": "user",
        "subjectId": "u_ada",
        "providerCustomerId": "cus_ada",
        "customerEmailSnapshot": "ada@example.com",
        "providerReferenceId": "pi_1",
        "providerReferenceType": "payment_intent",
        "amount": 2000,
        "amountRefunded": 500,
        "currency": "usd",
        "description": "=1+1",
        "paidAt": "2026-02-01T10:00:01.000Z",
        "failedAt": None,
        "refundedAt": None,
        "providerCreatedAt": "2026-02-01T10:00:00.000Z",
        "createdAt": "",
        "updatedAt": "",
    }
    assert ids(filled, "transactions", CONTRACT, subjectType="user", subjectId=" u_ada ") == ["re_1", "pi_1"]
    assert ids(filled, "transactions", CONTRACT, limit="1e0") == [rows[0]["providerReferenceId"]]
    live = get(filled, "/api/payments/stripe/live/transactions")
    assert [row["providerReferenceId"] for row in live["transactions"]] == ["pi_live"]


def test_the_contracts_subscriptions_carry_their_items_and_come_by_their_last_change(filled: Server) -> None:
    rows = get(filled, f"{CONTRACT}/subscriptions")["subscriptions"]
    assert [row["subscriptionId"] for row in rows] == [f"sub_{n}" for n in range(1, 9)]
    assert [list(row) for row in rows] == [SUBSCRIPTION] * 8
    assert rows[0]["items"] == []
    assert [list(item) for item in rows[1]["items"]] == [ITEM, ITEM]
    assert [item["subscriptionItemId"] for item in rows[1]["items"]] == ["si_2_1", "si_2_2"]
    assert (rows[1]["metadata"], rows[1]["items"][1]["quantity"]) == ({"a": "b"}, 2)
    assert rows[1]["currentPeriodEnd"] == "2026-02-01T00:00:00.000Z"
    assert ids(filled, "subscriptions", CONTRACT, subjectType="team", subjectId="t_0", limit="2") == ["sub_2", "sub_4"]


def test_the_contracts_customers_know_what_they_paid(filled: Server) -> None:
    rows = get(filled, f"{CONTRACT}/customers")["customers"]
    assert [list(row) for row in rows] == [CUSTOMER] * 5
    by_id = {row["providerCustomerId"]: row for row in rows}
    assert sorted(by_id) == ["cus_ada", "cus_bob", "cus_gone", "cus_twin1", "cus_twin2"]
    assert rows[-1]["providerCustomerId"] == "cus_gone"
    spent = {
        name: (row["paymentsCount"], row["lastPaymentAt"], row["totalSpend"], row["totalSpendCurrency"])
        for name, row in by_id.items()
    }
    # Her own 2000 - 500 and the 700 paid as a guest; the refund's own row and the other account's count nothing.
    assert spent["cus_ada"] == (2, "2026-03-01T10:00:00.000Z", 2200, "usd")
    assert spent["cus_bob"] == (2, "2026-03-03T10:00:00.000Z", None, None)  # two currencies; the failed one is none
    assert spent["cus_twin1"] == spent["cus_twin2"] == (0, None, None, None)  # whose guest payment it was is unknown
    ada = by_id["cus_ada"]
    assert (ada["paymentMethodBrand"], ada["paymentMethodLast4"], ada["countryCode"]) == ("visa", "4242", "GB")
    assert ada["metadata"] == {"tier": "gold"}
    assert ids(filled, "customers", CONTRACT, limit="1") == [rows[0]["providerCustomerId"]]


@pytest.mark.parametrize("noun", ["transactions", "subscriptions", "customers"])
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit: Number must be greater than or equal to 1"),
        ("limit=101", "limit: Number must be less than or equal to 100"),
        ("limit=abc", "limit: Expected number, received nan"),
        ("limit=", "limit: Number must be greater than or equal to 1"),
        ("limit=1.5", "limit: Expected integer, received float"),
        ("limit=7&limit=8", "limit: Expected number, received nan"),
        ("foo=1&bar=2", "(root): Unrecognized key(s) in object: 'foo', 'bar'"),
        ("limit=0x65", "limit: Number must be less than or equal to 100"),
    ],
)
def test_a_wrong_query_is_refused_in_the_contracts_words(filled: Server, noun: str, query: str, message: str) -> None:
    for root in (CONTRACT, OURS):
        answer = filled.client.get(f"{root}/{noun}?{query}", headers=admin())
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")
        assert answer.json()["message"] == message


@pytest.mark.parametrize("query", ["limit=0x10", "limit[]=7", "limit=%201e1%20"])
def test_a_limit_is_read_as_javascript_reads_numbers(filled: Server, query: str) -> None:
    assert filled.client.get(f"{CONTRACT}/customers?{query}", headers=admin()).status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        (f"{CONTRACT}/transactions", "subjectType=team", "(root): subjectType and subjectId must be provided together"),
        (f"{OURS}/subscriptions", "subjectId=1", "(root): subjectType and subjectId must be provided together"),
        (f"{CONTRACT}/customers", "subjectId=1", "(root): Unrecognized key(s) in object: 'subjectId'"),
        (f"{CONTRACT}/transactions", "status=failed", "(root): Unrecognized key(s) in object: 'status'"),
        (
            f"{CONTRACT}/subscriptions",
            "subjectType=&subjectId=1",
            "subjectType: String must contain at least 1 character(s)",
        ),
        (
            f"{CONTRACT}/transactions",
            "subjectType=a&subjectId=%00",
            "subjectId: String must not contain the NUL character",
        ),
        (f"{OURS}/transactions", "cursor=none", "cursor: Invalid cursor"),
        (f"{OURS}/transactions", "cursor=W10", "cursor: Invalid cursor"),
        (f"{OURS}/customers", "deleted=maybe", "deleted: Expected 'true' | 'false'"),
    ],
)
def test_what_only_some_lists_know(filled: Server, path: str, query: str, message: str) -> None:
    answer = filled.client.get(f"{path}?{query}", headers=admin())
    assert (answer.status_code, answer.json()["message"]) == (400, message)


@pytest.mark.parametrize("noun", ["transactions", "subscriptions", "customers"])
def test_pages_of_one_row_give_every_row_once_in_both_directions(filled: Server, noun: str) -> None:
    walks: dict[str, list[str]] = {}
    for sort in ("-created", "created"):
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = get(filled, f"{OURS}/{noun}", limit="1", sort=sort, **cursor)
            found += [row[ID[noun]] for row in page[noun]]
            if page["nextCursor"] is None:
                break
            cursor = {"cursor": page["nextCursor"]}
        assert found == ids(filled, noun, sort=sort)
        walks[sort] = found
    assert walks["created"] == walks["-created"][::-1]
    assert len(set(walks["created"])) == len(walks["created"]) == {"transactions": 7, "subscriptions": 8}.get(noun, 5)


def test_addresses_that_begin_alike_are_paged_by_address(filled: Server) -> None:
    path, found, cursor = f"{OURS}/customers", list[str](), dict[str, str]()
    while "cursor" not in cursor or cursor["cursor"]:
        page = get(filled, path, email="*", limit="1", **cursor)
        found += [row["email"].lower() for row in page["customers"]]
        cursor = {"cursor": page["nextCursor"]}
    assert found == ["aaa@example.com", "ada@example.com", "bob@example.com", *["twin@example.com"] * 2]
    by_time = get(filled, path, limit="1")["nextCursor"]
    assert get(filled, path, 400, email="a*", cursor=by_time)["error"] == "INVALID_INPUT"


def test_a_cursor_means_nothing_in_another_order(filled: Server) -> None:
    cursor = get(filled, f"{OURS}/transactions", limit="1")["nextCursor"]
    refused = get(filled, f"{OURS}/transactions", 400, cursor=cursor, sort="created")
    assert refused["message"] == "cursor: This cursor belongs to another sort order"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "failed"}, ["pi_3"]),
        ({"type": "refund"}, ["re_1"]),
        ({"subjectType": "team", "subjectId": "t_1", "currency": "EUR"}, ["in_5"]),
        ({"customerId": "cus_bob", "status": "succeeded"}, ["in_4"]),
        ({"from": "2026-03-01", "to": "2026-03-02T10:00:00Z"}, ["cs_2"]),
        ({"q": "ch_1"}, ["re_1", "pi_1"]),
        ({"q": "in_4"}, ["in_4"]),
        ({"q": "aDa@example.com"}, ["cs_2", "re_1", "pi_1"]),
        ({"q": "cus_bob", "type": "failed_payment"}, ["pi_3"]),
        ({"q": "cus_bob", "customerId": "cus_ada"}, []),
        ({"q": "pi_theirs"}, []),
    ],
)
def test_transactions_are_found_by(filled: Server, query: dict[str, str], found: list[str]) -> None:
    assert ids(filled, "transactions", **query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "canceled"}, ["sub_6", "sub_3"]),
        ({"customerId": "cus_5"}, ["sub_5"]),
        ({"subjectType": "team", "subjectId": "t_0", "status": "canceled"}, ["sub_6"]),
        ({"priceId": "price_1", "limit": "3"}, ["sub_8", "sub_7", "sub_6"]),
        ({"priceId": "price_1", "status": "canceled", "sort": "created"}, ["sub_3", "sub_6"]),
        ({"priceId": "price_3"}, []),
        ({"from": "2026-01-03"}, ["sub_8"]),
    ],
)
def test_subscriptions_are_found_by(filled: Server, query: dict[str, str], found: list[str]) -> None:
    assert ids(filled, "subscriptions", **query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"email": "ADA@example.com"}, ["cus_ada"]),
        ({"email": "TWI*", "sort": "created"}, ["cus_twin1", "cus_twin2"]),
        ({"email": "%*"}, []),
        ({"email": "_da@example.com"}, []),
        ({"deleted": "true"}, ["cus_gone"]),
        ({"from": "2026-01-01", "to": "2026-01-03", "deleted": "false"}, ["cus_bob", "cus_ada"]),
    ],
)
def test_customers_are_found_by(filled: Server, query: dict[str, str], found: list[str]) -> None:
    listed = ids(filled, "customers", **query)
    assert sorted(listed) == sorted(found)
    assert "twin" in str(found) or listed == found


def test_pages_show_what_the_contract_leaves_out(filled: Server) -> None:
    [refund, payment] = get(filled, f"{OURS}/transactions", q="pi_1")["transactions"]
    extra = ["amountDisputed", "amountLost", "parentReferenceId", "parentReferenceType", "relatedObjectIds"]
    assert list(payment) == [*TRANSACTION, *extra]
    assert (refund["parentReferenceId"], payment["relatedObjectIds"]["charge"]) == ("pi_1", "ch_1")
    [subscription] = get(filled, f"{OURS}/subscriptions", customerId="cus_4")["subscriptions"]
    assert subscription["startedAt"] == "2026-01-02T00:00:00.000Z"
    [ada] = get(filled, f"{OURS}/customers", email="ada@example.com")["customers"]
    assert (ada["subjectType"], ada["subjectId"]) == ("user", "u_ada")


@pytest.mark.parametrize("ask", [{"params": {"format": "csv"}}, {"headers": {"accept": "text/csv"}}])
def test_csv_has_every_row_that_matches_and_no_formula(filled: Server, ask: dict[str, Any]) -> None:
    headers = {**admin(), **ask.get("headers", {})}
    answer = (
        filled.client.get(f"{OURS}/transactions?limit=1", headers=headers, params=None)
        if "headers" in ask
        else (filled.client.get(f"{OURS}/transactions", headers=headers, params={**ask["params"], "limit": "1"}))
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="transactions-test.csv"'
    assert answer.text.count("\r\n") == 8
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert list(rows[0])[: len(TRANSACTION)] == TRANSACTION
    assert [rows[-1][name] for name in ("providerReferenceId", "amount", "description", "failedAt")] == [
        "pi_1",
        "2000",
        "'=1+1",
        "",
    ]
    assert rows[-1]["relatedObjectIds"] == '{"charge":"ch_1","payment_intent":"pi_1"}'
    customers = filled.client.get(f"{OURS}/customers?format=csv&email=bob*", headers=admin()).text
    assert "'=cmd()" in customers


@pytest.mark.parametrize("path", [f"{root}/{noun}" for root in (CONTRACT, OURS) for noun in ID])
def test_lists_are_for_admins(filled: Server, path: str) -> None:
    assert filled.client.get(path).status_code == 401
    assert filled.client.get(path, headers=user()).status_code == 403
    wrong = filled.client.get(path.replace("/test/", "/prod/"), headers=admin())
    assert wrong.json()["message"] == "environment: Invalid enum value. Expected 'test' | 'live', received 'prod'"
