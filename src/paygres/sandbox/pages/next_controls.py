"""Test controls of what comes next: the clock, moved ahead, and how the next payment ends."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import timers
from paygres.sandbox.moments import moment_of
from paygres.sandbox.pages.controls import answer_json, asked_object, guarded
from paygres.sandbox.renewals import DRAFT_FOR
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import World

DRAFTS = "SELECT max(due) FROM timers WHERE name = 'advance_invoice' AND due <= ?"


class NextControls:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/_sim/clock", guarded(self.clock), methods=["GET", "POST"]),
            Route("/_sim/next_payment", guarded(self.next_payment), methods=["GET", "POST"]),
        ]

    async def clock(self, request: Request) -> Response:
        """GET: `{"now"}`, in Unix seconds. POST `{"seconds"}` or `{"to": Unix seconds or ISO 8601}` moves it ahead ->
        `{"now", "happened"}`: how many things were due on the way. `"drafts": true` goes on, by an hour at most, until
        the invoices that are drafts then are drafts no more."""
        world = self._world
        if request.method == "GET":
            return answer_json({"now": world.time()})
        asked = await asked_object(request)
        happened = await timers.move(world, self._moment(asked))
        if asked.get("drafts") is True:
            [due] = world.store.run(DRAFTS, (world.time() + DRAFT_FOR,)).fetchone()
            if due is not None and due > world.time():
                happened += await timers.move(world, due)
        return answer_json({"now": world.time(), "happened": happened})

    async def next_payment(self, request: Request) -> Response:
        """GET: `{"outcome"}`. POST `{"outcome": "declined" | "asks" | "disputed" | a decline's code | null,
        "account"?}`: so the account's next payment ends, whatever its card; null leaves it to the card."""
        switches = self._world.switches
        asked = await asked_object(request) if request.method == "POST" else dict(request.query_params)
        account = str(asked.get("account") or self._world.store.fact("account"))
        if request.method == "POST":
            try:
                switches.turn(account, asked.get("outcome"))
            except ValueError as problem:
                raise Refusal(f"T{str(problem)[1:]}.", param="outcome") from None
        return answer_json({"outcome": switches.payment(account)})

    def _moment(self, asked: dict[str, Any]) -> float:
        if ("seconds" in asked) == ("to" in asked):
            raise Refusal("Say either `seconds` or `to`.")
        try:
            if "to" in asked:
                return moment_of(asked["to"])
            seconds = float(asked["seconds"])
        except (TypeError, ValueError) as problem:
            raise Refusal(f"{problem}.") from None
        if not seconds >= 0:
            raise Refusal("The clock cannot go back.", param="seconds")
        return self._world.time() + seconds
