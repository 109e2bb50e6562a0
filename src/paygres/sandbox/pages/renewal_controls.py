"""Test controls of billing, under /_sim/ beside the others: a period that is over now, the next try of a payment, a
bank's question about an invoice."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import renewals
from paygres.sandbox.objects import invoice_intents
from paygres.sandbox.pages.controls import answer_json, asked_object, guarded
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import no_such
from paygres.sandbox.world import Work, World


class RenewalControls:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/_sim/authenticate", guarded(self.authenticate), methods=["POST"]),
            Route("/_sim/renew", guarded(self.renew), methods=["POST"]),
            Route("/_sim/retry", guarded(self.retry), methods=["POST"]),
        ]

    async def authenticate(self, request: Request) -> Response:
        """`{"invoice", "passed"?}` -> the invoice: its buyer answers the bank's question on the invoice's page."""
        asked = await asked_object(request)
        passed = asked.get("passed", True) is True

        def answer(work: Work, id: str) -> Object:
            return invoice_intents.authenticate(work, id, passed=passed)

        return answer_json(self._act("invoice", str(asked.get("invoice")), answer))

    async def renew(self, request: Request) -> Response:
        """`{"subscription", "fail"?}` -> the subscription: its period (or its trial, or its time) is over now; `fail`
        declines the payment whatever its card is."""
        asked = await asked_object(request)
        failing = bool(asked.get("fail"))

        def over(work: Work, id: str) -> Object:
            return renewals.renew_now(work, id, failing=failing)

        return answer_json(self._act("subscription", str(asked.get("subscription")), over))

    async def retry(self, request: Request) -> Response:
        """`{"invoice"}` -> the invoice, after the next try of a payment that failed."""

        def again(work: Work, id: str) -> Object:
            renewals.retry_invoice(work, id)
            return work.find("invoice", id, "invoice")

        return answer_json(self._act("invoice", str((await asked_object(request)).get("invoice")), again))

    def _act(self, kind: str, id: str, action: Callable[[Work, str], Object]) -> Object:
        account = self._world.store.account_of(id)
        if account is None:
            raise no_such(kind, id, kind, status=404)
        with self._world.work(account) as work:
            return action(work, id)
