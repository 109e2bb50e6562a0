"""The customer portal's page: plain forms that work without JavaScript, behind a short-lived address that nobody
guesses. What it does is portal_visits.py's part."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from paygres.sandbox import ids, portal_visits
from paygres.sandbox.objects import billing_portal_sessions
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.pages.checkout import SECURITY, Problem, as_page, read_card, read_form
from paygres.sandbox.pages.portal_views import NOTICES, REASONS, shown_home, shown_plans, shown_subscription
from paygres.sandbox.portal_visits import Visit
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World

Act = Callable[[Work, Visit, dict[str, str]], object]


class PortalPage:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        place = "/p/session/{token}"
        acts: dict[str, tuple[Act, str]] = {
            "cancel": (_cancel, "canceled"),
            "resume": (_resume, "resumed"),
            "plan": (_change_plan, "changed"),
            "pay": (_pay, "paid"),
        }
        return [
            Route(place, self.show, methods=["GET"]),
            Route(f"{place}/cancel", self.ask_cancel, methods=["GET"]),
            Route(f"{place}/plan", self.ask_plan, methods=["GET"]),
            Route(f"{place}/card", self.ask_card, methods=["GET"]),
            Route(f"{place}/card", self.change_card, methods=["POST"]),
            *(Route(f"{place}/{name}", self._acting(*act), methods=["POST"]) for name, act in acts.items()),
        ]

    async def show(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return _gone()
        work, visit = found
        step = _step_of_flow(visit) if "said" not in request.query_params else None
        if step is not None:
            return RedirectResponse(f"{request.url.path}/{step}", status_code=303, headers=SECURITY)
        return self._home(request, work, visit)

    async def ask_cancel(self, request: Request) -> Response:
        return self._about_subscription(
            request, "portal_cancel.html", "subscription_cancel", lambda *_: {"reasons": REASONS}
        )

    async def ask_plan(self, request: Request) -> Response:
        return self._about_subscription(request, "portal_plan.html", "subscription_update", shown_plans)

    async def ask_card(self, request: Request) -> Response:
        found = self._find(request)
        if found is None or not found[1].allows("payment_method_update"):
            return _gone()
        return as_page("portal_card.html", 200, back=_home_path(request), problem=None, typed={})

    async def change_card(self, request: Request) -> Response:
        typed = await read_form(request)
        named = billing_portal_sessions.find_account(self._world, request.path_params["token"])
        if named is None or typed is None:
            return _gone(status=404 if named is None else 400)
        account, id = named
        buyer = Buyer(name=typed.get("name", "").strip()[:200] or None)
        try:
            with self._visitors_work(account) as work:
                visit = portal_visits.begin(work, id)
                buyer, card, problem = read_card(
                    Buyer(email=visit.customer["email"], name=buyer.name or visit.customer["name"]), typed, work.now
                )
                if problem is None and card is not None:
                    portal_visits.change_card(work, visit, card, buyer)
        except Refusal as refusal:
            problem = Problem(refusal.error["message"], "card_number")
        if problem is not None:
            return as_page("portal_card.html", 402, back=_home_path(request), problem=problem, typed=typed)
        return _said(request, "card")

    def _acting(self, act: Act, said: str) -> Callable[[Request], Any]:
        """The answer to a form: what it does, and then the portal again, with what was done."""

        async def answer(request: Request) -> Response:
            typed = await read_form(request)
            named = billing_portal_sessions.find_account(self._world, request.path_params["token"])
            if named is None or typed is None:
                return _gone(status=404 if named is None else 400)
            account, id = named
            try:
                with self._visitors_work(account) as work:
                    act(work, portal_visits.begin(work, id), typed)
            except Refusal as refusal:
                now = int(self._world.time())
                work = Work(self._world, account, now)
                told = Problem(refusal.error["message"])
                return self._home(request, work, portal_visits.begin(work, id), problem=told, status=refusal.status)
            return _said(request, said)

        return answer

    def _about_subscription(
        self,
        request: Request,
        template: str,
        feature: str,
        more: Callable[[Work, Visit, dict[str, Any]], dict[str, Any]],
    ) -> Response:
        """A page about the subscription that the query, or the flow, names."""
        found = self._find(request)
        if found is None:
            return _gone()
        work, visit = found
        id = request.query_params.get("subscription") or _subscription_of_flow(visit)
        try:
            subscription = portal_visits.subscription_of(work, visit, str(id))
        except Refusal:
            return _gone()
        if not visit.allows(feature):
            return _gone()
        shown = shown_subscription(work, visit, subscription)
        return as_page(template, 200, back=_home_path(request), subscription=shown, **more(work, visit, subscription))

    def _home(
        self, request: Request, work: Work, visit: Visit, *, problem: Problem | None = None, status: int = 200
    ) -> Response:
        notice = NOTICES.get(request.query_params.get("said", "")) if problem is None else None
        return as_page(
            "portal.html",
            status,
            back=_home_path(request),
            notice=notice,
            problem=problem,
            return_url=visit.session["return_url"],
            **shown_home(work, visit),
        )

    def _find(self, request: Request) -> tuple[Work, Visit] | None:
        named = billing_portal_sessions.find_account(self._world, request.path_params["token"])
        if named is None:
            return None
        work = Work(self._world, named[0], int(self._world.time()))
        try:
            return work, portal_visits.begin(work, named[1])
        except Refusal:
            return None

    def _visitors_work(self, account: str) -> AbstractContextManager[Work]:
        """Work that the page's own request causes: its events name that request, as Stripe's do."""
        return self._world.work(account, request_id=ids.new("request"), idempotency_key=str(uuid4()))


def _cancel(work: Work, visit: Visit, typed: dict[str, str]) -> object:
    feedback = typed.get("feedback", "")
    return portal_visits.cancel(work, visit, typed.get("subscription", ""), feedback if feedback in REASONS else None)


def _resume(work: Work, visit: Visit, typed: dict[str, str]) -> object:
    return portal_visits.go_on(work, visit, typed.get("subscription", ""))


def _change_plan(work: Work, visit: Visit, typed: dict[str, str]) -> object:
    return portal_visits.change_plan(work, visit, typed.get("subscription", ""), typed.get("price", ""))


def _pay(work: Work, visit: Visit, typed: dict[str, str]) -> object:
    return portal_visits.pay_invoice(work, visit, typed.get("invoice", ""))


def _step_of_flow(visit: Visit) -> str | None:
    """The page at which a session with a flow begins."""
    flow = visit.session["flow"]
    if flow is None:
        return None
    return {"payment_method_update": "card", "subscription_cancel": "cancel"}.get(flow["type"], "plan")


def _subscription_of_flow(visit: Visit) -> str | None:
    flow = visit.session["flow"] or {}
    return (flow.get(flow.get("type", "")) or {}).get("subscription")


def _home_path(request: Request) -> str:
    return f"/p/session/{request.path_params['token']}"


def _said(request: Request, word: str) -> Response:
    return RedirectResponse(f"{_home_path(request)}?said={word}", status_code=303, headers=SECURITY)


def _gone(status: int = 404) -> Response:
    return as_page(
        "gone.html", status, title="This portal link has expired", text="Go back to the shop and open the portal again."
    )
