"""The sample purchase, step by step: order, checkout session, payment by card, and the order is paid."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from paygres.cli.dev import database
from paygres.cli.dev.api import Api
from paygres.cli.dev.catalog import CURRENCY, Catalog
from paygres.cli.dev.database import Place, work
from paygres.cli.dev.errors import DevError
from paygres.cli.dev.purchase import Session, open_session, pay
from paygres.cli.dev.screen import Screen

PAID_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Demo:
    """What a purchase needs: the shop's database and prices, and a guest's view of the API."""

    place: Place
    catalog: Catalog
    guest: Api
    shop_url: str

    def purchase(self, screen: Screen, check: Callable[[], None]) -> tuple[str, Session]:
        """Buys one mug; returns order id and session once the order is paid.

        `check` raises when a part has ended meanwhile. Raises DevError (exit code 1) when it stays unpaid.
        """
        with screen.step("order") as step:
            order_id = self.order()
            step.detail = f"{order_id}  pending  {self.catalog.mug_amount / 100:.2f} {CURRENCY}"
        with screen.step("checkout session") as step:
            session = self.session(order_id)
            step.detail = session.id
        began = time.monotonic()
        with screen.step("paid by card") as step:
            seconds = pay(session)
            step.detail = f"4242 4242 4242 4242 on the hosted page, sent back after {seconds:.2f} s"
        with screen.step("order") as step:
            while work(database.order_status(self.place.owner, order_id)) != "paid":
                check()
                if time.monotonic() - began > PAID_SECONDS:
                    raise DevError(f"order {order_id} was not paid within {PAID_SECONDS:.0f} s", exit_code=1)
                time.sleep(0.05)
            step.detail = f"{order_id}  paid  {time.monotonic() - began:.2f} s after the form was opened"
        return order_id, session

    def order(self) -> str:
        """A pending order of one mug; its id."""
        catalog = self.catalog
        return work(database.insert_order(self.place.owner, catalog.mug, catalog.mug_amount, CURRENCY))

    def session(self, order_id: str) -> Session:
        """A checkout session for that order."""
        return open_session(self.guest, order_id, self.catalog.mug, self.shop_url)
