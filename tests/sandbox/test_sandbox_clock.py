"""The clock of the whole sandbox: moved ahead, everything that is due happens at its own moment; kept over restarts."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.clocks import DAY, NEW_YEAR, advance, clock_at, clocked_subscriber, events_of, month
from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import plans, subscribe, subscriber, subscription


def move(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    answer = sandbox.http.browser.post("/_sim/clock", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def now(sandbox: Sandbox) -> float:
    return sandbox.http.browser.get("/_sim/clock").json()["now"]


@pytest.fixture
def early() -> Iterator[Sandbox]:
    """A sandbox whose clock begins at the start of 2026."""
    with Sandbox("--clock", "2026-01-01") as running:
        yield running


def test_the_whole_sandbox_begins_where_it_is_told_and_moves_ahead(early: Sandbox) -> None:
    assert 0 <= now(early) - NEW_YEAR < 20
    customer = subscriber(early)
    made = subscribe(early, customer, plans(early, 2000)[0])
    start = made["created"]
    assert 0 <= start - NEW_YEAR < 20
    session = early.session()
    shown = move(early, to=month(2) + DAY)
    assert month(2) + DAY <= shown["now"] < month(2) + DAY + 20
    found = early.stripe.v1.invoices.list({"subscription": made["id"]}).data[::-1]
    assert [(one.status, one.created) for one in found] == [
        ("paid", start + offset) for offset in (0, 31 * DAY, 59 * DAY)
    ]
    assert early.stripe.v1.checkout.sessions.retrieve(session.id).status == "expired"
    invoice = found[1].id or ""
    moments = {
        one["type"]: one["created"] - start - 31 * DAY for one in events_of(early, invoice, types="invoice", late=True)
    }
    assert moments == {
        "invoice.created": 0,
        "invoice.finalized": 3600,
        "invoice.paid": 3600,
        "invoice.payment_succeeded": 3600,
        "invoice_payment.paid": 3600,
    }


def test_the_clock_does_not_go_back(sandbox: Sandbox) -> None:
    for body in ({"to": time.time() - 3600}, {"seconds": -1}):
        answer = sandbox.http.browser.post("/_sim/clock", json=body)
        assert (answer.status_code, "back" in answer.json()["error"]["message"]) == (400, True)


def test_test_clocks_stay_when_the_sandbox_moves(sandbox: Sandbox) -> None:
    clock = clock_at(sandbox)
    made = subscribe(sandbox, clocked_subscriber(sandbox, clock), plans(sandbox, 2000)[0])
    before = now(sandbox)
    move(sandbox, seconds=5 * DAY)
    assert now(sandbox) - before >= 5 * DAY
    assert sandbox.stripe.v1.test_helpers.test_clocks.retrieve(clock).frozen_time == NEW_YEAR
    advance(sandbox, clock, month(1))
    assert len(sandbox.stripe.v1.invoices.list({"subscription": made["id"]}).data) == 2
    move(sandbox, seconds=3 * DAY)
    gone = sandbox.http.refused("GET", f"/v1/test_helpers/test_clocks/{clock}")
    assert (gone["status"], subscription(sandbox, made["id"])["status"]) == (404, "canceled")


def test_clocks_go_on_after_the_process_was_killed(tmp_path: Path) -> None:
    state = str(tmp_path / "state.db")
    first = Sandbox("--state", state)
    move(first, seconds=40 * DAY)
    shown = now(first)
    clock = clock_at(first)
    prices = plans(first, 2000, 3000, 4000)
    made = [subscribe(first, clocked_subscriber(first, clock), price)["id"] for price in prices * 3]
    first.stripe.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": month(2)})
    first.kill()
    with Sandbox("--state", state) as second:
        assert now(second) >= shown
        until = time.monotonic() + 20
        while second.stripe.v1.test_helpers.test_clocks.retrieve(clock).status != "ready":
            assert time.monotonic() < until
            time.sleep(0.01)
        for id in made:
            found = second.stripe.v1.invoices.list({"subscription": id}).data[::-1]
            assert [one.created for one in found] == [NEW_YEAR, month(1), month(2)]
            assert [one.status for one in found] == ["paid", "paid", "draft"]
