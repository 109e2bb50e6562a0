"""A shop's page with the published SDK in a browser, on another origin than the API: cookies, CORS, the hosted page."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import free_port
from tests.judges import installed
from tests.typescript.buying import Buyer
from tests.typescript.selling import Stall, stall, user_token
from tests.typescript.storefront import Storefront, storefront

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Visit = Callable[..., Buyer]
REFRESH = "/api/auth/refresh"
ASK = "path => fetch(path, { method: 'POST', credentials: 'include' }).then((answer) => answer.status)"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with installed.browser() as started:
        yield started


@pytest.fixture(scope="module")
def port() -> int:
    """Where the shop's page will be."""
    return free_port()


@pytest.fixture(scope="module")
def selling(postgres: Urls, port: int) -> Iterator[Stall]:
    """A server that knows no other page than this one."""
    with stall(postgres, PAYGRES_RETURN_ORIGINS=f"http://localhost:{port}") as opened:
        yield opened


@pytest.fixture(scope="module")
def front(selling: Stall, port: int) -> Iterator[Storefront]:
    with storefront(selling, port) as opened:
        yield opened


@pytest.fixture
def visit(browser: "Browser", front: Storefront, selling: Stall) -> Iterator[Visit]:
    """Opens the shop as a new visitor."""
    with ExitStack() as visitors:

        def begin() -> Buyer:
            buyer = visitors.enter_context(Buyer(browser, front.url, front.api, selling.shop.sandbox.url))
            buyer.open(front.url)
            return buyer

        yield begin


def sign_up(buyer: Buyer) -> str:
    """Somebody new; the e-mail address."""
    email = f"ada.{uuid.uuid4().hex[:8]}@example.com"
    buyer.press("sign-up", email=email, password="correct horse battery")
    buyer.sees("who", f"Signed in as {email}")
    return email


def test_a_guest_buys_and_sees_the_order_paid(visit: Visit) -> None:
    buyer = visit()
    buyer.sees("who", "Nobody is signed in")
    buyer.press("buy")
    buyer.pay()
    buyer.sees("order", "Your order is paid")
    assert buyer.text("problem") == ""


def test_who_signs_up_buys_and_subscribes_and_stays_signed_in(visit: Visit, front: Storefront, selling: Stall) -> None:
    buyer = visit()
    email = sign_up(buyer)
    buyer.sees("plan", "No plan")

    buyer.press("buy")
    buyer.pay()
    buyer.sees("order", "Your order is paid")
    buyer.sees("who", f"Signed in as {email}")
    paid = "select status || ' ' || amount_paid from public.orders join auth.users u on user_id = u.id::text"
    assert selling.owner(f"{paid} where u.email = $1", email) == "paid 1500"

    buyer.press("subscribe")
    buyer.pay()
    buyer.sees("order", "You have subscribed")
    assert re.fullmatch(r"Pocket notebook until 20\d\d-\d\d-\d\d", buyer.text("plan"))

    buyer.press("manage")
    buyer.page.wait_for_url(f"{selling.shop.sandbox.url}/**")
    buyer.open(front.url)
    buyer.sees("who", f"Signed in as {email}")
    assert buyer.text("problem") == ""


def test_the_session_is_in_a_cookie_that_scripts_do_not_see(visit: Visit, front: Storefront) -> None:
    buyer = visit()
    sign_up(buyer)
    cookie = buyer.cookies()["insforge_refresh_token"]
    kept = cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]
    assert kept == (True, True, "None", "/api/auth")
    assert "insforge_refresh_token" not in buyer.page.evaluate("document.cookie")
    # The cookie alone renews nothing: another site's page would send it too, and knows no CSRF token.
    assert buyer.page.evaluate(ASK, front.api + REFRESH) == 403
    assert [error for error in buyer.errors if "403" not in error or REFRESH not in error] == []
    buyer.errors.clear()


def test_a_token_that_ran_out_is_renewed_while_the_buyer_clicks(visit: Visit, selling: Stall) -> None:
    buyer = visit()
    sign_up(buyer)
    user = buyer.page.evaluate("insforge.auth.getCurrentUser().then(({ data }) => data.user.id)")
    buyer.page.evaluate("token => insforge.setAccessToken(token)", user_token(user, -60))
    seen = len(buyer.asked)
    buyer.press("subscribe")
    buyer.page.wait_for_selector("#pay")
    asked = [path.rpartition("/")[2] for method, path in buyer.asked[seen:] if method == "POST"]
    assert asked == ["checkout-sessions", "refresh", "checkout-sessions"]
    (told,) = buyer.errors
    assert "401" in told
    buyer.errors.clear()


def test_signing_out_ends_the_session(visit: Visit, front: Storefront) -> None:
    buyer = visit()
    sign_up(buyer)
    buyer.press("sign-out")
    buyer.sees("who", "Nobody is signed in")
    assert set(buyer.cookies()) & {"insforge_refresh_token", "insforge_csrf_token"} == set()
    buyer.open(front.url)
    buyer.sees("who", "Nobody is signed in")


def test_signing_in_again_finds_what_was_bought(visit: Visit) -> None:
    buyer = visit()
    email = sign_up(buyer)
    buyer.press("subscribe")
    buyer.pay()
    plan = buyer.text("plan")
    buyer.press("sign-out")
    buyer.sees("plan", "")
    buyer.press("sign-in", email=email, password="wrong horse battery")
    buyer.sees("problem", "Invalid credentials")
    assert all("401" in error for error in buyer.errors)
    buyer.errors.clear()
    buyer.press("sign-in", email=email, password="correct horse battery")
    buyer.sees("plan", plan)
    assert "until 20" in plan
