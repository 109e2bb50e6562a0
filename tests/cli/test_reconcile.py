"""`paygres reconcile`: what it sends, shows and ends with; and once against real processes."""

import json
from typing import Any

import pytest

from tests.cli.canned_backend import CannedBackend
from tests.cli.running import Line, spawn
from tests.flows.checkouts import Shop
from tests.http.running import API_KEY

PATH = "/api/paygres/test/reconcile"
STALE = {
    "nth": 1,
    "class": "stale",
    "table": "transactions",
    "key": "pi_1Example",
    "objectType": "payment_intent",
    "objectId": "pi_1Example",
    "columns": {"amount": {"ours": 1, "stripe": 1999}},
    "paymentKey": "pi_1Example",
    "amount": 1999,
    "currency": "usd",
    "fixed": False,
}


def report(*findings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    classes = {
        one["class"]: {"rows": 1, "fixed": int(one["fixed"]), "money": {one["currency"]: one["amount"]}}
        for one in findings
    }
    told = {
        "environment": "test",
        "status": "succeeded",
        "fix": False,
        "counts": {"charges": 7, "customers": 3},
        "classes": classes,
        "moneyAtStake": {"usd": 1999} if findings else {},
        "unconfirmed": {},
        "error": None,
        **changes,
    }
    return {"reconciliation": told, "findings": list(findings), "nextAfter": None}


def test_a_clean_mirror_ends_with_0(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", PATH, report())
    ran = line.here("reconcile")
    assert (ran.code, ran.errors) == (0, "")
    assert ran.out == "✓ 10 objects compared: every row is as Stripe has it.\n"
    assert json.loads(backend.asked[-1].body) == {"fix": False, "confirm": False}


def test_a_difference_is_shown_and_ends_with_10(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", PATH, report(STALE))
    ran = line.here("payments", "stripe", "reconcile")
    assert ran.code == 10
    assert "pi_1Example" in ran.out
    assert "19.99 USD" in ran.out
    assert ran.out.endswith("10 objects compared.  stale: 1 (0 fixed)  Money at stake: 19.99 USD.\n")


def test_a_repaired_difference_ends_with_0(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", PATH, report({**STALE, "fixed": True}, fix=True))
    words = ("--fix", "--only", "charges, customers", "--since", "2026-05-01", "--confirm-missing", "--reason", "why")
    assert line.here("reconcile", *words).code == 0
    assert json.loads(backend.asked[-1].body) == {
        "fix": True,
        "confirm": True,
        "only": ["charges", "customers"],
        "since": "2026-05-01",
        "reason": "why",
    }


def test_another_installations_objects_are_no_problem(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", PATH, report({**STALE, "class": "foreign"}))
    assert line.here("reconcile").code == 0


def test_unconfirmed_rows_are_a_problem_with_advice(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", PATH, report(unconfirmed={"customers": 40}))
    ran = line.here("reconcile")
    assert ran.code == 10
    assert "Stripe did not list 40 customers; --confirm-missing asks about each of them." in ran.errors


def test_a_comparison_that_failed_ends_with_1(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", PATH, report(status="failed", error="charges: no permission"))
    ran = line.here("reconcile")
    assert (ran.code, "charges: no permission" in ran.errors) == (1, True)


def test_a_repair_in_live_names_the_account(line: Line, backend: CannedBackend) -> None:
    account = {"environment": "live", "status": "connected", "accountId": "acct_1Example", "accountEmail": None}
    backend.say("GET", "/api/payments/stripe/status", {"connections": [account]})
    assert line.here("reconcile", "--fix", "-e", "live").code == 6
    assert [one.method for one in backend.asked] == ["GET"]


@pytest.mark.parametrize("words", [["--fix", "now"], ["--since"], ["everything"]])
def test_wrong_usage_sends_nothing(line: Line, backend: CannedBackend, words: list[str]) -> None:
    assert line.here("reconcile", *words).code == 64
    assert backend.asked == []


def test_progress_of_a_real_comparison_comes_while_it_runs(real_shop: Shop) -> None:
    where = ("--url", real_shop.server.url, "--api-key", API_KEY)
    ran = spawn("reconcile", "--json", "--progress", "json", *where)
    assert ran.code == 0, ran
    assert json.loads(ran.out)["findings"] == []
    told = [json.loads(line) for line in ran.errors.splitlines()]
    assert {"products", "prices"} <= {one["object"] for one in told}
