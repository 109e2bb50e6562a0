"""The page on which the buyer answers the bank's question about a payment or setup intent that a request confirmed, and
the test control that does the same without a browser."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import authentication, ids
from paygres.sandbox.pages.controls import answer_json, asked_object, guarded
from paygres.sandbox.pages.money import money
from paygres.sandbox.pages.replies import as_page, read_form, see_other
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.world import Work, World

ENDS = {
    "succeeded": ("Thank you", "Your bank has confirmed it. You can close this page."),
    "requires_capture": ("Thank you", "Your bank has confirmed it. You can close this page."),
    "requires_confirmation": ("Thank you", "Your bank has confirmed it. You can close this page."),
    "requires_payment_method": ("This did not work", "Your bank has not confirmed it. Try another payment method."),
}
OVER = ("There is nothing to confirm", "Your bank does not wait for an answer any more.")


class AuthenticationPage:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/3ds/{intent}", self.show, methods=["GET"]),
            Route("/3ds/{intent}", self.answer, methods=["POST"]),
            Route("/_sim/challenge", guarded(self.answer_for), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        id = request.path_params["intent"]
        account = self._world.store.account_of(id)
        if account is None:
            return _over(404)
        work = Work(self._world, account, int(self._world.time()))
        try:
            intent = authentication.waiting(work, id)
        except Refusal as refusal:
            return _over(refusal.status)
        total = money(intent["amount"], intent["currency"]) if "amount" in intent else "Nothing is charged"
        card = authentication.card_text(work, intent)
        return as_page("challenge.html", 200, action=f"/3ds/{id}", total=total, card=card)

    async def answer(self, request: Request) -> Response:
        id = request.path_params["intent"]
        typed = await read_form(request)
        account = self._world.store.account_of(id)
        if typed is None or account is None:
            return _over(404 if account is None else 400)
        try:
            # The events name the page's own request, as Stripe's do.
            with self._world.work(account, request_id=ids.new("request"), idempotency_key=str(uuid4())) as work:
                intent = authentication.answer(work, id, passed=typed.get("outcome") == "complete")
                url = authentication.return_url(work, intent)
        except Refusal as refusal:
            return _over(refusal.status)
        if url is not None:
            return see_other(url)
        title, text = ENDS.get(intent["status"], OVER)
        return as_page("gone.html", 200, title=title, text=text)

    async def answer_for(self, request: Request) -> Response:
        """`{"intent": "pi_…" or "seti_…", "authenticate"? ("complete" or "fail")}` -> `{"status", "return_url"}` of the
        intent afterwards."""
        asked = await asked_object(request)
        id = str(asked.get("intent"))
        account = self._world.store.account_of(id)
        if account is None:
            raise no_such("intent", id, "intent", status=404)
        with self._world.work(account) as work:
            intent: Object = authentication.answer(work, id, passed=asked.get("authenticate", "complete") == "complete")
            url = authentication.return_url(work, intent)
        return answer_json({"status": intent["status"], "return_url": url})


def _over(status: int) -> Response:
    title, text = OVER
    return as_page("gone.html", status, title=title, text=text)
