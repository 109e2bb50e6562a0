"""Subscription items by themselves: create, retrieve, update, delete, list. Each change is one of the subscription."""

from paygres.sandbox.objects import subscription_changes, subscription_pending
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

OF_CHANGE = ("proration_behavior", "proration_date")


def create(work: Work, params: Params) -> Object:
    subscription = work.find("subscription", params["subscription"], "subscription")
    present = {item["id"] for item in subscription["items"]["data"]}
    changed = _apply(work, subscription, params, {name: params[name] for name in params if name not in NOT_OF_ITEM})
    return next(item for item in changed["items"]["data"] if item["id"] not in present)


NOT_OF_ITEM = frozenset(("expand", "off_session", "payment_behavior", "subscription", *OF_CHANGE))


def retrieve(work: Work, params: Params, id: str) -> Object:
    return _find(work, id)


def update(work: Work, params: Params, id: str) -> Object:
    item = _find(work, id)
    subscription = work.find("subscription", item["subscription"], "subscription")
    one = {name: params[name] for name in params if name not in NOT_OF_ITEM}
    _apply(work, subscription, params, {**one, "id": id})
    return _find(work, id)


def delete(work: Work, params: Params, id: str) -> Object:
    item = _find(work, id)
    subscription = work.find("subscription", item["subscription"], "subscription")
    _apply(work, subscription, params, {"id": id, "deleted": True})
    return {"id": id, "object": "subscription_item", "deleted": True}


def list_all(work: Work, params: Params) -> Page:
    work.find("subscription", params["subscription"], "subscription")
    links = {"subscription": params["subscription"]}
    return answer_list(work, "subscription_item", params, "/v1/subscription_items", links=links)


def _find(work: Work, id: str) -> Object:
    return work.find_living("subscription_item", id, "item", in_path=True)


def _apply(work: Work, subscription: Object, params: Params, one: Params) -> Object:
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    asked = {name: params[name] for name in OF_CHANGE if name in params}
    change = subscription_changes.read(work, subscription, {**asked, "items": [one]})
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        return subscription_pending.update(work, subscription, change, {}, {**asked, "items": [one]})
    return subscription_changes.apply(work, subscription, change, {}, payment_behavior=behavior)


ROUTES: Routes = {
    "POST /v1/subscription_items": create,
    "GET /v1/subscription_items": list_all,
    "GET /v1/subscription_items/{item}": retrieve,
    "POST /v1/subscription_items/{item}": update,
    "DELETE /v1/subscription_items/{item}": delete,
}
