"""Webhook endpoints: create (which alone tells the secret), retrieve, update, list, delete."""

from urllib.parse import urlsplit

from paygres.sandbox import ids
from paygres.sandbox.objects.fields import given
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

MOST = 16


def create(work: Work, params: Params) -> Object:
    _check_url(params["url"])
    if len(work.store.page(work.account, "webhook_endpoint", links={}, limit=MOST)) >= MOST:
        raise Refusal(f"You have reached the maximum of {MOST} test webhook endpoints.")
    secret = ids.FORMS["webhook_secret"][0] + ids.secret_letters(ids.FORMS["webhook_secret"][1])
    endpoint = work.add(
        {
            "id": ids.new("webhook_endpoint"),
            "object": "webhook_endpoint",
            "api_version": params.get("api_version"),
            "created": work.now,
            "description": params.get("description") or None,
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": metadata.from_params(params),
            "status": "enabled",
            "url": params["url"],
        },
        hidden={"secrets": [secret]},
    )
    work.world.forget_endpoints(work.account)
    return {**endpoint, "secret": secret}


def retrieve(work: Work, params: Params, id: str) -> Object:
    return _find(work, id)


def update(work: Work, params: Params, id: str) -> Object:
    endpoint = _find(work, id)
    changes = given(params, ("description", "enabled_events"))
    if "url" in params:
        _check_url(params["url"])
        changes["url"] = params["url"]
    if "disabled" in params:
        changes["status"] = "disabled" if params["disabled"] else "enabled"
    changes["metadata"] = metadata.merged(endpoint["metadata"], params.get("metadata"))
    work.change(endpoint, **changes)
    work.world.forget_endpoints(work.account)
    return endpoint


def delete(work: Work, params: Params, id: str) -> Object:
    tombstone = work.bury(_find(work, id))
    # Stripe stops retrying what a deleted endpoint has not answered.
    work.store.run(
        "UPDATE deliveries SET state = 'failed', last_error = 'endpoint deleted' "
        "WHERE endpoint = ? AND state = 'pending'",
        (id,),
    )
    work.world.forget_endpoints(work.account)
    return tombstone


def list_all(work: Work, params: Params) -> Page:
    return answer_list(work, "webhook_endpoint", params, "/v1/webhook_endpoints")


def _find(work: Work, id: str) -> Object:
    endpoint = work.get(id)
    if endpoint is None or endpoint["object"] != "webhook_endpoint" or endpoint.get("deleted"):
        raise no_such("webhook endpoint", id, "id", status=404)
    return endpoint


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise Refusal("Invalid URL: the URL cannot be parsed.", code="url_invalid", param="url") from None
    if parts.scheme not in ("http", "https"):
        raise Refusal(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )
    if not parts.hostname or not port_is_valid:
        raise Refusal("Invalid URL: the URL has no host.", code="url_invalid", param="url")


ROUTES: Routes = {
    "POST /v1/webhook_endpoints": create,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": retrieve,
    "POST /v1/webhook_endpoints/{webhook_endpoint}": update,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": delete,
    "GET /v1/webhook_endpoints": list_all,
}
