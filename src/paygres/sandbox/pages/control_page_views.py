"""What the control page shows, as plain values for its templates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.sandbox.faults import DIALS, Faults
from paygres.sandbox.objects import subscription_terms
from paygres.sandbox.pages.money import minute, money, per
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.switches import PAYMENTS
from paygres.sandbox.world import World

EVENTS, ROWS = 40, 25
# Skips from account to account along the index.
ACCOUNTS = """
WITH RECURSIVE found(account) AS (
    SELECT min(account) FROM objects WHERE deleted = 0
    UNION ALL
    SELECT (SELECT min(o.account) FROM objects o WHERE o.deleted = 0 AND o.account > found.account)
    FROM found WHERE found.account IS NOT NULL
) SELECT account FROM found WHERE account IS NOT NULL LIMIT 200
"""
DELIVERIES = "SELECT event, endpoint, state, attempts, last_status, last_error, last_tried, due FROM deliveries"
MOODS = {"delivered": "good", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one event, in words; `mood`: good, bad, or neither yet."""

    event: str
    endpoint: str
    url: str
    state: str
    mood: str
    told: str
    attempts: int
    tried: str | None


def accounts(world: World) -> list[str]:
    """Those that exist, the sandbox's own first."""
    own = world.store.fact("account")
    found = [row[0] for row in world.store.run(ACCOUNTS).fetchall()]
    return sorted(found, key=lambda one: (one != own, one))


def counts(world: World, account: str) -> dict[str, int]:
    rows = world.store.run(
        "SELECT state, count(*) FROM deliveries WHERE account = ? GROUP BY state", (account,)
    ).fetchall()
    return {"pending": 0, "delivered": 0, "failed": 0} | dict(rows)


def events(world: World, account: str, type: str, after: str) -> dict[str, Any]:
    """The newest events, or those after one; of one type, if it is named."""
    place = world.store.place(account, "event", after) if after else None
    links = {"type": type} if type else {}
    bodies = world.store.page(account, "event", links=links, after=place, limit=EVENTS + 1)
    found: list[Object] = [orjson.loads(body) for body in bodies[:EVENTS]]
    delivered = _by_event(world, account, [one["id"] for one in found])
    return {
        "events": [_event(one, delivered.get(one["id"], [])) for one in found],
        "next": found[-1]["id"] if len(bodies) > EVENTS else None,
        "type": type,
        "after": after,
    }


def undelivered(world: World, account: str) -> dict[str, Any]:
    rows = world.store.run(
        f"{DELIVERIES} WHERE account = ? AND state <> 'delivered' ORDER BY seq DESC LIMIT 100", (account,)
    ).fetchall()
    urls = endpoint_urls(world, account)
    waiting = [_delivery(urls, *row) for row in rows]
    types = {one.event: _read(world, account, one.event).get("type", "") for one in waiting}
    endpoints = [orjson.loads(one) for one in world.store.page(account, "webhook_endpoint", links={}, limit=ROWS)]
    return {"deliveries": waiting, "types": types, "endpoints": endpoints}


def one_object(world: World, account: str, id: str) -> dict[str, Any] | None:
    """Its JSON, and an event's deliveries."""
    row = world.store.body(account, id)
    if row is None:
        return None
    kind, body = row
    item: Object = orjson.loads(body)
    return {
        "body": orjson.dumps(item, option=orjson.OPT_INDENT_2).decode(),
        "deliveries": _by_event(world, account, [id]).get(id, []) if kind == "event" else None,
        "id": id,
        "kind": kind,
        "name": item["type"] if kind == "event" else kind.replace(".", " ").replace("_", " "),
        "moment": minute(item["created"]) if item.get("created") else None,
    }


def payments(world: World, account: str) -> dict[str, Any]:
    """Open checkout sessions, subscriptions, unpaid invoices and customers, the newest first."""

    def newest(kind: str, **links: str) -> list[Object]:
        return [orjson.loads(one) for one in world.store.page(account, kind, links=links, limit=ROWS)]

    return {
        "customers": [
            {"id": one["id"], "name": one["name"] or one["email"] or one["id"]} for one in newest("customer")
        ],
        "invoices": [
            {"id": one["id"], "number": one["number"], "amount": money(one["amount_due"], one["currency"])}
            for one in newest("invoice", status="open")
        ],
        "sessions": [_session(one) for one in newest("checkout.session", status="open")],
        "subscriptions": [
            _subscription(one)
            for one in newest("subscription")
            if one["status"] not in (*subscription_terms.ENDED, "incomplete")
        ],
    }


