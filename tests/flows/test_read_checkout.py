"""GET one checkout session: its owner may, an admin may, and a guest may who holds its id."""

import uuid

import httpx2
import pytest

from tests.flows.checkouts import ADA, BOB, Shop, guest, signed_in, subject
from tests.http.running import admin, bearer, token

ROUTE = "/api/paygres/test/checkout-sessions"


def read(shop: Shop, ident: object, headers: dict[str, str], *, environment: str = "test") -> httpx2.Response:
    return shop.server.client.get(f"{ROUTE.replace('test', environment, 1)}/{ident}", headers=headers)


def assert_absent(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (404, "PAYMENT_NOT_FOUND")
    assert answer.json()["message"] == "No such checkout session"


@pytest.mark.parametrize("name", ["id", "checkoutSessionId"])
def test_a_guest_reads_its_session_by_either_id(open_shop: Shop, name: str) -> None:
    session = open_shop.buy(guest("198.51.100.1"))
    answer = read(open_shop, session[name], guest("198.51.100.1"))
    assert answer.status_code == 200
    assert answer.json() == {"checkoutSession": session}


@pytest.mark.parametrize("name", ["id", "checkoutSessionId"])
def test_whoever_holds_a_guests_id_reads_that_session(open_shop: Shop, name: str) -> None:
    """The buyer comes back over another network, or signed in by now."""
    session = open_shop.buy(guest("198.51.100.1"))
    for headers in (guest("203.0.113.1"), signed_in(ADA)):
        assert read(open_shop, session[name], headers).json() == {"checkoutSession": session}


@pytest.mark.parametrize(
    "ident",
    [uuid.UUID(int=7), "cs_test_a1Nowhere", "%25", "_", "null", "'", "cs_test_%25", "order:read", "-1"],
)
def test_a_wrong_id_is_a_404(open_shop: Shop, ident: object) -> None:
    open_shop.buy(guest("198.51.100.1"), idempotencyKey="order:read")
    for headers in (guest("198.51.100.1"), signed_in(ADA), admin()):
        assert_absent(read(open_shop, ident, headers))


def test_guests_cannot_list(open_shop: Shop) -> None:
    open_shop.buy(guest("198.51.100.1"))
    answer = open_shop.server.client.get(ROUTE, headers=guest("198.51.100.1"))
    assert (answer.status_code, answer.json()["error"]) == (401, "AUTH_UNAUTHORIZED")


@pytest.mark.parametrize("name", ["id", "checkoutSessionId"])
@pytest.mark.parametrize("whose", [None, subject("user", ADA)])
def test_a_users_session_is_for_that_user_only(open_shop: Shop, name: str, whose: dict[str, str] | None) -> None:
    session = open_shop.buy(signed_in(ADA), **({"subject": whose} if whose else {}))
    for other in (signed_in(BOB), guest("198.51.100.1")):
        assert_absent(read(open_shop, session[name], other))
    assert read(open_shop, session[name], signed_in(ADA)).json() == {"checkoutSession": session}


def test_an_admin_reads_every_session(open_shop: Shop) -> None:
    for buyer in (guest("198.51.100.1"), signed_in(ADA)):
        session = open_shop.buy(buyer)
        for headers in (admin(), bearer(token(sub="local:root", role="project_admin"))):
            assert read(open_shop, session["id"], headers).json() == {"checkoutSession": session}


def test_a_session_is_not_found_in_the_other_environment(open_shop: Shop) -> None:
    session = open_shop.buy(guest("198.51.100.1"))
    assert_absent(read(open_shop, session["id"], guest("198.51.100.1"), environment="live"))
    assert_absent(read(open_shop, session["id"], admin(), environment="live"))


def test_a_paid_session_reads_as_completed(open_shop: Shop) -> None:
    session = open_shop.buy(guest("198.51.100.1"))
    open_shop.pay(session)
    paid = read(open_shop, session["checkoutSessionId"], guest("203.0.113.1")).json()["checkoutSession"]
    assert (paid["id"], paid["status"], paid["paymentStatus"]) == (session["id"], "completed", "paid")


def test_an_id_in_capital_letters_is_the_same_id(open_shop: Shop) -> None:
    session = open_shop.buy(guest("198.51.100.1"))
    assert read(open_shop, session["id"].upper(), guest("203.0.113.1")).status_code == 200
