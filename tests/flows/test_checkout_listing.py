"""Operators list checkout sessions page by page and end open ones; what cannot be sold is explained."""

import csv
import uuid
from typing import Any

import pytest

from tests.flows.checkouts import ADA, SESSIONS, Shop, signed_in, subject
from tests.http.running import ANON_KEY, admin, bearer

LIST = "/api/paygres/test/checkout-sessions"
MORE = "createdBy lineItems metadata idempotencyKey generation currency amountSubtotal expiresAt supersededBy"


def listed(shop: Shop, **query: Any) -> dict[str, Any]:
    answer = shop.server.client.get(LIST, params=query, headers=admin())
    assert answer.status_code == 200, answer.text
    return answer.json()


def seed(shop: Shop, kind: str, count: int) -> list[str]:
    """Sessions of a subject type, a minute apart, every third paid and two of them in one moment; newest first."""
    shop.sql(
        "insert into payments.stripe_checkout_sessions (id, environment, mode, status, subject_type, subject_id,"
        " customer_id, success_url, cancel_url, created_at)"
        " select md5($1 || n)::uuid, 'test', 'payment', case when n % 3 = 0 then 'completed' else 'failed' end,"
        " $1, 's' || n % 2, 'cus_' || $1, 'https://shop.example.com', 'https://shop.example.com',"
        " timestamptz '2026-01-01 00:00Z' + make_interval(mins => greatest(n, 2)) from generate_series(1, $2::int) n",
        kind,
        count,
    )
    found = shop.sql(
        "select id from payments.stripe_checkout_sessions where subject_type = $1 order by created_at desc, id desc",
        kind,
    )
    return [str(r["id"]) for r in found]


def pages(shop: Shop, **query: Any) -> list[list[str]]:
    """The ids of all pages."""
    found: list[list[str]] = []
    cursor = None
    while True:
        page = listed(shop, **query, **({"cursor": cursor} if cursor else {}))
        found.append([s["id"] for s in page["checkoutSessions"]])
        cursor = page["nextCursor"]
        if cursor is None:
            return found


def test_a_session_is_listed_with_what_operators_ask_for(open_shop: Shop) -> None:
    wanted = {"idempotencyKey": "listed:1", "metadata": {"order_id": "listed"}}
    session = open_shop.buy(signed_in("user_listed"), subject=subject("user", "user_listed"), **wanted)
    page = listed(open_shop, subjectType="user", subjectId="user_listed")
    (entry,) = page["checkoutSessions"]
    assert page["nextCursor"] is None
    assert list(entry) == [*session, *MORE.split()]
    assert {k: entry[k] for k in session} == session
    assert (entry["createdBy"], entry["idempotencyKey"], entry["generation"]) == ("user_listed", "listed:1", 1)
    assert entry["lineItems"] == [{"priceId": open_shop.price, "quantity": 2}]
    assert (entry["currency"], entry["amountSubtotal"], entry["supersededBy"]) == ("usd", 3000, None)
    assert entry["metadata"]["order_id"] == "listed"


@pytest.mark.parametrize("limit", [1, 4, 9, 50])
def test_pages_hold_every_row_once_in_order(open_shop: Shop, limit: int) -> None:
    kind = f"paged{limit}"
    wanted = seed(open_shop, kind, 9)
    by_customer = {"customerId": f"cus_{kind}", "limit": str(limit)}
    got = pages(open_shop, **by_customer)
    assert [one for page in got for one in page] == wanted
    assert {len(page) for page in got[:-1]} <= {limit}
    oldest_first = pages(open_shop, **by_customer, sort="created")
    assert [one for page in oldest_first for one in page] == wanted[::-1]


