"""The hosted payment page: a plain form that works without JavaScript, the challenge of 3-D Secure cards, and the
redirect, which waits for the webhook's answer as Stripe's page does."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from paygres.sandbox import confirm, delayed_payments, ids
from paygres.sandbox.deliveries import Deliveries
from paygres.sandbox.objects import bank_debits, checkout_sessions, discounts, fields
from paygres.sandbox.objects.bank_debits import Debit
from paygres.sandbox.objects.cards import Card, card_of, digits
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.pages.templates import render
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World

MAX_FORM = 20_000
SECURITY = {
    # Redirects after the form's POST lead to the shop, wherever it is.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http: https:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the form, and which field says so."""

    message: str
    field: str | None = None


class CheckoutPage:
    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self._world = world
        self._deliveries = deliveries

    def routes(self) -> list[Route]:
        return [
            Route("/c/pay/{session}", self.show, methods=["GET"]),
            Route("/c/pay/{session}", self.pay, methods=["POST"]),
            Route("/c/pay/{session}/challenge", self.answer_challenge, methods=["POST"]),
            Route("/c/pay/{session}/code", self.apply_code, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        return self._show(request.path_params["session"])

    async def pay(self, request: Request) -> Response:
        id = request.path_params["session"]
        typed = await read_form(request)
        account = self._world.store.account_of(id)
        if typed is None or account is None:
            return self._show(id, status=404 if account is None else 400)
        try:
            with self._buyers_work(account) as work:
                session = confirm.open_session(work, id)
                free = session["payment_status"] == "no_payment_required" and session["mode"] == "payment"
                if typed.get("method") == bank_debits.TYPE:
                    buyer, debit, problem = _read_debit(session, typed)
                    outcome = delayed_payments.pay(work, session, debit, buyer) if debit else None
                else:
                    buyer, card, problem = _read(work, session, typed, free)
                    outcome = None if problem else confirm.confirm(work, session, card, buyer)
        except Refusal as refusal:
            if refusal.status != 402:
                return self._show(id)
            problem, outcome = Problem(refusal.error["message"], "card_number"), None
        if problem is not None or outcome is None:
            return self._show(id, problem=problem, typed=typed, status=402)
        if outcome.completed is None:
            return self._show(id)
        return await self._leave(outcome.session, outcome.completed)

    async def answer_challenge(self, request: Request) -> Response:
        id = request.path_params["session"]
        typed = await read_form(request)
        account = self._world.store.account_of(id)
        if typed is None or account is None:
            return self._show(id, status=404 if account is None else 400)
        passed = typed.get("outcome") == "complete"
        try:
            with self._buyers_work(account) as work:
                outcome = confirm.authenticate(work, confirm.open_session(work, id), passed=passed)
        except Refusal as refusal:
            if refusal.status != 402:
                return self._show(id)
            return self._show(id, problem=Problem(refusal.error["message"], "card_number"), status=402)
        if outcome.completed is None:
            message = "We are unable to authenticate your payment method. Please choose a different payment method."
            return self._show(id, problem=Problem(message, "card_number"), status=402)
        return await self._leave(outcome.session, outcome.completed)

    async def apply_code(self, request: Request) -> Response:
        """A promotion code; the page then shows the new total, or says why there is none."""
        id = request.path_params["session"]
        typed = await read_form(request)
        account = self._world.store.account_of(id)
        if typed is None or account is None:
            return self._show(id, status=404 if account is None else 400)
        try:
            with self._buyers_work(account) as work:
                discounts.typed(work, confirm.open_session(work, id), typed.get("promotion_code", ""))
        except Refusal as refusal:
            problem = Problem(refusal.error["message"], "promotion_code")
            return self._show(id, problem=problem, typed=typed, status=402)
        return RedirectResponse(f"/c/pay/{id}", status_code=303, headers=SECURITY)

    def _buyers_work(self, account: str) -> AbstractContextManager[Work]:
        """Work that the page's own request causes: its events name that request, as Stripe's do."""
        return self._world.work(account, request_id=ids.new("request"), idempotency_key=str(uuid4()))

    async def _leave(self, session: Object, event: str) -> Response:
        await self._deliveries.first_answer(event, self._world.settings.redirect_hold)
        return RedirectResponse(checkout_sessions.landing_url(session), status_code=303, headers=SECURITY)

    def _show(
        self,
        id: str,
        *,
        problem: Problem | None = None,
        typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        account = self._world.store.account_of(id)
        work = Work(self._world, account or "", int(self._world.time()))
        session = work.get(id) if account else None
        if session is None or session["object"] != "checkout.session":
            return as_page("gone.html", 404, title="There is no such checkout", text="Ask the shop for a new link.")
        if session["status"] == "open" and session["expires_at"] <= work.now:
            session["status"] = "expired"
        if session["status"] == "complete":
            return as_page(
                "gone.html",
                status,
                title="This checkout is already paid",
                text="Nothing more is to be done here.",
                link=checkout_sessions.landing_url(session),
            )
        if session["status"] == "expired":
            return as_page(
                "gone.html",
                status,
                title="This checkout has expired",
                text="It can no longer be paid. Ask the shop for a new link.",
                link=session["cancel_url"],
            )
        hidden = work.hidden(id)
        intent = confirm.intent_of(work, session)
        total = fields.money(session["amount_total"], session["currency"])
        if intent is not None and intent["status"] == "requires_action":
            return as_page("challenge.html", status, id=id, total=total)
        discount = session["total_details"]["amount_discount"]
        return as_page(
            "checkout.html",
            status,
            cancel_url=session["cancel_url"],
            discount=fields.money(discount, session["currency"]) if discount else None,
            free=session["payment_status"] == "no_payment_required" and session["mode"] == "payment",
            id=id,
            items=[_shown(item) for item in hidden["line_items"]],
            debits=bank_debits.TYPE in session["payment_method_types"],
            known_email=(session["customer_details"] or {}).get("email") or "",
            problem=problem,
            takes_codes=bool(session["allow_promotion_codes"]),
            subscribes=session["mode"] == "subscription",
            total=total,
            typed=typed or {},
        )


def _read(work: Work, session: Object, typed: dict[str, str], free: bool) -> tuple[Buyer, Card | None, Problem | None]:
    """What was typed, and what is wrong with it."""
    buyer = _read_buyer(session, typed)
    email = buyer.email or ""
    if not fields.EMAIL.match(email):
        return buyer, None, Problem("Your email is incomplete.", "email")
    if free:
        return buyer, None, None
    return read_card(buyer, typed, work.now)


def _read_debit(session: Object, typed: dict[str, str]) -> tuple[Buyer, Debit | None, Problem | None]:
    buyer = _read_buyer(session, typed)
    debit = bank_debits.debit_of(typed.get("iban", ""))
    if not fields.EMAIL.match(buyer.email or ""):
        return buyer, None, Problem("Your email is incomplete.", "email")
    if buyer.name is None:
        return buyer, None, Problem("The name on the account is incomplete.", "name")
    if debit is None:
        return buyer, None, Problem("Your IBAN is none of the test IBANs.", "iban")
    return buyer, debit, None


def _read_buyer(session: Object, typed: dict[str, str]) -> Buyer:
    email = typed.get("email", "").strip() or (session["customer_details"] or {}).get("email") or ""
    return Buyer(email=email, name=typed.get("name", "").strip()[:200] or None)


def read_card(buyer: Buyer, typed: dict[str, str], now: int) -> tuple[Buyer, Card | None, Problem | None]:
    """The card that was typed and the buyer with its expiry, or what is wrong with them."""
    card = card_of(digits(typed.get("card_number", "")))
    if card is None:
        return buyer, None, Problem("Your card number is incorrect.", "card_number")
    expiry = _expiry(typed.get("exp", ""), now)
    if expiry is None:
        return buyer, card, Problem("Your card's expiration date is incomplete or in the past.", "exp")
    if len(digits(typed.get("cvc", ""))) not in (3, 4):
        return buyer, card, Problem("Your card's security code is incomplete.", "cvc")
    return Buyer(email=buyer.email, name=buyer.name, exp_month=expiry[0], exp_year=expiry[1]), card, None


def _expiry(text: str, now: int) -> tuple[int, int] | None:
    """(month, year) of `12/34`, `1234` or `12 / 2034`, when it is not in the past."""
    signs = digits(text)
    if len(signs) not in (4, 6):
        return None
    month, year = int(signs[:2]), int(signs[2:])
    year += 2000 if len(signs) == 4 else 0
    this_month = 1970 * 12 + now // 2_629_746
    return (month, year) if 1 <= month <= 12 and year * 12 + month - 1 >= this_month else None


def _shown(item: Object) -> dict[str, Any]:
    recurring = item["price"]["recurring"]
    every = None
    if recurring:
        count = recurring["interval_count"]
        every = f"every {recurring['interval']}" if count == 1 else f"every {count} {recurring['interval']}s"
    return {
        "name": item["description"],
        "quantity": item["quantity"],
        "amount": fields.money(item["amount_subtotal"], item["currency"]),
        "every": every,
    }


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a posted form, None when it is too long or no form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            return None
    try:
        parsed = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        return None
    return {name: values[-1] for name, values in parsed.items()}


def as_page(template: str, status: int, **values: Any) -> Response:
    return HTMLResponse(render(template, **values), status_code=status, headers=SECURITY)
