"""The hosted payment page: a plain form that works without JavaScript, the challenge of 3-D Secure cards, and the
redirect, which waits for the webhook's answer as Stripe's page does."""

from contextlib import AbstractContextManager
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import confirm, delayed_payments, ids
from paygres.sandbox.confirm import Outcome
from paygres.sandbox.deliveries import Deliveries
from paygres.sandbox.objects import checkout_fields, checkout_sessions, discounts, payment_methods
from paygres.sandbox.pages import checkout_form, checkout_views
from paygres.sandbox.pages.checkout_form import Told
from paygres.sandbox.pages.money import money
from paygres.sandbox.pages.replies import Problem, as_page, read_form, see_other
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World

NOT_AUTHENTICATED = "We are unable to authenticate your payment method. Please choose a different payment method."


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
        typed = checkout_form.with_test_choice(typed)
        told: Told | None = None
        try:
            with self._buyers_work(account) as work:
                session = confirm.open_session(work, id)
                told = checkout_form.read(work, session, typed)
                outcome = None if told.problem else _pay(work, session, told, typed)
        except Refusal as refusal:
            return self._show(id, problem=_problem(refusal, told), typed=typed, status=refusal.status)
        if outcome is None:
            return self._show(id, problem=told.problem, typed=typed, status=402)
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
                _keep(work, outcome)
        except Refusal as refusal:
            if refusal.status != 402:
                return self._show(id)
            return self._show(id, problem=_problem(refusal, None), status=402)
        if outcome.completed is None:
            return self._show(id, problem=Problem(NOT_AUTHENTICATED, "card_number"), status=402)
        return await self._leave(outcome.session, outcome.completed)

    async def apply_code(self, request: Request) -> Response:
        """A promotion code, or none any more; the page then shows the new total, or says why there is none."""
        id = request.path_params["session"]
        typed = await read_form(request)
        account = self._world.store.account_of(id)
        if typed is None or account is None:
            return self._show(id, status=404 if account is None else 400)
        try:
            with self._buyers_work(account) as work:
                session = confirm.open_session(work, id)
                if "remove" in typed:
                    discounts.take_back(work, session)
                else:
                    discounts.typed(work, session, typed.get("promotion_code", ""))
        except Refusal as refusal:
            problem = Problem(refusal.error["message"], "promotion_code")
            return self._show(id, problem=problem, typed=typed, status=402)
        return see_other(f"/c/pay/{id}")

    def _buyers_work(self, account: str) -> AbstractContextManager[Work]:
        """Work that the page's own request causes: its events name that request, as Stripe's do."""
        return self._world.work(account, request_id=ids.new("request"), idempotency_key=str(uuid4()))

    async def _leave(self, session: Object, event: str) -> Response:
        await self._deliveries.first_answer(event, self._world.settings.redirect_hold)
        return see_other(checkout_sessions.landing_url(session))

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
        # Found so, it may take the unit of work into a test clock's time.
        session = work.find("checkout.session", id, "session")
        if session["status"] == "open" and session["expires_at"] <= work.now:
            session["status"] = "expired"
        if session["status"] != "open":
            return _over(session, status)
        intent = confirm.intent_of(work, session)
        if intent is not None and intent["status"] == "requires_action":
            method = work.get(intent["payment_method"]) if intent["payment_method"] else None
            card = checkout_views.card_text(method) if method and method["type"] == "card" else None
            total = money(intent["amount"], intent["currency"]) if "amount" in intent else "Nothing is charged"
            return as_page("challenge.html", status, action=f"/c/pay/{id}/challenge", total=total, card=card)
        return as_page("checkout.html", status, problem=problem, **checkout_views.shown(work, session, typed or {}))


def _pay(work: Work, session: Object, told: Told, typed: dict[str, str]) -> Outcome:
    if session["custom_fields"]:
        work.change(session, custom_fields=checkout_fields.filled(session, typed)[0])
    if told.debit is not None:
        return delayed_payments.pay(work, session, told.debit, told.buyer)
    method = told.saved
    if typed.get("save") and told.card is not None and method is None and checkout_form.offers_saving(session):
        method = payment_methods.make(work, told.card, told.buyer)
        work.store.set_hidden(session["id"], {**work.hidden(session["id"]), "saves": method["id"]})
    outcome = confirm.confirm(work, session, told.card, told.buyer, method)
    _keep(work, outcome)
    return outcome


def _keep(work: Work, outcome: Outcome) -> None:
    """The card that the buyer wanted saved becomes the customer's, for its next checkouts to show."""
    session = outcome.session
    id, customer = work.hidden(session["id"]).get("saves"), session["customer"]
    if outcome.completed is None or id is None or customer is None:
        return
    method = work.find("payment_method", id, "payment_method")
    work.change(method, allow_redisplay="always")
    payment_methods.attach(work, method, customer)


def _problem(refusal: Refusal, told: Told | None) -> Problem:
    """The refusal, at the field that it is about."""
    field = "card_number"
    if told is not None and told.saved is not None:
        field = f"method_{told.saved['id']}"
    elif told is not None and told.debit is not None:
        field = "iban"
    elif refusal.error.get("code") in ("incorrect_cvc", "invalid_cvc"):
        field = "cvc"
    elif refusal.error.get("code") == "expired_card":
        field = "exp"
    return Problem(refusal.error["message"], field)


def _over(session: Object, status: int) -> Response:
    if session["status"] == "complete":
        saved = session["mode"] == "setup"
        return as_page(
            "gone.html",
            status,
            title="This payment method is already saved" if saved else "This checkout is already paid",
            text="Nothing more is to be done here.",
            link=checkout_sessions.landing_url(session),
        )
    return as_page(
        "gone.html",
        status,
        title="This checkout has expired",
        text="It can no longer be paid. Ask the shop for a new link.",
        link=session["cancel_url"],
    )