def test_filters_leave_out_what_does_not_match(open_shop: Shop) -> None:
    wanted = seed(open_shop, "filtered", 9)
    of = {"customerId": "cus_filtered"}
    paid = [s for s in listed(open_shop, **of)["checkoutSessions"] if s["status"] == "completed"]
    assert [s["id"] for s in listed(open_shop, **of, status="completed")["checkoutSessions"]] == [s["id"] for s in paid]
    assert len(paid) == 3
    assert listed(open_shop, **of, mode="subscription")["checkoutSessions"] == []
    odd = listed(open_shop, subjectType="filtered", subjectId="s1")["checkoutSessions"]
    assert [s["subjectId"] for s in odd] == ["s1"] * 5
    late = listed(open_shop, **of, **{"from": "2026-01-01T00:05:00Z", "to": "2026-01-01T00:08:00Z"})
    assert [s["createdAt"][14:16] for s in late["checkoutSessions"]] == ["07", "06", "05"]
    assert listed(open_shop, **of, limit="2")["checkoutSessions"][1]["id"] == wanted[1]


def test_all_statuses_are_merged_in_order(open_shop: Shop) -> None:
    seed(open_shop, "merged", 6)
    everything = listed(open_shop, limit="100")["checkoutSessions"]
    assert len({s["status"] for s in everything}) > 1
    moments = [s["createdAt"] for s in everything]
    assert moments == sorted(moments, reverse=True)


def test_a_list_is_a_csv_file_when_asked_for(open_shop: Shop) -> None:
    wanted = seed(open_shop, "in_csv", 3)
    answer = open_shop.server.client.get(LIST, params={"customerId": "cus_in_csv", "format": "csv"}, headers=admin())
    assert answer.headers["content-type"].startswith("text/csv")
    assert [line["id"] for line in csv.DictReader(answer.text.splitlines())] == wanted


def test_finding_a_page_reads_no_more_than_the_page(open_shop: Shop) -> None:
    """Of 20 000 sessions, by the index of their status; also far behind the first page."""
    seed(open_shop, "crowd", 20_000)
    open_shop.force("analyze payments.stripe_checkout_sessions")
    for query in ({}, {"status": "completed"}, {"from": "2026-01-02", "sort": "created"}, {"customerId": "cus_crowd"}):
        page = open_shop.server.client.get(LIST, params=query, headers=admin())
        assert len(page.json()["checkoutSessions"]) == 50
        assert page.elapsed.total_seconds() < 0.25


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "limit: Number must be greater than or equal to 1"),
        ({"cursor": "nonsense"}, "cursor: Invalid cursor"),
        ({"subjectType": "user"}, "(root): subjectType and subjectId must be provided together"),
        ({"status": "paid"}, "status: Invalid enum value"),
        ({"from": "yesterday"}, "from: Expected a date or time in ISO 8601"),
        ({"color": "red"}, "(root): Unrecognized key(s) in object: 'color'"),
    ],
)
def test_a_wrong_query_is_told_what_is_wrong(open_shop: Shop, query: dict[str, str], message: str) -> None:
    answer = open_shop.server.client.get(LIST, params=query, headers=admin())
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")
    assert answer.json()["message"].startswith(message)


def expire(shop: Shop, wanted: str) -> Any:
    return shop.server.client.post(f"{LIST}/{wanted}/expire", headers=admin())


@pytest.mark.parametrize("by", ["id", "checkoutSessionId"])
def test_an_open_session_is_expired_here_and_at_stripe_and_recorded(open_shop: Shop, by: str) -> None:
    session = open_shop.buy(signed_in(ADA))
    answer = expire(open_shop, session[by])
    assert answer.status_code == 200, answer.text
    ended = answer.json()["checkoutSession"]
    assert (ended["id"], ended["status"], ended["url"]) == (session["id"], "expired", None)
    at_stripe = open_shop.sandbox.http.api("GET", f"{SESSIONS}/{session['checkoutSessionId']}").json()
    assert at_stripe["status"] == "expired"
    (said,) = open_shop.sql("select actor, action from system.audit_log where target = $1", session["id"])
    assert said == {"actor": "api-key", "action": "checkout_session.expire"}
    again = expire(open_shop, session[by])
    assert (again.status_code, again.json()["error"]) == (400, "INVALID_INPUT")
    assert again.json()["message"] == "Only an open checkout session can be expired; this one is expired."


