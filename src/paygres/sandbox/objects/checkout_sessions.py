"""Checkout sessions: create, retrieve, update, list, expire, line items. Paying one is confirm.py's part."""

import re
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import bank_debits, checkout_fields, checkout_setups, discounts, fields, line_items
from paygres.sandbox.objects.line_items import Bought
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list, inline_page
from paygres.sandbox.world import Work, World

SHORTEST, LONGEST = 30 * 60, 24 * 3600
URL = re.compile(r"https?://[^/\s?#]+", re.IGNORECASE)

# Parameters that the session just repeats.
ECHOED = [
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "locale",
    "origin_context",
    "payment_method_collection",
    "saved_payment_method_options",
    "submit_type",
]
# Parameters that one mode alone knows.
OF_ONE_MODE = {
    "payment_intent_data": "payment",
    "invoice_creation": "payment",
    "submit_type": "payment",
    "subscription_data": "subscription",
    "setup_intent_data": "setup",
}


def create(work: Work, params: Params) -> Object:
    mode = _mode(params)
    _check_urls(params)
    customer = _customer(work, params, mode)
    expires_at = _expires_at(work, params)
    bought = _bought(work, params, mode)
    types = _method_types(params, mode, bought.currency)
    sold: Object = {
        "amount_subtotal": bought.subtotal,
        "currency": bought.currency or None,
        "customer": customer and customer["id"],
        "mode": mode,
    }
    id = ids.new("checkout.session")
    session = work.add(
        {
            **_constants(mode, params),
            **{name: params[name] for name in ECHOED if name in params},
            **sold,
            "id": id,
            "amount_total": bought.subtotal,
            "created": work.now,
            "customer_details": _known_details(customer, params),
            "expires_at": expires_at,
            "metadata": metadata.from_params(params),
            "payment_method_types": types,
            "payment_status": "unpaid" if bought.subtotal else "no_payment_required",
            "success_url": params["success_url"],
            "url": f"{work.world.origin}/c/pay/{id}",
            **discounts.given(work, params, sold, bought.items),
            **(_setup(work, params, types, sold["customer"]) if mode == "setup" else {}),
        },
        hidden=_hidden(params, bought),
    )
    work.at(expires_at, "expire_session", id)
    return session


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("checkout.session", id, "session", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    session = work.find("checkout.session", id, "session", in_path=True)
    work.change(session, metadata=metadata.merged(session["metadata"], params.get("metadata")))
    return session


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("customer", "payment_intent", "subscription", "status")}
    links["customer_details.email"] = params.get("customer_details", {}).get("email")
    return answer_list(work, "checkout.session", params, "/v1/checkout/sessions", links=links)


def expire(work: Work, params: Params, id: str) -> Object:
    session = work.find("checkout.session", id, "session", in_path=True)
    if session["status"] != "open":
        raise Refusal(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Session has a status of '
            f"`{session['status']}`."
        )
    return _expired(work, session, automatic=False)


def expire_by_time(work: Work, id: str) -> None:
    """The timer: an open session whose time is over."""
    session = work.get(id)
    if session is not None and session["status"] == "open" and session["expires_at"] <= work.now:
        _expired(work, session, automatic=True)


def line_items_of(work: Work, id: str) -> list[Object]:
    return work.hidden(id)["line_items"]


def list_line_items(work: Work, params: Params, id: str) -> Object:
    work.find("checkout.session", id, "session", in_path=True)
    return inline_page(line_items_of(work, id), f"/v1/checkout/sessions/{id}/line_items", params)


def include_line_items(work: Work, session: Object) -> Object:
    """What `expand[]=line_items` adds."""
    return list_line_items(work, {}, session["id"])


def move_open_pages(world: World) -> None:
    """After a restart on another port, open sessions get the address at which their page is now."""
    if world.store.fact("origin") == world.origin:
        return
    rows = world.store.run(
        "SELECT o.account, o.id FROM links l JOIN objects o ON o.seq = l.seq "
        "WHERE l.name = 'checkout.session.status' AND l.value = 'open'"
    ).fetchall()
    for account, id in rows:
        with world.work(account) as work:
            session = work.find("checkout.session", id, "session")
            work.change(session, url=f"{world.origin}/c/pay/{id}")
    with world.store.transaction():
        world.store.set_fact("origin", world.origin)


def landing_url(session: Object) -> str:
    """Where the buyer goes after paying, with the session's id in its place."""
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def _expired(work: Work, session: Object, *, automatic: bool) -> Object:
    work.change(session, status="expired", url=None)
    work.emit("checkout.session.expired", session, automatic=automatic)
    return session


