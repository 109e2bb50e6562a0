"""The sandbox, a local Stripe: CPU and rate of reads, of checkout and portal sessions, beside a bare server that
answers the same bytes; its start, its memory with many subscriptions, seeding them, and deliveries to a sink."""

import http.client
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.load import request, send
from bench.processes import Running, clean_environment, cpu_seconds, rss_mb, running
from bench.report import Figure, Plan, percentile
from bench.sandbox_sink import Delivered, deliver
from bench.sandbox_start import first_answer

NAME = "sandbox"
CLIENTS = 16
SUBSCRIPTIONS = 20_000
# Requests a second on one core, and what that leaves for each; MB with all those subscriptions.
READS, READ_CPU_MS = 2_000.0, 0.5
SESSIONS, SESSION_CPU_MS = 1_000.0, 1.0
MEMORY_MB = 400.0
SEED_SECONDS = 20.0
START_SECONDS = 0.7
EVENTS = 4_000
CHECKOUT = (
    "mode=payment&line_items[0][price]={price}&line_items[0][quantity]=2"
    "&success_url=https://shop.example.com/thanks?session={{CHECKOUT_SESSION_ID}}"
    "&cancel_url=https://shop.example.com/cart&customer={customer}&metadata[order_id]=order-{number:08d}"
)


@dataclass(frozen=True, slots=True)
class Series:
    """Requests of one sort. `make` answers the n-th of them; `floor` is the start of their path."""

    name: str
    make: Callable[[int], bytes]
    floor: str
    cpu_ms: float
    rate: float
    count: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One round: requests a second, p99 and CPU per request in ms."""

    rate: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Account:
    """The seeded account, as requests need it."""

    key: str
    customers: list[str]
    subscriptions: list[str]
    price: str

    def get(self, path: str) -> bytes:
        return request("GET", path, b"", {"Authorization": f"Bearer {self.key}"})

    def post(self, path: str, form: str, **headers: str) -> bytes:
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/x-www-form-urlencoded"}
        return request("POST", path, form.encode(), sent | headers)


def run(plan: Plan, folder: Path) -> list[Figure]:
    """In every round ours and the floor's series follow each other."""
    environment = clean_environment()
    arguments = ["-m", "paygres.sandbox", "--settle-after", "3600"]
    with ExitStack() as stack:
        ours = stack.enter_context(running("sandbox", arguments, folder, environment))
        empty = rss_mb(ours.pid)
        count = SUBSCRIPTIONS // 20 if plan.quick else SUBSCRIPTIONS
        before = cpu_seconds(ours.pid)
        asked(ours, "POST", "/_sim/seed", json.dumps({"customers": count, "subscriptions": count}))
        seeding, memory = cpu_seconds(ours.pid) - before, rss_mb(ours.pid)
        account = _account(ours)
        durable = ["--state", str(folder / "sandbox.db"), "--account-seed", "bench"]
        kept = stack.enter_context(running("kept", [*arguments, *durable], folder, environment))
        asked(kept, "POST", "/_sim/seed", '{"customers": 100, "prices": 3}')
        canned = folder / "answers.json"
        canned.write_text(json.dumps(dict(_answers(ours, account))))
        floor = stack.enter_context(running("floor", ["-m", "bench.sandbox_floor", str(canned)], folder, environment))
        figures = [figure for one in _series(account) for figure in _measured(plan, one, ours, floor)]
        for one in _series(_account(kept)):
            if one.floor == "/v1/checkout/sessions":
                figures += _measured(plan, one, kept, floor, ", in a file")
    label = f"{count} subscriptions"
    starts = [first_answer(folder, environment) for _ in range(plan.rounds)]
    return [
        *figures,
        Figure(NAME, "start: first answer", "s", [one.answered for one in starts], target=START_SECONDS),
        Figure(NAME, "start: CPU", "s", [one.cpu for one in starts]),
        Figure(NAME, "memory after the start", "MB", [empty]),
        Figure(NAME, f"memory with {label}", "MB", [memory], target=MEMORY_MB),
        Figure(NAME, f"seeding {label}: CPU", "s", [seeding], target=SEED_SECONDS),
        *_deliveries(plan, folder),
    ]


