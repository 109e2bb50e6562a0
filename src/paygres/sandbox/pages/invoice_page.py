"""An invoice's own page, where `hosted_invoice_url` leads: what it bills, a form that pays it while it is open, the
challenge of a card that asks for one, and the PDF."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox import ids
from paygres.sandbox.objects import invoice_collection, invoice_intents, invoice_payments, payment_methods
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.pages import pdf
from paygres.sandbox.pages.checkout_form import read_card, with_test_choice
from paygres.sandbox.pages.checkout_views import TEST_CARDS, card_text
from paygres.sandbox.pages.money import day, money
from paygres.sandbox.pages.replies import SECURITY, Problem, as_page, read_form, see_other
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World

ASKS = ("invoice_payment_intent_requires_action", "subscription_payment_intent_requires_action")
MOODS = {"paid": "good", "open": "bad", "uncollectible": "bad"}
Act = Callable[[Work, Object, dict[str, str]], Problem | None]


class InvoicePage:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/invoices/{id}", self.show, methods=["GET"]),
            Route("/invoices/{id}/pdf", self.print, methods=["GET"]),
            Route("/invoices/{id}/pay", self._acting(_pay), methods=["POST"]),
            Route("/invoices/{id}/challenge", self._acting(_answer), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        return self._show(request.path_params["id"])

    async def print(self, request: Request) -> Response:
        found = self._find(request.path_params["id"])
        if found is None:
            return _missing()
        work, invoice = found
        lines = [(_billed_to(work, invoice), ""), *_lines(invoice), ("", ""), *_sums(invoice), ("", "")]
        lines += [("Date", day(invoice["created"])), ("Status", invoice["status"]), (invoice["id"], "")]
        headers = {**SECURITY, "Content-Disposition": f'inline; filename="{invoice["number"] or invoice["id"]}.pdf"'}
        return Response(pdf.document(_title(invoice), lines), media_type="application/pdf", headers=headers)

    def _acting(self, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            id = request.path_params["id"]
            typed = await read_form(request)
            account = self._world.store.account_of(id)
            if typed is None or account is None:
                return _missing(404 if account is None else 400)
            typed = with_test_choice(typed)
            try:
                with self._payers_work(account) as work:
                    problem = act(work, work.find("invoice", id, "invoice"), typed)
            except Refusal as refusal:
                problem = Problem(refusal.error["message"], "card_number")
            if problem is not None:
                return self._show(id, problem=problem, typed=typed, status=402)
            return see_other(f"/invoices/{id}")

        return answer

    def _show(
        self, id: str, *, problem: Problem | None = None, typed: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        found = self._find(id)
        if found is None:
            return _missing()
        work, invoice = found
        intent = _intent(work, invoice)
        amount = money(invoice["amount_due"], invoice["currency"])
        if invoice["status"] == "open" and intent is not None and intent["status"] == "requires_action":
            method = work.get(intent["payment_method"]) if intent["payment_method"] else None
            card = card_text(method) if method and method["type"] == "card" else None
            return as_page("challenge.html", status, action=f"/invoices/{id}/challenge", total=amount, card=card)
        processing = intent is not None and intent["status"] == "processing"
        return as_page(
            "invoice.html",
            status,
            billed_to=_billed_to(work, invoice),
            date=day(invoice["created"]),
            due=day(invoice["due_date"]) if invoice["due_date"] else None,
            id=id,
            lines=_lines(invoice),
            mood=MOODS.get(invoice["status"], ""),
            payable=invoice["status"] == "open" and invoice["amount_due"] > 0 and not processing,
            processing=processing,
            problem=problem,
            amount=amount,
            status_text=invoice["status"].capitalize(),
            sums=_sums(invoice),
            test_cards=TEST_CARDS,
            title=_title(invoice),
            total=money(invoice["total"], invoice["currency"]),
            typed=typed or {},
        )

    def _find(self, id: str) -> tuple[Work, Object] | None:
        account = self._world.store.account_of(id)
        work = Work(self._world, account or "", int(self._world.time()))
        found = work.get(id) if account else None
        return (work, found) if found is not None and found["object"] == "invoice" and "lines" in found else None

    def _payers_work(self, account: str) -> AbstractContextManager[Work]:
        return self._world.work(account, request_id=ids.new("request"), idempotency_key=str(uuid4()))


def _pay(work: Work, invoice: Object, typed: dict[str, str]) -> Problem | None:
    """What is wrong, or None: it is paid, or waits for an authentication."""
    if invoice["status"] != "open":
        return None
    customer = work.find("customer", invoice["customer"], "customer")
    buyer = Buyer(email=customer.get("email"), name=typed.get("name", "").strip()[:200] or customer.get("name"))
    buyer, card, problem = read_card(buyer, typed, work.now)
    if problem is not None or card is None:
        return problem
    method = payment_methods.make(work, card, buyer)
    refusal = invoice_collection.charge(work, invoice, method, off_session=False)
    if refusal is None or refusal.error.get("code") in ASKS:
        return None
    return Problem(refusal.error["message"], "card_number")


def _answer(work: Work, invoice: Object, typed: dict[str, str]) -> Problem | None:
    invoice_intents.authenticate(work, invoice["id"], passed=typed.get("outcome") == "complete")
    return None


def _intent(work: Work, invoice: Object) -> Object | None:
    payment = invoice_payments.of_invoice(work, invoice)
    return work.get(payment["payment"]["payment_intent"]) if payment else None


def _title(invoice: Object) -> str:
    return f"Invoice {invoice['number'] or ''}".strip()


def _billed_to(work: Work, invoice: Object) -> str:
    told = (invoice["customer_name"], invoice["customer_email"])
    return ", ".join(filter(None, told)) or str(invoice["customer"])


def _lines(invoice: Object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in invoice["lines"]["data"]:
        found.append((line["description"] or "", money(line["amount"], line["currency"])))
    return found


def _sums(invoice: Object) -> list[tuple[str, str]]:
    currency = invoice["currency"]
    sums = [("Total", invoice["total"])]
    if invoice["total"] != invoice["subtotal"]:
        sums.insert(0, ("Subtotal", invoice["subtotal"]))
    if invoice["amount_paid"]:
        sums.append(("Paid", invoice["amount_paid"]))
    if invoice["amount_due"] != invoice["total"] or invoice["status"] == "open":
        sums.append(("Amount due", invoice["amount_remaining"]))
    return [(name, money(amount, currency)) for name, amount in sums]


def _missing(status: int = 404) -> Response:
    return as_page("gone.html", status, title="There is no such invoice", text="The address names none.")
