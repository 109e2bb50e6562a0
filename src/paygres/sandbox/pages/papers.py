"""Receipts and mandates as pages: where a charge's `receipt_url` and a mandate's `url` lead."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paygres.sandbox.objects.cards import BRANDS
from paygres.sandbox.pages.money import day, money
from paygres.sandbox.pages.replies import as_page
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work, World


class PaperPages:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/receipts/{id}", self.receipt, methods=["GET"]),
            Route("/mandates/{id}", self.mandate, methods=["GET"]),
        ]

    async def receipt(self, request: Request) -> Response:
        found = self._find(request, "charge")
        if found is None:
            return _missing()
        _, charge = found
        currency = charge["currency"]
        lines = [("Paid on", day(charge["created"])), ("Paid with", _means(charge))]
        if charge["description"]:
            lines.insert(0, ("For", charge["description"]))
        if charge["amount_refunded"]:
            lines.append(("Refunded", money(charge["amount_refunded"], currency)))
        return as_page(
            "paper.html", 200, title="Receipt", id=charge["id"], total=money(charge["amount"], currency), lines=lines
        )

    async def mandate(self, request: Request) -> Response:
        found = self._find(request, "mandate")
        if found is None:
            return _missing()
        work, mandate = found
        method = work.get(mandate["payment_method"]) or {"type": ""}
        account = method.get(method["type"]) or {}
        lines = [("Account", f"ending in {account.get('last4', '????')}"), ("Status", mandate["status"])]
        title = "Permission to debit a bank account"
        return as_page("paper.html", 200, title=title, id=mandate["id"], total="", lines=lines)

    def _find(self, request: Request, kind: str) -> tuple[Work, Object] | None:
        id = request.path_params["id"]
        account = self._world.store.account_of(id)
        work = Work(self._world, account or "", int(self._world.time()))
        found = work.get(id) if account else None
        return (work, found) if found is not None and found["object"] == kind else None


def _means(charge: Object) -> str:
    details = charge["payment_method_details"]
    means = details[details["type"]]
    brand = means.get("brand")
    return f"{BRANDS.get(brand, brand) if brand else 'Bank account'} ending in {means['last4']}"


def _missing() -> Response:
    return as_page("gone.html", 404, title="There is no such document", text="The address names none.")
