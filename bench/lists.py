"""Lists of operators on full tables: how long one page takes, whatever is asked for, and a CSV of everything."""

import http.client
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.load import send
from bench.processes import rss_mb
from bench.report import Figure, Plan, percentile
from bench.stand import API_KEY, Stand, standing
from paygres.server.http.paging import cursor_of
from paygres.server.tables.keyset import Place
from tests.fresh_database import in_its_own_loop
from tests.tables.many_rows import fill

ROWS = 250_000  # in each table
PAYLOAD = 1500  # bytes of Stripe's object a row
TARGET_MS = 50.0
_START = datetime(2024, 1, 1, tzinfo=UTC)


def run(plan: Plan, folder: Path) -> list[Figure]:
    """One client after the other: what an operator waits for, not how many of them a server bears."""
    rows = plan.size(ROWS)
    figures: list[Figure] = []
    with standing(folder) as stand:
        in_its_own_loop(fill(stand.urls.superuser, rows, PAYLOAD))
        for name, paths in _series(rows, plan.size(300)).items():
            requests = [_get(path) for path in paths]
            send(stand.server.port, requests[: len(requests) // 4], 1)
            rounds = [send(stand.server.port, requests, 1).latencies for _ in range(plan.rounds)]
            for part, target in ((0.5, None), (0.95, TARGET_MS)):
                values = [percentile(latencies, part) * 1000 for latencies in rounds]
                label = f"{rows} rows, {name}: p{part * 100:.0f}"
                figures.append(Figure("lists", label, "ms", values, target=target))
        figures += _export(stand, rows)
    return figures


def _series(rows: int, count: int) -> dict[str, list[str]]:
    """Paths of each series; the values differ from request to request."""
    contract, ours = "/api/payments/stripe/test", "/api/paygres/test"
    spread = [1 + n * 7919 % rows for n in range(count)]
    transactions = (
        "status=failed",
        "status=succeeded&sort=created",
        "type=refund",
        "type=failed_payment",
        "currency=jpy",
        "currency=xxx",
        "status=failed&currency=usd",
        "customerId=cus_{n}",
        "subjectType=team&subjectId=team_{n1000}",
        "q=user{n}@example.com",
        "q=pi_{n}",
        "from={day}&to={next}",
    )
    subscriptions = (
        "status=past_due",
        "status=canceled&sort=created",
        "priceId=price_retired",
        "priceId=price_1&status=past_due",
        "customerId=cus_{n}",
        "subjectType=team&subjectId=team_{n}",
        "from={day}",
    )
    customers = (
        "email=user{n}@example.com",
        "email=user{n100}*",
        "deleted=true",
        "deleted=true&sort=created",
        "from={day}",
    )
    nouns = {"transactions": transactions, "subscriptions": subscriptions, "customers": customers}
    series: dict[str, list[str]] = {}
    for noun, filters in nouns.items():
        series[f"{noun}, contract's list"] = [f"{contract}/{noun}?limit=100"] * count
        series[f"{noun}, pages of 100"] = [f"{ours}/{noun}?limit=100&{_cursor(n)}" for n in spread]
        asked = [(filters[number % len(filters)], n) for number, n in enumerate(spread)]
        series[f"{noun}, filtered"] = [f"{ours}/{noun}?{_filled(text, n)}" for text, n in asked]
    return series


def _filled(text: str, n: int) -> str:
    day = _START + timedelta(minutes=n)
    return text.format(
        n=n, n100=n % 100, n1000=n % 1000, day=f"{day:%Y-%m-%d}", next=f"{day + timedelta(days=7):%Y-%m-%d}"
    )


def _cursor(n: int) -> str:
    sort = "created" if n % 2 else "-created"
    place = Place(_START + timedelta(minutes=n), uuid.UUID(int=0))
    return f"sort={sort}&cursor={cursor_of(place, sort)}"


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: {API_KEY}\r\n\r\n".encode()


def _export(stand: Stand, rows: int) -> Iterator[Figure]:
    """Every transaction as CSV: the time until the last byte, and what the server holds meanwhile."""
    before = rss_mb(stand.server.pid)
    connection = http.client.HTTPConnection("127.0.0.1", stand.server.port, timeout=300)
    begun = time.perf_counter()
    connection.request("GET", "/api/paygres/test/transactions?format=csv", headers={"x-api-key": API_KEY})
    answer = connection.getresponse()
    lines, most = 0, before
    while block := answer.read(1 << 20):
        lines += block.count(b"\r\n")
        most = max(most, rss_mb(stand.server.pid))
    seconds = time.perf_counter() - begun
    connection.close()
    if answer.status != 200 or lines != rows + 1:
        raise RuntimeError(f"{answer.status}, {lines} lines of CSV for {rows} rows")
    yield Figure("lists", f"{rows} rows, transactions as CSV", "s", [seconds])
    yield Figure("lists", f"{rows} rows, transactions as CSV: memory beside what the server has", "MB", [most - before])
