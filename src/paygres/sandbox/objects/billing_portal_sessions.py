"""Sessions of the customer portal: made by request, and found again by the secret in their short-lived address."""

import base64
import binascii
import hmac

from paygres.sandbox import ids
from paygres.sandbox.objects import billing_portal_configurations
from paygres.sandbox.objects.checkout_sessions import URL
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work, World

# How long an address waits for its first visit, and for the next after one.
UNVISITED_FOR, VISITED_FOR = 5 * 60, 60 * 60
SECRET_LETTERS = 24
# The flows that are about one subscription.
OF_SUBSCRIPTION = ("subscription_cancel", "subscription_update", "subscription_update_confirm")


def create(work: Work, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = work.find_living("customer", params["customer"], "customer")
    if "configuration" in params:
        configuration = billing_portal_configurations.find(work, params["configuration"])
        if not configuration["active"]:
            raise Refusal("The configuration specified is inactive.", param="configuration")
    else:
        configuration = billing_portal_configurations.default(work)
    if "return_url" in params and not URL.match(params["return_url"]):
        raise Refusal("Not a valid URL", code="url_invalid", param="return_url")
    id = ids.new("billing_portal.session")
    secret = ids.secret_letters(SECRET_LETTERS)
    session = work.add(
        {
            "id": id,
            "object": "billing_portal.session",
            "configuration": configuration["id"],
            "created": work.now,
            "customer": customer["id"],
            "flow": _flow(work, customer["id"], params["flow_data"]) if "flow_data" in params else None,
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": params.get("on_behalf_of"),
            "return_url": params.get("return_url") or configuration["default_return_url"],
            "url": f"{work.world.origin}/p/session/{_token(work.account, id, secret)}",
        },
        hidden={"secret": secret, "ends": int(work.world.time()) + UNVISITED_FOR},
    )
    work.emit("billing_portal.session.created", session)
    return session


def find_account(world: World, token: str) -> tuple[str, str] | None:
    """(account, session id) of an address that is genuine and not over; it stays open for another while then."""
    named = _named(token)
    if named is None:
        return None
    account, id, secret = named
    if world.store.account_of(id) != account:
        return None
    hidden = world.store.hidden(id)
    now = int(world.time())
    if not hmac.compare_digest(str(hidden.get("secret", "")).encode(), secret.encode()) or hidden["ends"] <= now:
        return None
    with world.store.transaction():
        world.store.set_hidden(id, {**hidden, "ends": now + VISITED_FOR})
    return account, id


def end(work: Work, id: str) -> None:
    """Its address leads nowhere from now on."""
    work.store.set_hidden(id, {**work.hidden(id), "ends": int(work.world.time())})


def _token(account: str, id: str, secret: str) -> str:
    told = f"{account},{id},{secret}".encode()
    return "test_" + base64.urlsafe_b64encode(told).decode().rstrip("=")


def _named(token: str) -> tuple[str, str, str] | None:
    encoded = token.removeprefix("test_")
    try:
        told = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    parts = told.split(",")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def _flow(work: Work, customer: str, given: Params) -> Object:
    kind: str = given["type"]
    flow: Object = {"type": kind, "after_completion": given.get("after_completion", {"type": "portal_homepage"})}
    if kind not in OF_SUBSCRIPTION:
        return flow
    if kind not in given:
        raise missing_parameter(f"flow_data[{kind}]")
    param = f"flow_data[{kind}][subscription]"
    subscription = work.find("subscription", given[kind]["subscription"], param)
    if subscription["customer"] != customer:
        raise Refusal(f"The subscription {subscription['id']} does not belong to the customer {customer}.", param=param)
    flow[kind] = given[kind]
    return flow


ROUTES: Routes = {"POST /v1/billing_portal/sessions": create}
