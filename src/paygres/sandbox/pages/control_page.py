"""The control page at /_sim: what happened and how it was delivered, and forms that make things happen. It works
without JavaScript and answers nobody but this machine's own browser."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox.deliveries import Deliveries
from paygres.sandbox.faults import Faults
from paygres.sandbox.pages import control_page_views, same_site
from paygres.sandbox.pages.control_page_acts import ACTS, SAID, Desk
from paygres.sandbox.pages.money import minute
from paygres.sandbox.pages.replies import Problem, as_page, read_form, see_other
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import World

VIEWS = {
    "events": "Events",
    "deliveries": "Deliveries",
    "payments": "Payments",
    "clock": "Clock and outcomes",
    "faults": "Faults",
}
# Its own forms name their origin, which other sites' do not.
HEADERS = {"Referrer-Policy": "same-origin"}


class ControlPage:
    def __init__(self, world: World, deliveries: Deliveries, faults: Faults) -> None:
        self._world = world
        self._desk = Desk(world, deliveries, faults)

    def routes(self) -> list[Route]:
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/_sim", self.show, methods=["GET"]),
            Route("/_sim/object/{id}", self.show_object, methods=["GET"]),
            Route("/_sim/page/{act}", self.act, methods=["POST"]),
        ]

    async def front(self, _: Request) -> Response:
        return as_page("front.html", 200, origin=self._world.origin)

    async def show(self, request: Request) -> Response:
        refused = self._refused(request)
        return refused or self._page(request, request.query_params.get("view", ""))

    async def show_object(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        id = request.path_params["id"]
        account = self._world.store.account_of(id)
        found = control_page_views.one_object(self._world, account, id) if account else None
        if account is None or found is None:
            return _gone(404, "There is no such object")
        said = _said(request)
        return as_page("sim_object.html", 200, headers=HEADERS, account=account, notice=said, **found)

    async def act(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        act = ACTS.get(request.path_params["act"])
        typed = await read_form(request)
        if act is None or typed is None:
            return _gone(404 if act is None else 400, "This form cannot be read")
        account = typed.get("account") or self._own()
        try:
            done = await act(self._desk, account, typed)
        except Refusal as refusal:
            problem = Problem(refusal.error["message"])
            return self._page(request, typed.get("view", ""), account, problem, refusal.status)
        if done.to is not None:
            return see_other(done.to)
        said: dict[str, Any] = {"account": account, "said": done.said, "n": done.n}
        if typed.get("object"):
            return see_other(f"/_sim/object/{typed['object']}?{urlencode(said)}")
        return see_other(f"/_sim?{urlencode({'view': typed.get('view', ''), **said})}")

    def _page(
        self,
        request: Request,
        view: str,
        account: str | None = None,
        problem: Problem | None = None,
        status: int = 200,
    ) -> Response:
        world, asked = self._world, request.query_params
        view = view if view in VIEWS else "events"
        known = control_page_views.accounts(world)
        account = account or asked.get("account") or self._own()
        account = account if account in known else self._own()
        return as_page(
            f"sim_{view}.html",
            status,
            headers=HEADERS,
            account=account,
            accounts=known,
            counts=control_page_views.counts(world, account),
            here=f"/_sim?{urlencode({'view': view, 'account': account})}",
            notice=None if problem else _said(request),
            now=minute(world.time()),
            problem=problem,
            view=view,
            views=VIEWS,
            **self._values(view, account, request),
        )

    def _values(self, view: str, account: str, request: Request) -> dict[str, Any]:
        world, asked = self._world, request.query_params
        if view == "deliveries":
            return control_page_views.undelivered(world, account)
        if view == "payments":
            return control_page_views.payments(world, account)
        if view == "clock":
            return {**control_page_views.clock(world, account), **control_page_views.switches(world, account)}
        if view == "faults":
            return control_page_views.dials(self._desk.faults)
        return control_page_views.events(world, account, asked.get("type", "").strip(), asked.get("after", ""))

    def _refused(self, request: Request) -> Response | None:
        why = same_site.refusal(request, self._world.settings.host)
        return _gone(403, "The control page refuses that", why) if why else None

    def _own(self) -> str:
        return self._world.store.fact("account") or ""


def _said(request: Request) -> str | None:
    text = SAID.get(request.query_params.get("said", ""))
    n = request.query_params.get("n", "0")
    return text.format(n=n if n.isdigit() else "0") if text else None


def _gone(status: int, title: str, text: str | None = None) -> Response:
    return as_page("gone.html", status, headers=HEADERS, title=title, text=text or "The address leads nowhere.")
