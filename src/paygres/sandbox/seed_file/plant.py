"""Plants a seed file in an account, in one transaction, by the sandbox's own endpoints."""

from datetime import UTC, date, datetime
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.moments import moment_of
from paygres.sandbox.objects import billing_portal_configurations, webhook_endpoints
from paygres.sandbox.objects.catalog import find_route
from paygres.sandbox.seed_file.references import References, fact
from paygres.sandbox.seed_file.shape import PORTAL, PRICE, SECTIONS, Kind, at
from paygres.sandbox.seed_file.text import Place, SeedError, Text
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.spec.parameters import checker
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World

CLOCK_KEYS = ("frozen_time", "expires_at", "redeem_by", "cancel_at", "trial_end", "billing_cycle_anchor")
Planted = dict[str, dict[str, Any]]


def plant(world: World, account: str, file: Text) -> Planted:
    """Makes what is not there yet; answers section -> name -> id (of webhooks: id, url, secret). What an earlier
    planting made stays as it is. Raises `SeedError`, and then nothing was made."""
    with world.work(account) as whole:
        planting = Planting(whole, file)
        for section, kind in SECTIONS.items():
            for name in file.values.get(section) or {}:
                planting.entry(kind, (section, name))
            if section == "products":
                planting.prices()
            if section == "customers" and "portal" in file.values:
                planting.portal()
    return planting.planted()


def register(world: World, account: str, url: str) -> dict[str, str]:
    """The endpoint for every event at that address, made when there is none: its id, url and secret."""
    with world.work(account) as work:
        for body in webhook_endpoints.list_all(work, {"limit": 100}).as_object()["data"]:
            if body["url"] == url:
                return _endpoint(work, body)
        return _endpoint(work, webhook_endpoints.create(work, {"url": url, "enabled_events": ["*"]}))


class Planting:
    """One file on its way into one account."""

    def __init__(self, work: Work, file: Text) -> None:
        self._work = work
        self._file = file
        self._names = References(work, file)
        self._request_id = ids.new("request")

    def planted(self) -> Planted:
        shown: Planted = {section: dict(made) for section, made in self._names.made.items() if made}
        for name, id in shown.get("webhooks", {}).items():
            shown["webhooks"][name] = _endpoint(self._work, self._work.get(id) or {})
        return shown

    def prices(self) -> None:
        for product, entry in (self._file.values.get("products") or {}).items():
            for price in entry.get("prices", ()):
                self.entry(PRICE, ("products", product, "prices", price))

    def entry(self, kind: Kind, place: Place) -> None:
        """Makes one thing, or finds the one that an earlier planting made."""
        section, name = ("prices" if kind is PRICE else str(place[0])), str(place[-1])
        if name in self._names.made[section]:
            raise self._file.wrong(place, "has the name of another one")
        id = self._names.kept(section, name) or self._there(kind, place)
        if id is None:
            made = self._make(kind, section, place)
            id = made["id"]
            if section == "customers" and "card" in at(self._file, place):
                self._give_card(made, (*place, "card"))
        self._names.made[section][name] = id
        self._work.store.set_fact(fact(self._work, section, name), id)

    def portal(self) -> None:
        place: Place = ("portal",)
        configuration = billing_portal_configurations.default(self._work)
        params = self._names.resolved("portal", place)
        self._call(PORTAL.operation, params, place, configuration["id"])

    def _there(self, kind: Kind, place: Place) -> str | None:
        """The chosen id when the account has that object already."""
        id = at(self._file, place).get("id")
        if id is None:
            return None
        found = self._work.get(str(id))
        if found is not None and found["object"] == kind.object and not found.get("deleted"):
            return str(id)
        if self._work.store.account_of(str(id)) not in (None, self._work.account):
            raise self._file.wrong((*place, "id"), "is an id in another account of this sandbox")
        return None

    def _make(self, kind: Kind, section: str, place: Place) -> Object:
        params = self._names.resolved(section, place)
        extra: Object = {}
        if section == "prices":
            params["product"] = self._names.made["products"][str(place[1])]
            extra = {"id": str(params.pop("id"))} if "id" in params else {}
        secret: str | None = params.pop("secret", None)
        made = self._call(kind.operation, params, place, **extra)
        if secret is not None:
            if not str(secret).startswith("whsec_"):
                raise self._file.wrong((*place, "secret"), "must begin with whsec_")
            hidden = self._work.hidden(made["id"])
            self._work.store.set_hidden(made["id"], {**hidden, "secrets": [str(secret)]})
            self._work.world.forget_endpoints(self._work.account)
        return made

    def _give_card(self, customer: Object, place: Place) -> None:
        """A saved card that pays what the customer owes from now on."""
        number = str(at(self._file, place)).replace(" ", "")
        year = datetime.fromtimestamp(self._work.now, UTC).year + 8
        card = {"number": number, "exp_month": 12, "exp_year": year, "cvc": "123"}
        method = self._call("POST /v1/payment_methods", {"type": "card", "card": card}, place)
        attach = "POST /v1/payment_methods/{payment_method}/attach"
        self._call(attach, {"customer": customer["id"]}, place, method["id"])
        chosen = {"invoice_settings": {"default_payment_method": method["id"]}}
        self._call("POST /v1/customers/{customer}", chosen, place, customer["id"])

    def _call(self, operation: str, params: Object, place: Place, *path_ids: str, **extra: Any) -> Object:
        """The endpoint, asked as a request would; a refusal becomes a mistake of the file. `extra`: what no request
        may say."""
        try:
            method, _, path = operation.partition(" ")
            _, route, _ = find_route(method, _filled(path, path_ids))
            checked = checker(operation)(_as_form(params, place, self._file), "")
            # Each request has a unit of work of its own, since one may be in a test clock's time.
            whole = self._work
            work = Work(whole.world, whole.account, whole.now, self._request_id)
            answer = route(work, {**checked, **extra}, *path_ids)
            whole.delivers |= work.delivers
        except Refusal as refusal:
            param = refusal.error.get("param")
            where = f" ({param})" if param and param not in refusal.error["message"] else ""
            raise self._file.wrong(place, f"is refused: {refusal.error['message']}{where}") from None
        assert isinstance(answer, dict)
        return answer


def _filled(path: str, path_ids: tuple[str, ...]) -> str:
    steps = iter(path_ids)
    return "/".join(next(steps) if step.startswith("{") else step for step in path.split("/"))


def _as_form(value: Any, place: Place, file: Text) -> Any:
    """The value as a form's decoded body has it: texts, and hashes of them."""
    if isinstance(value, dict):
        return {str(name): _as_form(one, (*place, name), file) for name, one in value.items()}
    if isinstance(value, list):
        return {str(number): _as_form(one, (*place, number), file) for number, one in enumerate(value)}
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if "metadata" in place:
        return str(value)
    if isinstance(value, date) or (place and place[-1] in CLOCK_KEYS and not str(value).isdecimal()):
        if value == "now":
            return value
        try:
            return str(int(moment_of(value)))
        except ValueError as problem:
            raise file.wrong(place, f"cannot be read: {problem}") from None
    return str(value)


def _endpoint(work: Work, endpoint: Object) -> dict[str, str]:
    secrets: list[str] = work.hidden(endpoint["id"])["secrets"]
    return {"id": endpoint["id"], "url": endpoint["url"], "secret": secrets[0]}


__all__ = ["Planted", "SeedError", "plant", "register"]
