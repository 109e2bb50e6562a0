"""The commands to a running sandbox: what they print for people and for programs, and their exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from paygres.cli.sandbox import run
from paygres.contrib.payments_sandbox import Sandbox
from tests.test_docs import ROOT

SHOP = ROOT / "docs" / "examples" / "shop.yaml"


class Line:
    """`paygres sandbox …` in this process, to the sandbox of the test."""

    def __init__(self, url: str, key: str, capture: pytest.CaptureFixture[str]) -> None:
        self._options = ["--url", url, "--key", key]
        self._capture = capture

    def __call__(self, *words: str, code: int = 0) -> str:
        ended = run([*words, *self._options])
        out, errors = self._capture.readouterr()
        assert ended == code, errors
        return errors if code else out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def line(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> Line:
    sandbox.reset(seed=SHOP)
    return Line(sandbox.url, sandbox.secret_key, capsys)


def checkout(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.request(
        "POST",
        "/v1/checkout/sessions",
        {
            "mode": "payment",
            "line_items": [{"price": "price_notebook", "quantity": 1}],
            "success_url": "https://shop.example.com/thanks",
        },
    )


def test_a_buyer_pays_at_the_command_line(line: Line, sandbox: Sandbox) -> None:
    session = checkout(sandbox)
    told = line("checkout", "pay", session["id"], "--card", "4000000000009995", code=9)
    assert "Your card has insufficient funds." in told
    assert line.json("checkout", "pay", session["url"]) == {
        "session": session["id"],
        "status": "complete",
        "success_url": "https://shop.example.com/thanks",
    }
    assert "already been completed" in line("checkout", "pay", session["id"], code=8)
    other = checkout(sandbox)
    assert line("checkout", "pay", other["id"], "--card", "4000002500003155", "--authenticate", "fail").endswith(
        "is open.\n"
    )
    assert line("checkout", "expire", other["id"]) == f"{other['id']} is expired.\n"


def test_the_clock_at_the_command_line(line: Line) -> None:
    assert line("clock").startswith("The sandbox's clock shows 2026-04-10T09:00")
    assert line.json("clock", "advance", "1d12h")["now"].startswith("2026-04-11T21:00")
    assert line.json("clock", "to", "2026-05-01")["now"].startswith("2026-05-01T00:00:0")
    assert "must be told how far" in line("clock", "advance", code=64)
    assert "is no time span" in line("clock", "advance", "soon", code=64)
    assert "cannot go back" in line("clock", "to", "2026-01-01", code=8)


def test_events_at_the_command_line(line: Line, sandbox: Sandbox, receiver: Any) -> None:
    receiver.secret = sandbox.webhook(receiver.url, ["customer.created"]).secret
    sandbox.request("POST", "/v1/customers", {"email": "alan@example.com"})
    event = sandbox.events.wait("customer.created", 3)
    shown = line("events", "--type", "customer.*", "--object", event.object["id"])
    assert event.id in shown
    assert "customer.created" in shown
    assert [one["id"] for one in line.json("events", "--type", "customer.created", "--limit", "1")["events"]] == [
        event.id
    ]
    assert line("resend", event.id) == f"✓ {event.id} goes out again, to 1 endpoint.\n"
    sandbox.deliveries.settle()
    assert receiver.types() == ["customer.created"] * 2
    assert "went to no webhook endpoint" in line("resend", sandbox.events.list("product.created")[0].id, code=4)


def test_faults_and_the_next_payment_at_the_command_line(line: Line, sandbox: Sandbox) -> None:
    assert line.json("faults", "duplicate=0.5", "shuffle", "seed=7")["shuffle"] is True
    assert line.json("faults", "--clear")["duplicate"] == 0
    assert "there is no dial `explode`" in line("faults", "explode=1", code=8)
    assert line("fail-next") == "✓ The next payment is declined.\n"
    assert line("fail-next", "expired_card") == "✓ The next payment is declined: expired_card.\n"
    assert "Your card has expired." in line("checkout", "pay", checkout(sandbox)["id"], code=9)
    assert "can be declined, asks, disputed" in line("fail-next", "explode", code=8)


def test_a_file_is_planted_at_the_command_line(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "more.yaml"
    file.write_text("coupons:\n  half: {id: HALF, percent_off: 50}\nwebhooks:\n  app: {url: 'http://127.0.0.1:9/'}\n")
    assert "HALF" in line("seed", str(file))
    planted = line.json("seed", str(file))
    assert planted["coupons"] == {"half": "HALF"}
    assert planted["webhooks"]["app"]["secret"].startswith("whsec_")
    file.write_text("coupons:\n  half: {percnt_off: 50}\n")
    assert "more.yaml:2: coupons.half.percnt_off is not known here" in line("seed", str(file), code=8)
    assert "There is no file" in line("seed", "nowhere.yaml", code=64)


def test_a_fresh_beginning_at_the_command_line(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.request("POST", "/v1/customers", {})
    assert run(["reset", "--url", sandbox.url, "--seed", str(SHOP), "--clock", "2026-06-01", "--json"]) == 0
    ready = json.loads(capsys.readouterr().out)
    assert ready["seeded"]["products"]["notebook"] == "prod_notebook"
    assert ready["secretKey"] == sandbox.secret_key
    assert sandbox.clock.now.month == 6
    assert run(["reset", "--url", sandbox.url]) == 0
    assert f"{sandbox.url} begins anew: account {sandbox.account_id}" in capsys.readouterr().out
    assert sandbox.events.list() == []


def test_failures_for_a_program_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["events", "--url", "http://127.0.0.1:9", "--json"]) == 12
    out, errors = capsys.readouterr()
    assert (out, json.loads(errors)["code"]) == ("", "NETWORK_ERROR")
    assert run(["events", "--key", "sk_live_" + "1" * 30, "--url", "http://127.0.0.1:9"]) == 64
    assert "live key" in capsys.readouterr().err
    assert run(["checkout", "steal", "cs_test_1"]) == 64
