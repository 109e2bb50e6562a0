"""One purchase through the public API only: a guest's checkout session, paid as a browser would."""

import time
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from paygres.cli.dev.api import STRIPE, Api
from paygres.cli.dev.errors import DevError

CARD = {"email": "ada@example.com", "card_number": "4242424242424242", "exp": "12/34", "cvc": "123"}


@dataclass(frozen=True, slots=True)
class Session:
    """A checkout session that was opened: `id` is Stripe's cs_ id, `url` its payment page."""

    id: str
    row_id: str
    url: str


def open_session(guest: Api, order_id: str, price_id: str, shop_url: str) -> Session:
    """What an application's frontend does: price, order id, and a key that makes a retry safe."""
    answer = guest.call(
        "POST",
        f"{STRIPE}/test/checkout-sessions",
        {
            "mode": "payment",
            "lineItems": [{"priceId": price_id, "quantity": 1}],
            "successUrl": f"{shop_url}/orders/{order_id}?session_id={{CHECKOUT_SESSION_ID}}",
            "cancelUrl": f"{shop_url}/orders/{order_id}",
            "metadata": {"order_id": order_id},
            "idempotencyKey": f"order:{order_id}",
        },
    )["checkoutSession"]
    return Session(answer["checkoutSessionId"], answer["id"], answer["url"])


def pay(session: Session) -> float:
    """Fills in the form and posts it; returns the seconds until the page sent the buyer back.

    Raises DevError when the page does not answer with the redirect of a paid session.
    """
    with httpx2.Client(timeout=30.0, trust_env=False) as browser:
        page = browser.get(session.url)
        form = _Form(str(page.url))
        form.feed(page.text)
        began = time.monotonic()
        answer = browser.post(form.action, data=form.hidden | CARD)
    if answer.status_code != 303:
        raise DevError(f"the payment page answered {answer.status_code} instead of a redirect", exit_code=1)
    return time.monotonic() - began


class _Form(HTMLParser):
    """The page's first form: where it posts to, and the fields a buyer does not see."""

    def __init__(self, page_url: str) -> None:
        super().__init__()
        self.action = page_url
        self.hidden: dict[str, str] = {}
        self._page_url = page_url
        self._inside = False
        self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if tag == "form" and not self._done:
            self._inside = True
            self.action = urljoin(self._page_url, fields.get("action", ""))
        elif tag == "input" and self._inside and fields.get("type") == "hidden":
            self.hidden[fields.get("name", "")] = fields.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside, self._done = False, True
