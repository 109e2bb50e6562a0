"""Events: retrieve and list, by type (with wildcards), time and delivery."""

from dataclasses import replace
from typing import Any

import orjson

from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.spec.document import operations
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

KEPT_SECONDS = 30 * 24 * 3600
MOST_TYPES = 20

UNDELIVERED = "id IN (SELECT event FROM deliveries WHERE state != 'delivered' AND account = ?)"


def retrieve(work: Work, params: Params, id: str) -> Object:
    event = work.find("event", id, "id", in_path=True)
    if event["created"] < work.now - KEPT_SECONDS:
        raise no_such("event", id, "id", status=404)
    return with_pending(work, event)


def list_all(work: Work, params: Params) -> Page:
    conditions: list[tuple[str, Any]] = [("created >= ?", work.now - KEPT_SECONDS)]
    links: dict[str, Any] = {}
    if "type" in params and "types" in params:
        raise Refusal("You may only specify one of these parameters: type, types.", stored=False)
    if "types" in params:
        if len(params["types"]) > MOST_TYPES:
            raise Refusal(f"You can specify at most {MOST_TYPES} event types.", param="types", stored=False)
        links["type"] = params["types"]
    if "type" in params:
        wanted: str = params["type"]
        links["type"] = _types(wanted.removesuffix("*")) if wanted.endswith("*") else wanted
    if "delivery_success" in params:
        negation = "NOT " if params["delivery_success"] else ""
        conditions.append((negation + UNDELIVERED, work.account))
    page = answer_list(work, "event", params, "/v1/events", links=links, conditions=conditions)
    return replace(page, bodies=[_shown(work, body) for body in page.bodies])


def _types(start: str) -> list[str]:
    """All types that begin so: an endpoint may be sent any of them."""
    body = operations()["POST /v1/webhook_endpoints"]["body"]
    types: list[str] = body["properties"]["enabled_events"]["items"]["enum"]
    return [type for type in types if type.startswith(start) and type != "*"]


def with_pending(work: Work, event: Object) -> Object:
    """`pending_webhooks` counts the endpoints that have not answered yet; it changes under a stored event."""
    [event["pending_webhooks"]] = work.store.run(
        "SELECT count(*) FROM deliveries WHERE event = ? AND state = 'pending'", (event["id"],)
    ).fetchone()
    return event


def _shown(work: Work, body: bytes) -> bytes:
    event = orjson.loads(body)
    before = event["pending_webhooks"]
    return orjson.dumps(event) if with_pending(work, event)["pending_webhooks"] != before else body


ROUTES: Routes = {
    "GET /v1/events/{id}": retrieve,
    "GET /v1/events": list_all,
}
