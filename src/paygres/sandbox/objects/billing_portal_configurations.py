"""Configurations of the customer portal: what a customer may do there; create, retrieve, update, list. Every account
has a default one as soon as it is needed."""

from typing import Any

import orjson

from paygres.sandbox import ids
from paygres.sandbox.objects import fields
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "other"]
# What a feature is when a request does not say.
FEATURES: Object = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": REASONS},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "default_allowed_updates": [],
        "enabled": False,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
# What an account has before anybody configures anything.
DEFAULT: Object = {
    "customer_update": {"allowed_updates": ["email", "address", "phone"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"cancellation_reason": {"enabled": True}, "enabled": True},
    "subscription_update": {
        "default_allowed_updates": ["price"],
        "enabled": True,
        "proration_behavior": "create_prorations",
    },
}


def create(work: Work, params: Params) -> Object:
    _check(work, params["features"])
    configuration = _make(work, params, is_default=False)
    work.emit("billing_portal.configuration.created", configuration)
    return configuration


def retrieve(work: Work, params: Params, id: str) -> Object:
    return find(work, id, in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    configuration = find(work, id, in_path=True)
    if configuration["is_default"] and params.get("active") is False:
        raise Refusal("You cannot deactivate the default configuration.", param="active")
    changes = fields.given(params, ("active", "default_return_url", "name"))
    if "business_profile" in params:
        changes["business_profile"] = _merged(configuration["business_profile"], params["business_profile"])
    if "features" in params:
        _check(work, params["features"])
        changes["features"] = _merged(configuration["features"], params["features"])
    if "login_page" in params:
        changes["login_page"] = _login_page(work, configuration["id"], params)
    changes["metadata"] = metadata.merged(configuration["metadata"], params.get("metadata"))
    if any(configuration[name] != value for name, value in changes.items()):
        work.update_and_emit(configuration, "billing_portal.configuration.updated", **changes, updated=work.now)
    return configuration


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("active", "is_default")}
    return answer_list(work, "billing_portal.configuration", params, "/v1/billing_portal/configurations", links=links)


def find(work: Work, id: str, *, in_path: bool = False) -> Object:
    """The configuration, or Stripe's "No such configuration"."""
    return work.find("billing_portal.configuration", id, "configuration", in_path=in_path)


def default(work: Work) -> Object:
    """The account's default configuration, made on first need."""
    found = work.store.page(work.account, "billing_portal.configuration", links={"is_default": "true"}, limit=1)
    if found:
        return orjson.loads(found[0])
    return _make(work, {"features": DEFAULT}, is_default=True)


def _make(work: Work, params: Params, *, is_default: bool) -> Object:
    id = ids.new("billing_portal.configuration")
    return work.add(
        {
            "id": id,
            "object": "billing_portal.configuration",
            "active": True,
            "business_profile": _merged({}, params.get("business_profile", {})),
            "created": work.now,
            "default_return_url": params.get("default_return_url") or None,
            "features": _merged(FEATURES, params["features"]),
            "is_default": is_default,
            "livemode": False,
            "login_page": _login_page(work, id, params),
            "metadata": metadata.from_params(params),
            "name": params.get("name") or None,
            "updated": work.now,
        }
    )


def _merged(present: Object, given: Params) -> Object:
    """The hash after an update; what was sent empty is unset."""
    result: dict[str, Any] = orjson.loads(orjson.dumps(present))
    for name, value in given.items():
        if isinstance(value, dict):
            result[name] = _merged(result.get(name) or {}, value)
        else:
            result[name] = value if value != "" else ([] if isinstance(result.get(name), list) else None)
    products: list[Object] = result.get("products") or []
    for product in products:
        product.setdefault("adjustable_quantity", {"enabled": False, "minimum": 1})
        product["adjustable_quantity"].setdefault("minimum", 1)
    return result


def _check(work: Work, features: Params) -> None:
    """Raises `Refusal` for what a feature lacks, or names in vain."""
    update: Params = features.get("subscription_update", {})
    place = "features[subscription_update]"
    if update.get("enabled"):
        for name in ("default_allowed_updates", "products"):
            if name not in update:
                raise missing_parameter(f"{place}[{name}]")
    products: list[Params] = update.get("products") or []
    for number, product in enumerate(products):
        work.find_living("product", product["product"], f"{place}[products][{number}][product]")
        for price in product["prices"]:
            work.find("price", price, f"{place}[products][{number}][prices]")


def _login_page(work: Work, id: str, params: Params) -> Object:
    enabled: bool = params.get("login_page", {}).get("enabled", False)
    return {"enabled": enabled, "url": f"{work.world.origin}/p/login/{id}" if enabled else None}


ROUTES: Routes = {
    "POST /v1/billing_portal/configurations": create,
    "GET /v1/billing_portal/configurations": list_all,
    "GET /v1/billing_portal/configurations/{configuration}": retrieve,
    "POST /v1/billing_portal/configurations/{configuration}": update,
}