def _series(account: Account) -> list[Series]:
    customers, subscriptions = account.customers, account.subscriptions

    def customer(number: int) -> str:
        return customers[number % len(customers)]

    def subscription(number: int) -> str:
        return subscriptions[number % len(subscriptions)]

    def checkout(number: int) -> str:
        return CHECKOUT.format(price=account.price, customer=customer(number), number=number)

    def keyed(number: int) -> bytes:
        return account.post("/v1/checkout/sessions", checkout(number), **{"Idempotency-Key": f"order-{number}"})

    def portal(number: int) -> bytes:
        return account.post(
            "/v1/billing_portal/sessions", f"customer={customer(number)}&return_url=https://shop.example.com/account"
        )

    read = [
        ("GET a customer", lambda n: account.get(f"/v1/customers/{customer(n)}"), "/v1/customers/"),
        ("GET 10 customers", lambda n: account.get("/v1/customers?limit=10"), "/v1/customers"),
        (
            "GET a subscription, customer expanded",
            lambda n: account.get(f"/v1/subscriptions/{subscription(n)}?expand[]=customer"),
            "/v1/subscriptions/",
        ),
    ]
    write = [
        (
            "POST a checkout session",
            lambda n: account.post("/v1/checkout/sessions", checkout(n)),
            "/v1/checkout/sessions",
        ),
        ("POST a checkout session, keyed", keyed, "/v1/checkout/sessions"),
        ("POST a portal session", portal, "/v1/billing_portal/sessions"),
    ]
    return [
        *(Series(name, make, floor, READ_CPU_MS, READS, 8000) for name, make, floor in read if subscriptions),
        *(Series(name, make, floor, SESSION_CPU_MS, SESSIONS, 4000) for name, make, floor in write),
    ]


_numbers = iter(range(1, 1_000_000_000))


def _measured(plan: Plan, series: Series, ours: Running, floor: Running, where: str = "") -> Iterator[Figure]:
    count = plan.size(series.count)
    _sample(ours, series, max(32, count // 10))
    found = [(_sample(ours, series, count), _sample(floor, series, count)) for _ in range(plan.rounds)]
    mine, bare = [one for one, _ in found], [one for _, one in found]
    name = f"{series.name}{where}"
    print(f"bench: {NAME}: {name}: {sorted(one.cpu for one in mine)[len(mine) // 2]:.3f} ms CPU", file=sys.stderr)
    yield Figure(NAME, f"{name}: CPU", "ms", [one.cpu for one in mine], [one.cpu for one in bare], target=series.cpu_ms)
    yield Figure(
        NAME,
        f"{name}: rate",
        "/s",
        [one.rate for one in mine],
        [one.rate for one in bare],
        target=series.rate,
        above=True,
    )
    yield Figure(NAME, f"{name}: p99", "ms", [one.p99 for one in mine], [one.p99 for one in bare])


def _sample(target: Running, series: Series, count: int) -> Sample:
    requests = [series.make(next(_numbers)) for _ in range(count)]
    before = cpu_seconds(target.pid)
    outcome = send(target.port, requests, CLIENTS)
    cpu = cpu_seconds(target.pid) - before
    return Sample(count / outcome.seconds, percentile(outcome.latencies, 0.99) * 1000, cpu / count * 1000)


def _deliveries(plan: Plan, folder: Path) -> list[Figure]:
    """Events of seeded customers go to a sink that answers at once, one after the other and eight at a time."""
    figures: list[Figure] = []
    for width in (1, 8):
        rounds: list[Delivered] = []
        for _ in range(plan.rounds):
            arguments = ["-m", "paygres.sandbox", "--delivery-width", str(width)]
            with running("sandbox", arguments, folder, clean_environment()) as ours:
                rounds.append(uvloop.run(deliver(ours, plan.size(EVENTS))))
        label = f"deliveries, {width} at a time"
        figures.append(Figure(NAME, f"{label}: rate", "/s", [one.rate for one in rounds]))
        figures.append(Figure(NAME, f"{label}: CPU", "ms", [one.cpu for one in rounds]))
    return figures


def asked(ours: Running, method: str, path: str, body: str = "") -> dict[str, Any]:
    """The answer of one request, by an ordinary client; raises when it is not a success."""
    connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=120)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {ours.line['secretKey']}"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {content[:300]!r}")
        return json.loads(content)
    finally:
        connection.close()


def _account(ours: Running) -> Account:
    def ids(path: str) -> list[str]:
        return [one["id"] for one in asked(ours, "GET", path)["data"]]

    return Account(
        ours.line["secretKey"],
        ids("/v1/customers?limit=100"),
        ids("/v1/subscriptions?limit=100"),
        ids("/v1/prices?type=one_time&limit=1")[0],
    )


def _answers(ours: Running, account: Account) -> Iterator[tuple[str, str]]:
    """What the floor is to answer, by the start of the path; a longer one stands before those it begins with."""
    customer, subscription = account.customers[0], account.subscriptions[0]
    form = CHECKOUT.format(price=account.price, customer=customer, number=0)
    yield "/v1/customers/", json.dumps(asked(ours, "GET", f"/v1/customers/{customer}"))
    yield "/v1/customers", json.dumps(asked(ours, "GET", "/v1/customers?limit=10"))
    yield "/v1/subscriptions/", json.dumps(asked(ours, "GET", f"/v1/subscriptions/{subscription}?expand[]=customer"))
    yield "/v1/checkout/sessions", json.dumps(asked(ours, "POST", "/v1/checkout/sessions", form))
    portal = asked(ours, "POST", "/v1/billing_portal/sessions", f"customer={customer}")
    yield "/v1/billing_portal/sessions", json.dumps(portal)
