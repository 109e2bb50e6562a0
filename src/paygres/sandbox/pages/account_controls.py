"""Test controls of an account, under /_sim/ beside the others: seeding it, limiting it, restricting its keys."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox.limits import Limits
from paygres.sandbox.pages.controls import answer_json, asked_object, guarded
from paygres.sandbox.seeding.plan import read_plan
from paygres.sandbox.seeding.seed import seed
from paygres.sandbox.wire.authorization import account_of
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.restricted_keys import RestrictedKeys
from paygres.sandbox.world import World


class AccountControls:
    def __init__(self, world: World, limits: Limits, restricted: RestrictedKeys) -> None:
        self._world = world
        self._limits = limits
        self._restricted = restricted

    def routes(self) -> list[Route]:
        return [
            Route("/_sim/seed", guarded(self.seed), methods=["POST"]),
            Route("/_sim/limits", guarded(self.limit), methods=["GET", "POST"]),
            Route("/_sim/restricted_keys", guarded(self.restrict), methods=["POST"]),
        ]

    async def seed(self, request: Request) -> Response:
        """`{"products", "prices", "customers", "subscriptions", "invoices", "checkout_sessions", "payment_intents",
        "charges", "refunds", "disputes": n, "since", "until", "fields", "events", "account"?}` -> how many were made,
        by kind. Other requests are answered meanwhile."""
        asked = await asked_object(request)
        account = str(asked.pop("account", None) or self._world.store.fact("account"))
        try:
            plan = read_plan(asked, int(self._world.time()))
        except ValueError as problem:
            raise Refusal(str(problem)) from None
        made: dict[str, int] = {}
        for by_now in seed(self._world, account, plan):
            made = by_now
            await asyncio.sleep(0)
        return answer_json(made)

    async def limit(self, request: Request) -> Response:
        """GET shows the rate limits and counts each account's requests; POST `{"on", "rate", "endpoint_rate",
        "burst"}` sets those that it names and starts the counters anew."""
        if request.method == "POST":
            try:
                self._limits.set(await asked_object(request))
            except (TypeError, ValueError) as problem:
                raise Refusal(str(problem)) from None
        return answer_json(self._limits.shown())

    async def restrict(self, request: Request) -> Response:
        """`{"key", "permissions": {"checkout_sessions": "write", "products": "read"} | null, "expired": false}`."""
        asked = await asked_object(request)
        key, permissions = str(asked.get("key")), asked.get("permissions")
        if account_of(key) is None or not (permissions is None or isinstance(permissions, dict)):
            raise Refusal("`key` must be a test key, and `permissions` an object or null.")
        try:
            self._restricted.set(key, permissions, expired=bool(asked.get("expired", False)))
        except ValueError as problem:
            raise Refusal(str(problem)) from None
        return answer_json({"account": account_of(key)})
