"""The test control that a waiting test looks through: every event since the beginning, and how it was answered."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox.pages.controls import answer_json, guarded
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import World

MOST = 100_000
UNANSWERED = "SELECT event, state, count(*) FROM deliveries WHERE account = ? AND state != 'delivered' GROUP BY 1, 2"


class WatchControls:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [Route("/_sim/events", guarded(self.events), methods=["GET"])]

    async def events(self, request: Request) -> Response:
        """`?account=&type=&object=`, where a type may end in `*` -> `{"events": [{"event", "pending", "failed"}]}`,
        oldest first. Unlike /v1/events it knows no limit of 30 days."""
        query = request.query_params
        store = self._world.store
        account = query.get("account") or store.fact("account")
        if account is None:
            raise Refusal("There is no account yet.")
        wanted = query.get("type", "*")
        links = {} if wanted.endswith("*") else {"type": wanted}
        unanswered: dict[tuple[str, str], int] = {
            (event, state): count for event, state, count in store.run(UNANSWERED, (account,)).fetchall()
        }
        found: list[dict[str, Any]] = []
        for body in reversed(store.page(account, "event", links=links, limit=MOST)):
            event = orjson.loads(body)
            about = event["data"]["object"].get("id")
            if wanted.endswith("*") and not event["type"].startswith(wanted[:-1]):
                continue
            if query.get("object", about) != about:
                continue
            pending, failed = (unanswered.get((event["id"], state), 0) for state in ("pending", "failed"))
            found.append({"event": {**event, "pending_webhooks": pending}, "pending": pending, "failed": failed})
        return answer_json({"events": found})