def test_a_session_that_was_paid_unheard_is_not_expired_but_known(open_shop: Shop) -> None:
    session = open_shop.buy(signed_in(ADA))
    open_shop.sim("faults", drop=1.0)
    open_shop.pay(session)
    open_shop.sim("faults", drop=0.0)
    answer = expire(open_shop, session["id"])
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Only an open checkout session can be expired; this one is completed.",
    )
    assert open_shop.row(session["id"])["payment_status"] == "paid"


def test_a_session_nobody_knows_is_a_404(open_shop: Shop) -> None:
    for wanted in (str(uuid.uuid4()), "cs_test_nowhere"):
        answer = expire(open_shop, wanted)
        assert (answer.status_code, answer.json()["error"]) == (404, "PAYMENT_NOT_FOUND")


def test_operators_routes_are_not_for_buyers(open_shop: Shop) -> None:
    for path, method in ((LIST, "GET"), (f"{LIST}/{uuid.uuid4()}/expire", "POST")):
        statuses = [
            open_shop.server.client.request(method, path, headers=headers).status_code
            for headers in ({}, bearer(ANON_KEY), signed_in(ADA))
        ]
        assert statuses == [401, 401, 403]


# What Stripe refuses, explained by our mirror.


def test_a_price_that_cannot_be_sold_is_explained(open_shop: Shop) -> None:
    stripe = open_shop.sandbox.stripe.v1
    monthly, archived = open_shop.sandbox.price(900, recurring={"interval": "month"}), open_shop.sandbox.price()
    stripe.prices.update(archived, {"active": False})
    ready = "select from payments.stripe_prices where price_id = $1 and active = $2"
    open_shop.wait(lambda: open_shop.sql(ready, monthly, True) and open_shop.sql(ready, archived, False))
    open_shop.sql(
        "insert into payments.stripe_prices (environment, price_id, active, currency, type)"
        " values ('live', 'price_1OfLive', true, 'usd', 'one_time')"
    )
    for price, changes, hint in (
        (monthly, {}, "lineItems.0.priceId is a recurring price: use mode `subscription`"),
        (archived, {}, "lineItems.0.priceId is archived"),
        ("price_1OfLive", {}, "lineItems.0.priceId is a price of live, and this checkout is in test"),
        ("price_1Typo", {}, "lineItems.0.priceId is not among the prices of the connected Stripe account"),
        (open_shop.price, {"mode": "subscription", "subject": subject("user", ADA)}, "A checkout in mode `subscr"),
    ):
        error = open_shop.refused(400, signed_in(ADA), lineItems=[{"priceId": price}], **changes)
        assert error["error"] == "UPSTREAM_FAILURE"
        assert error["nextActions"].startswith(hint)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"a": "x" * 501}, "metadata.a: String must contain at most 500 character(s)"),
        ({"k" * 41: "x"}, "metadata: Keys must have 1 to 40 characters and no square brackets"),
        ({"a[b]": "x"}, "metadata: Keys must have 1 to 40 characters and no square brackets"),
        ({"": "x"}, "metadata: Keys must have 1 to 40 characters and no square brackets"),
        ({f"k{n}": "x" for n in range(48)}, "metadata: Stripe keeps 50 keys, of which 3 are ours"),
    ],
)
def test_metadata_that_stripe_would_not_keep_is_refused_before(
    open_shop: Shop, metadata: dict[str, str], message: str
) -> None:
    error = open_shop.refused(400, signed_in(ADA), metadata=metadata)
    assert (error["error"], error["message"]) == ("INVALID_INPUT", message)


def test_metadata_may_have_all_the_room_that_is_left(open_shop: Shop) -> None:
    whole = {f"k{n:02d}".ljust(40, "k"): "v" * 500 for n in range(47)}
    assert open_shop.buy(signed_in(ADA), metadata=whole)["status"] == "open"
    of_subject = {"subject": subject("user", ADA), "metadata": dict(list(whole.items())[:45])}
    assert open_shop.buy(signed_in(ADA), **of_subject)["status"] == "open"
    open_shop.refused(400, signed_in(ADA), subject=subject("user", ADA), metadata=dict(list(whole.items())[:46]))
