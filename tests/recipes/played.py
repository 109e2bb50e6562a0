"""A server on a database with the recipes, and what Stripe says around small purchases there."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from paygres.cli import recipes
from paygres.server.db.embedded import Urls
from tests.flows.webhooks import deliver, hooked, script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.histories import START, Event, charge, event, intent, session
from tests.http.running import Server

PRICE = "price_mug"
_CHECKOUT = """
insert into payments.stripe_checkout_sessions (
    id, environment, mode, status, success_url, cancel_url, checkout_session_id, subject_type, subject_id, created_by,
    line_items, currency, amount_subtotal, caller_scope)
select c.id, 'test', $3, 'open', 'https://shop.example.com', 'https://shop.example.com', 'cs_test_' || c.name, $4, $5,
       $6, $7::jsonb, 'usd', 2500, c.name
from unnest($1::uuid[], $2::text[]) as c (id, name)
"""


@dataclass(frozen=True)
class Play:
    """What a test has in hand."""

    server: Server
    database: FreshDatabase

    def send(self, *events: Event) -> None:
        """Deliver them one after the other; each must be processed."""
        for one in events:
            shown = deliver(self.server, one).json()["event"]
            assert shown["processingStatus"] == "processed", shown["lastError"]

    def rows(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        """As the owner, who is the developer."""
        return sql(
            self.database, statement, *args, role="project_admin" if "payments." in statement else "paygres_owner"
        )

    def as_user(self, sub: str, statement: str) -> list[dict[str, Any]]:
        """As a signed-in caller."""
        claims = json.dumps({"role": "authenticated", "sub": sub}).replace("'", "''")
        return sql(self.database, statement, role=f"authenticated; set request.jwt.claims = '{claims}'")

    def checkout(self, name: str, items: dict[str, int] | None = None, **more: Any) -> None:
        """The row that starting a checkout left behind."""
        self.checkouts([name], items, **more)

    def checkouts(
        self,
        names: Sequence[str],
        items: dict[str, int] | None = None,
        subject: tuple[str, str] | None = None,
        made_by: str | None = None,
        mode: str = "payment",
    ) -> None:
        """The same for several."""
        lines = json.dumps([{"priceId": p, "quantity": n} for p, n in (items or {PRICE: 1}).items()])
        kind, ident = subject or (None, None)
        ids = [row_id(name) for name in names]
        sql(self.database, _CHECKOUT, ids, list(names), mode, kind, ident, made_by, lines, role="project_admin")

    def quiet(self) -> None:
        """Wait until the worker has run what an event left for it."""
        waiting = "select 1 from payments.event_queue union all select 1 from payments.reversal_queue"
        until = time.monotonic() + 20
        while sql(self.database, waiting, role="paygres_service"):
            assert time.monotonic() < until, "events are left unfinished"
            time.sleep(0.1)

    def status_of(self, name: str, rule: str) -> str | None:
        """The fulfillment's status of a payment that `paid` made, or of its free session."""
        found = self.rows(
            "select status from payments.fulfillments where payment_key in ($1, $2) and rule = $3",
            f"pi_{name}",
            f"cs_test_{name}",
            rule,
        )
        return found[0]["status"] if found else None


@contextmanager
def playing(postgres: Urls, statements: str) -> Iterator[Play]:
    """All recipes as `scaffold` writes them, run by the owner, and a server without Stripe behind it."""
    with cloned(postgres) as database:
        script(database, "".join(map(recipes.read, recipes.RECIPES)) + statements)
        with hooked(database) as server:
            yield Play(server, database)


def row_id(name: str) -> uuid.UUID:
    """The id of the checkout's row."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


def stamped(name: str, order: str | None = None, subject: tuple[str, str] | None = None) -> dict[str, str]:
    """The metadata that the server writes to Stripe."""
    told = {"insforge_checkout_session_id": str(row_id(name))}
    if order:
        told["order_id"] = order
    if subject:
        told |= {"insforge_subject_type": subject[0], "insforge_subject_id": subject[1]}
    return told


def completed(
    name: str,
    *,
    order: str | None = None,
    subject: tuple[str, str] | None = None,
    at: int = START + 10,
    amount: int = 2500,
    happened: str = "checkout.session.completed",
    **changed: Any,
) -> Event:
    """The checkout of that name is complete, paid by its intent."""
    raw = session(
        name,
        **{
            "status": "complete",
            "payment_status": "paid",
            "payment_intent": f"pi_{name}",
            "amount_subtotal": amount,
            "amount_total": amount,
            "url": None,
            "metadata": stamped(name, order, subject),
            **changed,
        },
    )
    return event(happened, at, raw)


def succeeded(name: str, *, amount: int = 2500, **more: Any) -> Event:
    """Its intent has the money."""
    told = {"status": "succeeded", "amount": amount, "amount_received": amount, "metadata": stamped(name, **more)}
    return event("payment_intent.succeeded", START + 8, intent(name, latest_charge=f"ch_{name}_1", **told))


def refunded(name: str, back: int, before: int = 0, *, amount: int = 2500, at: int = START + 100) -> Event:
    """So much of its charge has been refunded in all, `before` of it earlier."""
    raw = charge(name, amount=amount, amount_captured=amount, amount_refunded=back, refunded=back >= amount)
    return event("charge.refunded", at + back, raw, {"amount_refunded": before, "refunded": False})


def disputed(name: str, status: str, *, amount: int = 2500, at: int = START + 5000) -> Event:
    """The bank's word about the whole charge: needs_response, lost, won."""
    raw = {
        "id": f"du_{name}",
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": f"ch_{name}_1",
        "created": START + 5000,
        "currency": "usd",
        "evidence_details": {"due_by": START + 90_000, "has_evidence": False},
        "livemode": False,
        "metadata": {},
        "payment_intent": f"pi_{name}",
        "reason": "fraudulent",
        "status": status,
    }
    kinds = {"needs_response": "charge.dispute.created"}
    later = {"needs_response": 0, "lost": 100, "won": 200}[status]
    return event(kinds.get(status, "charge.dispute.closed"), at + later, raw)


def again(told: Event) -> Event:
    """The same, said by another event: an operator's replay, or Stripe telling it twice."""
    return {**told, "id": f"{told['id']}_again"}


def without(rows: Sequence[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    """Rows without what differs by nature, such as clocks."""
    return [{name: value for name, value in row.items() if name not in columns} for row in rows]
