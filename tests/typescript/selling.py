"""What the tests of the TypeScript SDK sell, and to whom: orders, a team, a plan, tokens."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from paygres.cli.dev.database import SHOP
from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, shop
from tests.fresh_database import in_its_own_loop
from tests.http.running import JWT_SECRET, token
from tests.sandbox.running import FORM

PRICE, PLAN = 1500, 900
ORIGIN = "https://shop.example.com"


@dataclass(frozen=True, slots=True)
class Stall:
    """A running shop with the sample tables: `price` once, `plan` each month."""

    shop: Shop
    price: str
    plan: str

    @property
    def url(self) -> str:
        return self.shop.server.url

    def order(self, user: str | None = None) -> str:
        """A pending order of one piece; its id."""
        insert = (
            "insert into public.orders (user_id, price_id, amount, currency)"
            " values ($1, $2, $3, 'usd') returning id::text"
        )
        return self.owner(insert, user, self.price, PRICE)

    def order_status(self, order: str) -> str:
        return self.owner("select status from public.orders where id = $1", uuid.UUID(order))

    def owns(self, user: str) -> str:
        """A new team that the user owns; its id."""
        team = f"team_{uuid.uuid4().hex[:8]}"
        return self.owner("insert into public.team_members values ($1, $2, 'owner') returning team_id", team, user)

    def owner(self, statement: str, *args: Any) -> Any:
        """One value, as the developer."""
        return in_its_own_loop(_value(self.shop.database.owner_url, statement, *args))

    def pay(self, url: str, **typed: str) -> str:
        """As a buyer on the hosted page; where it leads back to."""
        answer = self.shop.sandbox.http.browser.post(url, data={**FORM, **typed})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def body(self, **changes: Any) -> dict[str, Any]:
        """A checkout of one piece."""
        return {
            "mode": "payment",
            "lineItems": [{"priceId": self.price, "quantity": 1}],
            "successUrl": f"{ORIGIN}/checkout/success",
            "cancelUrl": f"{ORIGIN}/pricing",
            **changes,
        }


@contextmanager
def stall(postgres: Urls, **more: str) -> Iterator[Stall]:
    """A shop of its own, its tables made as `paygres dev` makes them."""
    with shop(postgres, **more) as opened:
        for script in SHOP:
            in_its_own_loop(_value(opened.database.owner_url, script))
        plan = opened.sandbox.price(PLAN, recurring={"interval": "month"})
        yield Stall(opened, opened.price, plan)


def user_token(sub: str, seconds: float = 600, secret: str = JWT_SECRET, **claims: Any) -> str:
    """A token that an application signs for a user of its own; `seconds` below 0: it has expired."""
    now = time.time()
    return token(secret, sub=sub, role="authenticated", iat=int(now - 900), exp=int(now + seconds), **claims)


async def _value(url: str, statement: str, *args: Any) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await (connection.fetchval(statement, *args) if args else connection.execute(statement))
    finally:
        await connection.close()
