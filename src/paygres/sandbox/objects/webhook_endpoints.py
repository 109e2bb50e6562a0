"""Webhook endpoints: create (which alone tells the secret), retrieve, update, list, delete; and the rolling of their
secrets, which Stripe has in its dashboard only."""

from urllib.parse import urlsplit

from paygres.sandbox import ids, versions
from paygres.sandbox.delivery_rows import DeliveryRows
from paygres.sandbox.objects.fields import given
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

MOST = 16
# An old secret lives on for a day at most.
LONGEST_OVERLAP = 24 * 3600


def create(work: Work, params: Params) -> Object:
    _check_url(params["url"])
    versions.check_of_endpoint(params.get("api_version"))
    if len(work.store.page(work.account, "webhook_endpoint", links={}, limit=MOST)) >= MOST:
        raise Refusal(f"You have reached the maximum of {MOST} test webhook endpoints.")
    secret = _new_secret()
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
    if endpoint["status"] == "disabled":
        DeliveryRows(work.store).end(id, "endpoint disabled")
    work.world.forget_endpoints(work.account)
    return endpoint


def delete(work: Work, params: Params, id: str) -> Object:
    tombstone = work.bury(_find(work, id))
    DeliveryRows(work.store).end(id, "endpoint deleted")
    work.world.forget_endpoints(work.account)
    return tombstone


def roll(work: Work, id: str, expires_in: int) -> Object:
    """Gives the endpoint another secret: `{"id", "secret", "previous_expires_at"}`. Until then (Unix seconds) each
    delivery has a signature of the old one, too."""
    _find(work, id)
    if not 0 <= expires_in <= LONGEST_OVERLAP:
        raise Refusal(f"`expires_in` is a number of seconds, 0 to {LONGEST_OVERLAP}.", param="expires_in")
    now = work.world.time()
    hidden = work.hidden(id)
    living = [
        (secret, now + expires_in if end is None else min(end, now + expires_in))
        for secret, end in zip(hidden["secrets"], hidden.get("ends", [None]), strict=True)
        if end is None or end > now
    ]
    secret = _new_secret()
    secrets, ends = [secret, *(old for old, _ in living)], [None, *(end for _, end in living)]
    work.store.set_hidden(id, {"secrets": secrets, "ends": ends})
    work.world.forget_endpoints(work.account)
    return {"id": id, "secret": secret, "previous_expires_at": int(now) + expires_in}


def list_all(work: Work, params: Params) -> Page:
    return answer_list(work, "webhook_endpoint", params, "/v1/webhook_endpoints")


def _find(work: Work, id: str) -> Object:
    endpoint = work.get(id)
    if endpoint is None or endpoint["object"] != "webhook_endpoint" or endpoint.get("deleted"):
        raise no_such("webhook endpoint", id, "id", status=404)
    return endpoint


def _new_secret() -> str:
    prefix, length = ids.FORMS["webhook_secret"]
    return prefix + ids.secret_letters(length)


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
