"""The forms of the customer portal: what each of them does, from what was typed."""

from collections.abc import Callable
from typing import Any

from paygres.sandbox import portal_visits
from paygres.sandbox.objects import fields
from paygres.sandbox.pages.portal_views import REASONS
from paygres.sandbox.portal_visits import Visit
from paygres.sandbox.world import Work

# Does it, and may answer with an address to go to instead of the portal.
Act = Callable[[Work, Visit, dict[str, str]], str | None]
ADDRESS = ("line1", "postal_code", "city", "country")


def _cancel(work: Work, visit: Visit, typed: dict[str, str]) -> None:
    feedback = typed.get("feedback", "")
    comment = typed.get("comment", "").strip()[:500]
    known = feedback if feedback in REASONS else None
    portal_visits.cancel(work, visit, typed.get("subscription", ""), known, comment or None)


def _resume(work: Work, visit: Visit, typed: dict[str, str]) -> None:
    portal_visits.go_on(work, visit, typed.get("subscription", ""))


def _change_plan(work: Work, visit: Visit, typed: dict[str, str]) -> None:
    portal_visits.change_plan(work, visit, typed.get("subscription", ""), typed.get("price", ""), quantity_of(typed))


def _change_details(work: Work, visit: Visit, typed: dict[str, str]) -> None:
    given: dict[str, Any] = {name: typed[name].strip()[:200] or None for name in ("name", "phone") if name in typed}
    if "email" in typed:
        given["email"] = fields.email(typed["email"].strip(), "email")
    if "line1" in typed:
        address = {name: typed.get(name, "").strip()[:200] for name in ADDRESS}
        given["address"] = fields.address({**(visit.customer["address"] or {}), **address})
    portal_visits.change_details(work, visit, given)


def _pay(work: Work, visit: Visit, typed: dict[str, str]) -> str | None:
    """The invoice's own page asks for the authentication that is still missing."""
    invoice = portal_visits.pay_invoice(work, visit, typed.get("invoice", ""))
    return invoice["hosted_invoice_url"] if invoice["status"] == "open" else None


def quantity_of(typed: dict[str, str]) -> int | None:
    told = typed.get("quantity", "").strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None


# By the last part of the form's address: the act, and the word for the notice that follows.
ACTS: dict[str, tuple[Act, str]] = {
    "cancel": (_cancel, "canceled"),
    "details": (_change_details, "details"),
    "pay": (_pay, "paid"),
    "plan": (_change_plan, "changed"),
    "resume": (_resume, "resumed"),
}