def _mode(params: Params) -> str:
    mode = params.get("mode")
    if mode is None:
        raise missing_parameter("mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise Refusal("The sandbox simulates Checkout Sessions with `ui_mode` `hosted_page` only.", param="ui_mode")
    for name, only in OF_ONE_MODE.items():
        if name in params and mode != only:
            raise Refusal(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    return mode


def _bought(work: Work, params: Params, mode: str) -> Bought:
    if mode == "setup":
        return checkout_setups.nothing(params)
    if "line_items" not in params:
        raise missing_parameter("line_items")
    return line_items.read(work, params["line_items"], mode, params.get("currency"))


def _setup(work: Work, params: Params, types: list[str], customer: str | None) -> Object:
    return {**checkout_setups.FIELDS, "setup_intent": checkout_setups.make_intent(work, params, types, customer)}


def _method_types(params: Params, mode: str, currency: str) -> list[str]:
    """What the page offers: cards, and bank debits in euros. Raises `Refusal` for another wish."""
    wanted: list[str] = params.get("payment_method_types") or []
    debits = currency == bank_debits.CURRENCY
    for place, wish in enumerate(wanted):
        if wish not in ("card", bank_debits.TYPE):
            raise Refusal(
                f"The sandbox does not simulate the payment method type `{wish}`.",
                param=f"payment_method_types[{place}]",
            )
        if wish == bank_debits.TYPE and not debits and (mode != "setup" or currency):
            raise Refusal(
                f"The payment method `{wish}` cannot be used here: it takes {bank_debits.CURRENCY}, and this Checkout "
                f"Session is a {mode} in {currency}.",
                param=f"payment_method_types[{place}]",
            )
    return wanted or ["card", *([bank_debits.TYPE] if debits else [])]


def _check_urls(params: Params) -> None:
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params and not URL.match(params[name]):
            raise Refusal("Not a valid URL", code="url_invalid", param=name)


def _expires_at(work: Work, params: Params) -> int:
    expires_at: int = params.get("expires_at", work.now + LONGEST)
    if expires_at < work.now + SHORTEST:
        raise Refusal(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if expires_at > work.now + LONGEST:
        raise Refusal(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return expires_at


def _customer(work: Work, params: Params, mode: str) -> Object | None:
    if "customer_creation" in params and mode == "subscription":
        raise Refusal("`customer_creation` can only be set in `payment` and `setup` mode.", param="customer_creation")
    if "customer" not in params:
        if "customer_email" in params:
            fields.email(params["customer_email"], "customer_email")
        return None
    for other in ("customer_email", "customer_creation"):
        if other in params:
            raise Refusal(
                f"You may only specify one of these parameters: customer, {other}.",
                code="parameters_exclusive",
                param="customer",
            )
    return work.find_living("customer", params["customer"], "customer")


def _known_details(customer: Object | None, params: Params) -> Object | None:
    """What is known about the buyer before the page was opened."""
    if customer is None and "customer_email" not in params:
        return None
    if customer is None:
        return {"email": params["customer_email"], "tax_exempt": "none"}
    return {"email": customer["email"], "tax_exempt": "none", "tax_ids": []}


def _hidden(params: Params, bought: Bought) -> Object:
    hidden: Object = {"line_items": bought.items}
    for name in ("payment_intent_data", "subscription_data"):
        if name in params:
            metadata.from_params(params[name], f"{name}[metadata]")
            hidden[name] = params[name]
    return hidden


def _constants(mode: str, params: Params) -> dict[str, Any]:
    pays = mode == "payment"
    creation = params.get("customer_creation", "always" if mode == "subscription" else "if_required")
    return {
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", True)},
        "automatic_tax": {"enabled": params.get("automatic_tax", {}).get("enabled", False)},
        "custom_fields": checkout_fields.made(params),
        "custom_text": checkout_fields.texts(params),
        "customer_creation": None if "customer" in params else creation,
        "discounts": [],
        "invoice_creation": _invoice_creation(params) if pays else None,
        "livemode": False,
        "mode": mode,
        "payment_method_collection": "if_required" if pays else "always",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "phone_number_collection": {"enabled": params.get("phone_number_collection", {}).get("enabled", False)},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
    }


def _invoice_creation(params: Params) -> Object:
    return {
        "enabled": params.get("invoice_creation", {}).get("enabled", False),
        "invoice_data": {"metadata": params.get("invoice_creation", {}).get("invoice_data", {}).get("metadata", {})},
    }


ROUTES: Routes = {
    "POST /v1/checkout/sessions": create,
    "GET /v1/checkout/sessions/{session}": retrieve,
    "POST /v1/checkout/sessions/{session}": update,
    "GET /v1/checkout/sessions": list_all,
    "POST /v1/checkout/sessions/{session}/expire": expire,
    "GET /v1/checkout/sessions/{session}/line_items": list_line_items,
}
