"""Test controls of what happens on the wire: which fault dials there are, all of them off again, and the rolling of a
webhook endpoint's secret, which Stripe has in its dashboard."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox.faults import DIALS, Faults
from paygres.sandbox.objects import webhook_endpoints
from paygres.sandbox.pages.controls import answer_json, asked_object, guarded
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.world import World


class WireControls:
    def __init__(self, world: World, dials: Faults) -> None:
        self._world = world
        self._faults = dials

    def routes(self) -> list[Route]:
        return [
            Route("/_sim/faults", guarded(self.turn_off), methods=["DELETE"]),
            Route("/_sim/faults/dials", guarded(self.list_dials), methods=["GET"]),
            Route("/_sim/webhook_endpoints/{endpoint}/roll", guarded(self.roll), methods=["POST"]),
        ]

    async def turn_off(self, request: Request) -> Response:
        """All dials off, the seed at 0 -> every dial."""
        self._faults.turn_off()
        return answer_json(self._faults.shown())

    async def list_dials(self, request: Request) -> Response:
        """`{"dials": [{"name", "kind", "about", "meaning", "allowed", "off", "value"}]}`: what there is to turn."""
        values = self._faults.shown()
        dials = [
            {
                "name": dial.name,
                "kind": dial.kind,
                "about": dial.about,
                "meaning": dial.meaning,
                "allowed": dial.allowed(),
                "off": dial.off,
                "value": values[dial.name],
            }
            for dial in DIALS
        ]
        return answer_json({"dials": dials})

    async def roll(self, request: Request) -> Response:
        """`{"expires_in"?}`, in seconds, 0 unless it is given -> `{"id", "secret", "previous_expires_at"}`."""
        id = request.path_params["endpoint"]
        asked = await asked_object(request) if await request.body() else {}
        expires_in = asked.get("expires_in", 0)
        if not isinstance(expires_in, int) or isinstance(expires_in, bool):
            raise Refusal("`expires_in` is a whole number of seconds.", param="expires_in")
        account = self._world.store.account_of(id)
        if account is None:
            raise no_such("webhook endpoint", id, "id", status=404)
        with self._world.work(account) as work:
            return answer_json(webhook_endpoints.roll(work, id, expires_in))
