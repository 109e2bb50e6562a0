"""Fifty clients at once, on a state in a file: no update is lost, a key makes one object, accounts do not mix, events
tell of every change, and all of it survives a kill that comes right after the last answer."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.sandbox.running import Sandbox

CLIENTS = 50


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox("--state", str(tmp_path_factory.mktemp("crowd") / "sandbox.db")) as running:
        yield running


def at_once(sandbox: Sandbox, key: str | Callable[[int], str], work: Callable[[httpx2.Client, int], Any]) -> list[Any]:
    """What `work` answers for each of fifty clients, who begin together over connections of their own."""
    start = threading.Barrier(CLIENTS)
    answers: list[Any] = [None] * CLIENTS

    def run(number: int) -> None:
        token = key if isinstance(key, str) else key(number)
        with httpx2.Client(base_url=sandbox.url, timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:
            client.get("/v1/account")
            start.wait()
            answers[number] = work(client, number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_fifty_updates_of_one_object_are_all_kept_and_told(crowded: Sandbox) -> None:
    customer = crowded.stripe.v1.customers.create({"name": "Ada"}).id

    def update(client: httpx2.Client, number: int) -> int:
        return client.post(f"/v1/customers/{customer}", data={f"metadata[n{number}]": str(number)}).status_code

    assert Counter(at_once(crowded, crowded.key, update)) == {200: CLIENTS}
    kept = crowded.http.api("GET", f"/v1/customers/{customer}").json()["metadata"]
    assert kept == {f"n{number}": str(number) for number in range(CLIENTS)}
    # Each event says one name more than the one before it, and that it was not there.
    events = crowded.http.api("GET", "/v1/events", {"type": "customer.updated", "limit": "100"}).json()["data"][::-1]
    assert len(events) == CLIENTS
    before: set[str] = set()
    for event in events:
        names = set(event["data"]["object"]["metadata"])
        [new] = names - before
        assert event["data"]["previous_attributes"] == {"metadata": {new: None}}
        before = names


def test_a_key_makes_one_object_however_many_send_it(crowded: Sandbox) -> None:
    crowded.http.browser.post("/_sim/faults", json={"latency": 0.2})

    def create(client: httpx2.Client, number: int) -> tuple[int, str]:
        group = number % 10
        answer = client.post(
            "/v1/customers", data={"email": f"group{group}@example.com"}, headers={"Idempotency-Key": f"group-{group}"}
        )
        body = answer.json()
        return answer.status_code, body["id"] if answer.status_code == 200 else body["error"]["code"]

    answers = at_once(crowded, crowded.key, create)
    crowded.http.browser.post("/_sim/faults", json={"latency": 0})
    assert set(answers) >= {(409, "idempotency_key_in_use")}
    assert {status for status, _ in answers} == {200, 409}
    for group in range(10):
        form = {"email": f"group{group}@example.com"}
        [made] = crowded.http.api("GET", "/v1/customers", form).json()["data"]
        assert {id for status, id in answers[group::10] if status == 200} == {made["id"]}
        again = crowded.http.api("POST", "/v1/customers", form, Idempotency_Key=f"group-{group}")
        assert (again.json()["id"], again.headers["idempotent-replayed"]) == (made["id"], "true")


def test_accounts_that_work_at_once_do_not_see_each_other(crowded: Sandbox) -> None:
    def key(number: int) -> str:
        return f"sk_test_51Crowd{number % 5:010d}{'x' * 20}"

    def sell(client: httpx2.Client, number: int) -> tuple[int, str]:
        product = client.post("/v1/products", data={"name": f"Product {number}"}).json()
        form = {
            "mode": "payment",
            "line_items[0][price_data][product]": product["id"],
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": "1000",
            "line_items[0][quantity]": "1",
            "success_url": "https://shop.example.com/thanks",
            "client_reference_id": f"order-{number}",
        }
        session = client.post("/v1/checkout/sessions", data=form).json()
        paid = client.post("/_sim/pay", json={"session": session["id"]})
        return paid.status_code, session["id"]

    answers = at_once(crowded, key, sell)
    assert {status for status, _ in answers} == {200}
    for account in range(5):
        headers = {"Authorization": f"Bearer {key(account)}"}
        listed = crowded.http.browser.get("/v1/checkout/sessions", params={"limit": 100}, headers=headers).json()
        assert {one["id"] for one in listed["data"]} == {id for _, id in answers[account::5]}
        assert {one["payment_status"] for one in listed["data"]} == {"paid"}
        paid = {"type": "payment_intent.succeeded", "limit": 100}
        assert len(crowded.http.browser.get("/v1/events", params=paid, headers=headers).json()["data"]) == 10


def test_what_was_answered_survives_a_kill_among_many(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    before = Sandbox("--state", str(state))
    answered: list[str] = []
    enough = threading.Event()

    def create(client: httpx2.Client, number: int) -> None:
        for count in range(200):
            try:
                made = client.post("/v1/customers", data={"name": f"{number}-{count}"}).json()
            except (httpx2.HTTPError, json.JSONDecodeError):
                return
            answered.append(made["id"])
            if len(answered) > 300:
                enough.set()

    def kill() -> None:
        enough.wait(30)
        before.process.kill()

    killing = threading.Thread(target=kill)
    killing.start()
    at_once(before, before.key, create)
    killing.join()
    before.kill()
    assert len(answered) > 300
    with Sandbox("--state", str(state)) as after:
        kept = {one.id for one in after.stripe.v1.customers.list({"limit": 100}).auto_paging_iter()}
        assert set(answered) <= kept
        # Work and its event are one: there is no customer that nobody was told of.
        told = after.stripe.v1.events.list({"limit": 100, "type": "customer.created"}).auto_paging_iter()
        assert {event.data.object["id"] for event in told} == kept


def test_the_start_costs_little(tmp_path: Path) -> None:
    """CPU time until the ready line is out, which no other process makes much longer: 0.4 s on a quiet machine."""
    spent: list[float] = []
    for number in range(3):
        with Sandbox("--state", str(tmp_path / f"{number}.db"), validate=False) as running:
            numbers = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
            spent.append((int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK"))
    assert min(spent) < 0.9


def test_the_start_imports_nothing_that_only_some_sandboxes_need() -> None:
    code = "import sys, paygres.sandbox.process; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "uvicorn" in told
    assert not {"aiohttp", "jinja2", "jsonschema_rs", "hypothesis", "stripe"} & set(told)
