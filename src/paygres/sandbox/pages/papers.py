"""Receipts and invoices as pages: where a charge's `receipt_url` and an invoice's `hosted_invoice_url` lead."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from paygres.sandbox.objects import fields
from paygres.sandbox.pages.checkout import SECURITY
from paygres.sandbox.pages.templates import render
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work, World

Line = tuple[str, str]


class PaperPages:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/receipts/{id}", self.receipt, methods=["GET"]),
            Route("/invoices/{id}", self.invoice, methods=["GET"]),
            Route("/invoices/{id}/pdf", self.invoice, methods=["GET"]),
        ]

    async def receipt(self, request: Request) -> Response:
        charge = self._find(request, "charge")
        if charge is None:
            return _missing()
        details = charge["payment_method_details"]
        means = details[details["type"]]
        lines = [
            ("Paid on", _day(charge["created"])),
            ("Paid with", f"{means.get('brand', 'bank account')} ending in {means['last4']}"),
            ("Refunded", fields.money(charge["amount_refunded"], charge["currency"])),
        ]
        return _paper("Receipt", charge["id"], charge["amount"], charge["currency"], lines)

    async def invoice(self, request: Request) -> Response:
        invoice = self._find(request, "invoice")
        if invoice is None:
            return _missing()
        lines = [
            (line["description"] or "", fields.money(line["amount"], line["currency"]))
            for line in invoice["lines"]["data"]
        ]
        lines += [("Date", _day(invoice["created"])), ("Status", invoice["status"])]
        title = f"Invoice {invoice['number'] or ''}".strip()
        return _paper(title, invoice["id"], invoice["total"], invoice["currency"], lines)

    def _find(self, request: Request, kind: str) -> Object | None:
        id = request.path_params["id"]
        account = self._world.store.account_of(id)
        found = Work(self._world, account, int(self._world.time())).get(id) if account else None
        return found if found is not None and found["object"] == kind else None


def _paper(title: str, id: str, amount: int, currency: str, lines: list[Line]) -> Response:
    page = render("paper.html", title=title, id=id, total=fields.money(amount, currency), lines=lines)
    return HTMLResponse(page, headers=SECURITY)


def _missing() -> Response:
    page = render("gone.html", title="There is no such document", text="The address names none.")
    return HTMLResponse(page, status_code=404, headers=SECURITY)


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
