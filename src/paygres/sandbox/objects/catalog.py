"""All endpoints of the sandbox in one table, and how a request's path finds its own."""

from collections.abc import Callable, Mapping
from functools import cache

from paygres.sandbox.objects import (
    account,
    balance_transactions,
    billing_portal_configurations,
    billing_portal_sessions,
    charges,
    checkout_sessions,
    coupons,
    customer_balance_transactions,
    customers,
    direct_charges,
    disputes,
    events,
    invoice_actions,
    invoice_items,
    invoice_payments,
    invoice_previews,
    invoices,
    payment_intent_captures,
    payment_intent_requests,
    payment_intents,
    payment_methods,
    payment_pages,
    payouts,
    prices,
    products,
    promotion_codes,
    refunds,
    saved_methods,
    setup_intent_requests,
    setup_intents,
    stripecli,
    subscription_discounts,
    subscription_items,
    subscription_schedules,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
from paygres.sandbox.objects.routes import Route
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.spec.document import operations
from paygres.sandbox.wire.errors import unrecognized_url
from paygres.sandbox.world import Work

ROOMS = (
    account,
    balance_transactions,
    billing_portal_configurations,
    billing_portal_sessions,
    charges,
    checkout_sessions,
    coupons,
    customer_balance_transactions,
    customers,
    direct_charges,
    disputes,
    events,
    invoice_actions,
    invoice_items,
    invoice_payments,
    invoice_previews,
    invoices,
    payment_intent_captures,
    payment_intent_requests,
    payment_intents,
    payment_methods,
    payment_pages,
    payouts,
    prices,
    products,
    promotion_codes,
    refunds,
    saved_methods,
    setup_intent_requests,
    setup_intents,
    stripecli,
    subscription_discounts,
    subscription_items,
    subscription_schedules,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)

# The lists that `expand` adds, by (object, field).
INCLUDED: Mapping[tuple[str, str], Callable[[Work, Object], Object]] = {
    ("charge", "refunds"): refunds.include_refunds,
    ("checkout.session", "line_items"): checkout_sessions.include_line_items,
    ("customer", "subscriptions"): subscriptions.include_subscriptions,
    ("invoice", "payments"): invoice_payments.include_payments,
}

# Served as Stripe's own pages use it, but not part of its published API.
UNPUBLISHED = frozenset({**payment_pages.ROUTES, **stripecli.ROUTES})

Found = tuple[str, Route, list[str]]


@cache
def _table() -> tuple[dict[str, Route], dict[tuple[str, int, str], list[tuple[list[str], str, Route]]]]:
    exact: dict[str, Route] = {}
    # By method, number of steps and the noun after the version.
    templated: dict[tuple[str, int, str], list[tuple[list[str], str, Route]]] = {}
    for room in ROOMS:
        for operation, route in room.ROUTES.items():
            if operation not in operations() and operation not in UNPUBLISHED:
                raise LookupError(f"{operation} is not in Stripe's published API")
            method, _, path = operation.partition(" ")
            if "{" in path:
                steps = path.split("/")
                templated.setdefault((method, len(steps), steps[2]), []).append((steps, operation, route))
            else:
                exact[operation] = route
    return exact, templated


def find_route(method: str, path: str) -> Found:
    """(operation, route, ids of the path); raises Stripe's 404 for a path that nothing serves."""
    exact, templated = _table()
    operation = f"{method} {path}"
    route = exact.get(operation)
    if route is not None:
        return operation, route, []
    steps = path.split("/")
    for template, operation, route in templated.get((method, len(steps), steps[2] if len(steps) > 2 else ""), ()):
        ids = _match(template, steps)
        if ids is not None:
            return operation, route, ids
    raise unrecognized_url(method, path, _is_known(method, steps))


def _match(template: list[str], steps: list[str]) -> list[str] | None:
    ids: list[str] = []
    for wanted, step in zip(template, steps, strict=True):
        if wanted[:1] == "{":
            if not step:
                return None
            ids.append(step)
        elif wanted != step:
            return None
    return ids


def _is_known(method: str, steps: list[str]) -> bool:
    for operation in operations():
        known, _, path = operation.partition(" ")
        template = path.split("/")
        if known == method and len(template) == len(steps) and _match(template, steps) is not None:
            return True
    return False
