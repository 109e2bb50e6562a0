"""Portal sessions that begin with one thing to do (`flow_data`): at which page, and where they lead afterwards."""

from paygres.sandbox.portal_visits import Visit
from paygres.sandbox.spec.complete import Object

STEPS = {
    "payment_method_update": "card",
    "subscription_cancel": "cancel",
    "subscription_update": "plan",
    "subscription_update_confirm": "plan",
}


def step(visit: Visit) -> str | None:
    """The page at which the session begins; None: at the portal's own."""
    flow = visit.session["flow"]
    return STEPS.get(flow["type"]) if flow is not None else None


def subscription(visit: Visit) -> str | None:
    return _details(visit).get("subscription")


def chosen(visit: Visit) -> tuple[str, int | None] | None:
    """(price, quantity) of a change that has only to be confirmed."""
    if (visit.session["flow"] or {}).get("type") != "subscription_update_confirm":
        return None
    items: list[Object] = _details(visit).get("items") or []
    return (items[0]["price"], items[0].get("quantity")) if items and "price" in items[0] else None


def way_back(visit: Visit, home: str) -> str:
    """Where "Back" leads: out of a flow to the shop, else to the portal."""
    return visit.session["return_url"] or home if step(visit) else home


def afterwards(visit: Visit, done: str, home: str, said: str) -> str:
    """The next address when the thing is done; `done`: the step that it was."""
    flow = visit.session["flow"]
    if flow is not None and step(visit) == done:
        after: Object = flow["after_completion"] or {}
        if after.get("type") == "redirect":
            return after["redirect"]["return_url"]
        if after.get("type") == "hosted_confirmation":
            return f"{home}/done"
    return f"{home}?said={said}"


def confirmation(visit: Visit) -> str:
    """The sentence of the page at the end of a flow that wants one."""
    after: Object = (visit.session["flow"] or {}).get("after_completion") or {}
    message: str = (after.get("hosted_confirmation") or {}).get("custom_message") or "Your change is saved."
    return message


def _details(visit: Visit) -> Object:
    flow: Object = visit.session["flow"] or {}
    return flow.get(flow.get("type", "")) or {}
