"""The customer portal's page: plain forms that work without JavaScript, behind a short-lived address that nobody
guesses. What it does is portal_visits.py's part."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import ids, portal_visits
from paygres.sandbox.objects import billing_portal_sessions
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.pages import portal_flows, portal_views
from paygres.sandbox.pages.checkout_form import read_card, with_test_choice
from paygres.sandbox.pages.portal_acts import ACTS, Act, quantity_of
from paygres.sandbox.pages.portal_views import NOTICES, REASONS
from paygres.sandbox.pages.replies import Problem, as_page, read_form, see_other
from paygres.sandbox.portal_visits import Visit
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World


class PortalPage:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        place = "/p/session/{token}"
        return [
            Route(place, self.show, methods=["GET"]),
            Route(f"{place}/cancel", self.ask_cancel, methods=["GET"]),
            Route(f"{place}/plan", self.ask_plan, methods=["GET"]),
            Route(f"{place}/card", self.ask_card, methods=["GET"]),
            Route(f"{place}/card", self.change_card, methods=["POST"]),
            Route(f"{place}/details", self.ask_details, methods=["GET"]),
            Route(f"{place}/done", self.done, methods=["GET"]),
            *(Route(f"{place}/{name}", self._acting(name, *act), methods=["POST"]) for name, act in ACTS.items()),
        ]

    async def show(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return _gone()
        work, visit = found
        step = portal_flows.step(visit) if "said" not in request.query_params else None
        if step is not None:
            return see_other(f"{request.url.path}/{step}")
        return self._home(request, work, visit)

    async def ask_cancel(self, request: Request) -> Response:
        def asked(_: Work, visit: Visit, __: dict[str, Any]) -> dict[str, Any]:
            return {"reasons": {name: REASONS[name] for name in portal_visits.reasons_of(visit)}}

        return self._about_subscription(request, "portal_cancel.html", "subscription_cancel", asked)

    async def ask_plan(self, request: Request) -> Response:
        """The plans to choose from; with `price` in the query, what that choice would do."""
        found = self._find(request)
        wanted = found and portal_flows.chosen(found[1])
        asked = request.query_params.get("price")
        if not (asked or wanted):
            return self._about_subscription(
                request, "portal_plan.html", "subscription_update", portal_views.shown_plans
            )
        price, quantity = (asked, quantity_of(dict(request.query_params))) if asked else wanted or ("", None)

        def previewed(work: Work, visit: Visit, subscription: dict[str, Any]) -> dict[str, Any]:
            return portal_views.shown_change(work, visit, subscription, price, quantity)

        return self._about_subscription(request, "portal_change.html", "subscription_update", previewed)

    async def ask_card(self, request: Request) -> Response:
        found = self._find(request)
        if found is None or not found[1].allows("payment_method_update"):
            return _gone()
        return _card_page(request, found[1], 200)

    async def change_card(self, request: Request) -> Response:
        typed = await read_form(request)
        named = billing_portal_sessions.find_account(self._world, request.path_params["token"])
        if named is None or typed is None:
            return _gone(status=404 if named is None else 400)
        typed = with_test_choice(typed)
        account, id = named
        visit = None
        try:
            with self._visitors_work(account) as work:
                visit = portal_visits.begin(work, id)
                name = typed.get("name", "").strip()[:200] or visit.customer["name"]
                buyer, card, problem = read_card(Buyer(email=visit.customer["email"], name=name), typed, work.now)
                if problem is None and card is not None:
                    portal_visits.change_card(work, visit, card, buyer)
        except Refusal as refusal:
            problem = Problem(refusal.error["message"], "card_number")
        if visit is None:
            return _gone()
        if problem is not None:
            return _card_page(request, visit, 402, problem, typed)
        return see_other(portal_flows.afterwards(visit, "card", _home_path(request), "card"))

    async def ask_details(self, request: Request) -> Response:
        found = self._find(request)
        if found is None or not portal_views.changeable(found[1]):
            return _gone()
        customer = found[1].customer
        known = {name: customer[name] for name in ("name", "email", "phone")} | (customer["address"] or {})
        return as_page(
            "portal_details.html",
            200,
            here=_home_path(request),
            back=portal_flows.way_back(found[1], _plain_home(request)),
            asked=portal_views.changeable(found[1]),
            typed={name: value for name, value in known.items() if value},
        )

    async def done(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return _gone()
        return as_page(
            "gone.html",
            200,
            title="Done",
            text=portal_flows.confirmation(found[1]),
            link=found[1].session["return_url"],
        )

    def _acting(self, name: str, act: Act, said: str) -> Callable[[Request], Any]:
        """The answer to a form: what it does, and then the portal again, with what was done."""

        async def answer(request: Request) -> Response:
            typed = await read_form(request)
            named = billing_portal_sessions.find_account(self._world, request.path_params["token"])
            if named is None or typed is None:
                return _gone(status=404 if named is None else 400)
            account, id = named
            try:
                with self._visitors_work(account) as work:
                    visit = portal_visits.begin(work, id)
                    elsewhere = act(work, visit, typed)
            except Refusal as refusal:
                now = int(self._world.time())
                work = Work(self._world, account, now)
                told = Problem(refusal.error["message"])
                return self._home(request, work, portal_visits.begin(work, id), problem=told, status=refusal.status)
            if isinstance(elsewhere, str):
                return see_other(elsewhere)
            return see_other(portal_flows.afterwards(visit, name, _home_path(request), said))

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
        id = request.query_params.get("subscription") or portal_flows.subscription(visit)
        if not visit.allows(feature):
            return _gone()
        try:
            subscription = portal_visits.subscription_of(work, visit, str(id))
            shown = portal_views.shown_subscription(work, visit, subscription)
            values = more(work, visit, subscription)
        except Refusal as refusal:
            return (
                _gone()
                if refusal.status == 404
                else self._home(request, work, visit, problem=Problem(refusal.error["message"]), status=refusal.status)
            )
        home = _home_path(request)
        back = portal_flows.way_back(visit, _plain_home(request))
        return as_page(template, 200, here=home, back=back, subscription=shown, **values)

    def _home(
        self, request: Request, work: Work, visit: Visit, *, problem: Problem | None = None, status: int = 200
    ) -> Response:
        notice = NOTICES.get(request.query_params.get("said", "")) if problem is None else None
        return as_page(
            "portal.html",
            status,
            here=_home_path(request),
            notice=notice,
            problem=problem,
            return_url=visit.session["return_url"],
            **portal_views.shown_home(work, visit),
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


def _card_page(
    request: Request, visit: Visit, status: int, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response:
    return as_page(
        "portal_card.html",
        status,
        here=_home_path(request),
        back=portal_flows.way_back(visit, _plain_home(request)),
        problem=problem,
        test_cards=portal_views.TEST_CARDS,
        typed=typed or {},
    )


def _home_path(request: Request) -> str:
    return f"/p/session/{request.path_params['token']}"


def _plain_home(request: Request) -> str:
    """The portal itself, also in a session that begins elsewhere."""
    return f"{_home_path(request)}?said="


def _gone(status: int = 404) -> Response:
    return as_page(
        "gone.html", status, title="This portal link has expired", text="Go back to the shop and open the portal again."
    )
