"""Test controls under /_sim/, JSON in and out: see deliveries, pay a session, turn the fault dials, run the timers.
They are the sandbox's own and need no key; the sandbox listens on loopback."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import confirm, delayed_payments
from paygres.sandbox.deliveries import Deliveries
from paygres.sandbox.faults import Faults
from paygres.sandbox.objects import bank_debits, billing_portal_sessions, checkout_sessions
from paygres.sandbox.objects.cards import card_of
from paygres.sandbox.objects.payment_methods import Buyer, incorrect_number
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.world import Work, World

DELIVERIES = """
SELECT d.seq, d.event, d.endpoint, d.state, d.attempts, d.due, d.last_status, d.last_error, d.last_tried, o.body
FROM deliveries d JOIN objects o ON o.id = d.event WHERE d.event = coalesce(?, d.event) ORDER BY d.seq DESC LIMIT 200
"""
FIELDS = ("seq", "event", "endpoint", "state", "attempts", "due", "last_status", "last_error", "last_tried")
COUNTED = ("pending", "delivered", "failed", "posted", "dropped", "lost", "doubled", "delayed", "unheard")

Control = Callable[[Request], Awaitable[Response]]


class Controls:
    def __init__(self, world: World, deliveries: Deliveries, dials: Faults) -> None:
        self._world = world
        self._deliveries = deliveries
        self._faults = dials

    def routes(self) -> list[Route]:
        return [
            Route("/_sim/deliveries", guarded(self.list_deliveries), methods=["GET"]),
            Route("/_sim/deliveries/counts", guarded(self.count_deliveries), methods=["GET"]),
            Route("/_sim/resend", guarded(self.resend), methods=["POST"]),
            Route("/_sim/pay", guarded(self.pay), methods=["POST"]),
            Route("/_sim/expire", guarded(self.expire), methods=["POST"]),
            Route("/_sim/faults", guarded(self.turn_dials), methods=["GET", "POST"]),
        ]

    async def list_deliveries(self, request: Request) -> Response:
        """`?event=` narrows. Newest first, at most 200."""
        rows = self._world.store.run(DELIVERIES, (request.query_params.get("event"),)).fetchall()
        return answer_json({"deliveries": [self._delivery(*row) for row in rows]})

    def _delivery(self, *row: Any) -> dict[str, Any]:
        event = orjson.loads(self._world.store.unpack(row[-1]))
        return {**dict(zip(FIELDS, row, strict=False)), "type": event["type"]}

    async def count_deliveries(self, request: Request) -> Response:
        """`{"pending", "delivered", "failed"}`: how they stand; and of all tries so far how many were `posted`, and
        what the dials did: `dropped`, `lost`, `doubled`, `delayed`."""
        rows: list[tuple[str, int]] = self._world.store.run(
            "SELECT state, count(*) FROM deliveries GROUP BY state"
        ).fetchall()
        return answer_json(dict.fromkeys(COUNTED, 0) | dict(rows) | self._deliveries.counted)

    async def resend(self, request: Request) -> Response:
        """`{"event", "endpoint"?}`, or `{"undelivered": true}` for all that were given up -> `{"deliveries": n}`."""
        asked = await asked_object(request)
        if asked.get("undelivered") is True:
            return answer_json({"deliveries": self._deliveries.resend_undelivered()})
        return answer_json({"deliveries": self._deliveries.resend(str(asked.get("event")), asked.get("endpoint"))})

    async def pay(self, request: Request) -> Response:
        """`{"session", "card"? or "iban"?, "email"?, "name"?, "authenticate"? ("complete" or "fail")}` -> `{"status":
        "complete" | "requires_action" | "open", "success_url"?}`; a decline answers Stripe's 402. Waits for the
        webhook's answer as the page does."""
        asked = await asked_object(request)
        id = str(asked.get("session"))
        account = self._world.store.account_of(id)
        if account is None:
            raise no_such("checkout.session", id, "session", status=404)
        card = card_of(str(asked.get("card", "4242424242424242")))
        if card is None:
            raise incorrect_number("card")
        debit = bank_debits.debit_of(str(asked["iban"])) if "iban" in asked else None
        if "iban" in asked and debit is None:
            raise bank_debits.invalid_iban("iban")
        with self._world.work(account) as work:
            session = confirm.open_session(work, id)
            email = asked.get("email") or (session["customer_details"] or {}).get("email") or "buyer@example.com"
            buyer = Buyer(email=email, name=asked.get("name", "Test Buyer"))
            if debit is not None:
                outcome = delayed_payments.pay(work, session, debit, buyer)
            else:
                outcome = confirm.confirm(work, session, card, buyer)
        answer = asked.get("authenticate")
        if outcome.completed is None and answer in ("complete", "fail"):
            with self._world.work(account) as work:
                outcome = confirm.authenticate(work, confirm.open_session(work, id), passed=answer == "complete")
        if outcome.completed is None:
            return answer_json({"status": "requires_action" if answer is None else "open"})
        await self._deliveries.first_answer(outcome.completed, self._world.settings.redirect_hold)
        return answer_json({"status": "complete", "success_url": checkout_sessions.landing_url(outcome.session)})

    async def expire(self, request: Request) -> Response:
        """`{"session"}`: the time of a checkout, or of a portal's address, is over now."""
        id = str((await asked_object(request)).get("session"))
        account = self._world.store.account_of(id)
        if account is None:
            raise no_such("checkout.session", id, "session", status=404)
        with self._world.work(account) as work:
            if id.startswith("bps_"):
                billing_portal_sessions.end(work, id)
                return answer_json({"session": id, "status": "expired"})
            session = confirm.open_session(work, id)
            work.change(session, expires_at=work.now)
            checkout_sessions.expire_by_time(work, id)
        return answer_json(_session(work, id))

    async def turn_dials(self, request: Request) -> Response:
        """GET shows the dials; POST turns those that it names (faults.DIALS says which there are): all, or none."""
        if request.method == "POST":
            try:
                self._faults.set(await asked_object(request))
            except (TypeError, ValueError) as problem:
                raise Refusal(str(problem)) from None
        return answer_json(self._faults.shown())


def _session(work: Work, id: str) -> Object:
    return {"session": id, "status": (work.get(id) or {}).get("status")}


def guarded(control: Control) -> Control:
    async def answer(request: Request) -> Response:
        try:
            # A page in somebody's browser must not turn the controls of the sandbox beside it.
            if "origin" in request.headers:
                raise Refusal("The controls do not answer web pages.", status=403)
            return await control(request)
        except Refusal as refusal:
            return answer_json({"error": refusal.error}, refusal.status)

    return answer


async def asked_object(request: Request) -> dict[str, Any]:
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise Refusal("The body must be a JSON object.")
    return asked


def answer_json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")
