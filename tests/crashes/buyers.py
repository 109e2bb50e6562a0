"""Buyers, who know the public API and the hosted page only. They ask until they have an answer, with the same key."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import httpx2

from tests.crashes.stage import Stage
from tests.http.running import ANON_KEY, BODY, CHECKOUT, bearer, token
from tests.sandbox.running import FORM

DECLINED = "4000 0000 0000 0002"
# What buyers do, and how often.
KINDS = {
    "guest": 6,
    "subject": 5,
    "declined first": 2,
    "refunded": 3,
    "delayed": 2,
    "delayed in vain": 1,
    "subscription": 2,
    "only looking": 1,
}
PAID_DEBIT, FAILED_DEBIT = "AT611904300234573201", "AT861904300235473202"
PATIENCE = 120.0


class Buyers:
    """Orders `order-1`, `order-2`, …: odd ones in dollars, even ones in euros, 1500 minor units each."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._rng = random.Random(seed)
        self._number = 0
        self.orders: list[str] = []
        self.answers: Counter[int | str] = Counter()
        self.faults: list[str] = []  # refusals of what is not refused in quiet times

    async def one(self, kind: str | None = None) -> None:
        """A whole visit."""
        kind = kind or self._rng.choices(list(KINDS), list(KINDS.values()))[0]
        order, currency = self._next_order({"delayed": "eur", "subscription": "usd"}.get(kind.split()[0]))
        session = await self._checkout(kind, order, currency)
        id = session["checkoutSessionId"]
        if kind in ("delayed", "delayed in vain"):
            iban = PAID_DEBIT if kind == "delayed" else FAILED_DEBIT
            await self._stage.sim("pay", session=id, iban=iban)
        elif kind != "only looking":
            if kind == "declined first":
                await self._pay(session["url"], 402, card_number=DECLINED)
            await self._pay(session["url"], 303)
        if kind == "refunded":
            intent = (await self._stage.at_stripe("GET", f"/v1/checkout/sessions/{id}"))["payment_intent"]
            part = {"amount": str(self._rng.choice([100, 700]))}
            await self._stage.at_stripe("POST", "/v1/refunds", {"payment_intent": intent, **part})
        if kind == "subscription":
            subscription = (await self._stage.at_stripe("GET", f"/v1/checkout/sessions/{id}"))["subscription"]
            await self._stage.sim("renew", subscription=subscription)

    def _next_order(self, currency: str | None) -> tuple[str, str]:
        self._number += 1
        if currency is not None and ("usd" if self._number % 2 else "eur") != currency:
            self._number += 1  # one that nobody uses
        order = f"order-{self._number}"
        self.orders.append(order)
        return order, "usd" if self._number % 2 else "eur"

    async def _checkout(self, kind: str, order: str, currency: str) -> dict[str, Any]:
        price = "monthly" if kind == "subscription" else currency
        body: dict[str, Any] = {
            **BODY,
            "lineItems": [{"priceId": self._stage.prices[price], "quantity": 1}],
            "idempotencyKey": f"order:{order}",
            "metadata": {"order_id": order},
        }
        headers = bearer(ANON_KEY)
        if kind in ("subject", "refunded", "subscription"):
            buyer = f"user-of-{order}" if kind == "subscription" else f"user-{self._rng.randrange(40)}"
            headers = bearer(token(sub=buyer, role="authenticated", exp=time.time() + 600))
            body |= {"subject": {"type": "user", "id": buyer}}
        if kind == "subscription":
            body["mode"] = "subscription"
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            try:
                answer = await self._rng.choice(self._stage.apis).post(CHECKOUT, headers=headers, json=body)
            except httpx2.TransportError:
                self.answers["no answer"] += 1
            else:
                self.answers[answer.status_code] += 1
                if answer.status_code == 201:
                    return answer.json()["checkoutSession"]
                if answer.status_code not in (429, 502, 503):
                    self.faults.append(f"{answer.status_code} for {order}: {answer.text[:300]}")
            await asyncio.sleep(self._rng.uniform(0.1, 0.3))
        raise TimeoutError(f"no checkout for {order} within {PATIENCE:.0f} s; answers: {dict(self.answers)}")

    async def _pay(self, url: str, wanted: int, **typed: str) -> None:
        answer = await self._stage.stripe.post(url, data={**FORM, **typed})
        assert answer.status_code == wanted, answer.text[:500]
