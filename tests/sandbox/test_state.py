"""The process: one JSON line when ready, state that survives a restart and a kill, a clean end, two at once refused."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.running import ReceiverServer, Sandbox


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "with a space" / "sandbox.db"


def test_ready_is_told_by_exactly_one_line(sandbox: Sandbox) -> None:
    assert set(sandbox.ready) == {"url", "secretKey", "accountId"}
    assert sandbox.ready["url"].startswith("http://127.0.0.1:")


def test_a_stop_by_signal_is_clean(state: Path) -> None:
    running = Sandbox("--state", str(state))
    assert running.stop() == 0


def test_the_same_seed_gives_the_same_account() -> None:
    with Sandbox("--account-seed", "shop") as first, Sandbox("--account-seed", "shop") as second:
        assert first.key == second.key
        assert first.ready["accountId"] == second.ready["accountId"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_state_survives(state: Path, end: str) -> None:
    before = Sandbox("--state", str(state))
    session = before.session()
    paid = before.session()
    assert before.pay(paid).status_code == 303
    replayed = before.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="kept").json()
    getattr(before, end)()
    with Sandbox("--state", str(state)) as after:
        assert (after.key, after.ready["accountId"]) == (before.key, before.ready["accountId"])
        assert after.stripe.v1.checkout.sessions.retrieve(paid.id).status == "complete"
        assert after.http.api("POST", "/v1/customers", "name=Ada", Idempotency_Key="kept").json() == replayed
        reopened = after.stripe.v1.checkout.sessions.retrieve(session.id)
        assert reopened.url == f"{after.url}/c/pay/{session.id}"
        assert after.pay(reopened).status_code == 303


def test_what_was_not_delivered_before_a_kill_is_delivered_after_it(state: Path) -> None:
    server = ReceiverServer()
    server.receiver.answer = lambda _: 500
    before = Sandbox("--state", str(state), "--retries", "1,1,1")
    before.stripe.v1.webhook_endpoints.create({"url": server.receiver.url, "enabled_events": ["customer.created"]})
    customer = before.stripe.v1.customers.create({})
    server.receiver.wait("customer.created")
    before.kill()
    server.receiver.answer = lambda _: 200
    with Sandbox("--state", str(state)):
        again = server.receiver.wait("customer.created", 2)
        assert again.event["data"]["object"]["id"] == customer.id
    server.close()


def test_a_charge_settles_after_a_restart(state: Path) -> None:
    server = ReceiverServer()
    before = Sandbox("--state", str(state), "--settle-after", "0.4")
    before.stripe.v1.webhook_endpoints.create({"url": server.receiver.url, "enabled_events": ["charge.updated"]})
    before.pay(before.session())
    before.kill()
    with Sandbox("--state", str(state)):
        server.receiver.wait("charge.updated")
    server.close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "paygres.sandbox", *arguments], capture_output=True, text=True, timeout=20, check=False
    )


def test_a_busy_port_is_told_in_one_line(sandbox: Sandbox) -> None:
    port = sandbox.url.rsplit(":", 1)[1]
    failed = run("--port", port)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in failed.stderr


def test_a_state_in_use_is_told_in_one_line(state: Path) -> None:
    with Sandbox("--state", str(state)):
        failed = run("--state", str(state))
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "is in use by another sandbox" in failed.stderr


def test_a_state_that_is_no_state_is_told_in_one_line(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.db"
    wrong.write_text("not a database " * 100)
    failed = run("--state", str(wrong))
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1


def test_a_state_of_another_version_is_told_in_one_line(tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    database = sqlite3.connect(newer)
    database.execute("PRAGMA user_version = 99")
    database.close()
    failed = run("--state", str(newer))
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "another version" in failed.stderr


def test_validating_mode_checks_its_own_answers() -> None:
    with Sandbox("--validate") as strict:
        session = strict.session()
        assert strict.pay(session).status_code == 303
        monthly = strict.session(strict.price(recurring={"interval": "month"}), mode="subscription")
        assert strict.pay(monthly).status_code == 303
        assert strict.stripe.v1.events.list({"limit": 100}).data


def test_the_front_page_says_what_this_is(sandbox: Sandbox) -> None:
    assert "TEST SIMULATOR – not Stripe" in sandbox.http.browser.get("/").text


def test_account_creation_is_lazy_for_other_keys(sandbox: Sandbox) -> None:
    headers = {"Authorization": "Bearer rk_test_51" + "Restricted" * 4}
    answer: Any = json.loads(sandbox.http.browser.get("/v1/customers", headers=headers).content)
    assert answer["data"] == []