def clock(world: World, account: str) -> dict[str, Any]:
    found = [orjson.loads(one) for one in world.store.page(account, "test_helpers.test_clock", links={}, limit=ROWS)]
    clocks = [{"id": one["id"], "name": one["name"], "at": minute(one["frozen_time"])} for one in found]
    return {"clocks": clocks, "day": minute(world.time())[:10]}


def switches(world: World, account: str) -> dict[str, Any]:
    chosen = world.switches.payment(account)
    # A test may have chosen the code of a decline.
    payments = PAYMENTS if chosen is None or chosen in PAYMENTS else {**PAYMENTS, chosen: f"is declined ({chosen})"}
    return {"lost": world.switches.losses(account), "next": chosen, "payments": payments}


def dials(faults: Faults) -> dict[str, Any]:
    """The dials by what they are about, each with where it stands."""
    stand = faults.shown()
    groups: dict[str, list[dict[str, Any]]] = {}
    for dial in DIALS:
        value = stand[dial.name]
        groups.setdefault(dial.about, []).append(
            {
                "allowed": "a whole number" if dial.kind == "number" else dial.allowed(),
                "kind": dial.kind,
                "meaning": dial.meaning.replace("`", ""),
                "name": dial.name,
                "on": bool(value) if dial.kind == "list" else value != dial.off,
                "value": _dial_text(value),
            }
        )
    return {"groups": groups}


def _dial_text(value: Any) -> Any:
    if isinstance(value, list):
        return orjson.dumps(value).decode()
    return f"{value:g}" if isinstance(value, float) else value


def endpoint_urls(world: World, account: str) -> dict[str, str]:
    found = [orjson.loads(one) for one in world.store.page(account, "webhook_endpoint", links={}, limit=100)]
    return {one["id"]: one["url"] for one in found}


def _by_event(world: World, account: str, ids: Iterable[str]) -> dict[str, list[Delivery]]:
    wanted = list(ids)
    marks = ", ".join("?" * len(wanted))
    rows = world.store.run(f"{DELIVERIES} WHERE event IN ({marks}) ORDER BY seq", wanted).fetchall()
    urls = endpoint_urls(world, account) if rows else {}
    found: dict[str, list[Delivery]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(_delivery(urls, *row))
    return found


def _delivery(
    urls: dict[str, str],
    event: str,
    endpoint: str,
    state: str,
    attempts: int,
    status: int | None,
    error: str | None,
    tried: float | None,
    due: float,
) -> Delivery:
    told = error or (f"HTTP {status}" if status else "not tried yet")
    if state == "pending" and attempts:
        told += f"; next try {minute(due)[11:]}"
    url = urls.get(endpoint, "deleted endpoint")
    return Delivery(event, endpoint, url, state, MOODS.get(state, ""), told, attempts, minute(tried) if tried else None)


def _event(event: Object, delivered: list[Delivery]) -> dict[str, Any]:
    subject: Object = event["data"]["object"]
    return {
        "at": minute(event["created"]),
        "deliveries": delivered,
        "id": event["id"],
        "shown": _short(subject.get("id") or ""),
        "subject": subject.get("id"),
        "type": event["type"],
    }


def _session(session: Object) -> dict[str, Any]:
    amount = session["amount_total"]
    return {
        "amount": money(amount, session["currency"]) if amount is not None else "nothing",
        "at": minute(session["created"]),
        "email": (session["customer_details"] or {}).get("email"),
        "id": session["id"],
        "mode": session["mode"],
        "shown": _short(session["id"]),
        "url": session["url"],
    }


def _subscription(subscription: Object) -> dict[str, Any]:
    price = subscription["items"]["data"][0]["price"]
    unit = price["unit_amount"]
    return {
        "amount": f"{money(unit, price['currency'])} {per(price)}" if unit is not None else per(price),
        "customer": subscription["customer"],
        "id": subscription["id"],
        "ends": minute(subscription["cancel_at"])[:10] if subscription["cancel_at"] else None,
        "renews": minute(subscription_terms.period_end(subscription))[:10],
        "status": subscription["status"],
    }


def _short(id: str) -> str:
    """The ids of checkout sessions are longer than a line."""
    return id if len(id) <= 32 else f"{id[:16]}…{id[-8:]}"


def _read(world: World, account: str, id: str) -> Object:
    row = world.store.body(account, id)
    return orjson.loads(row[1]) if row else {}
