"""What is asked before something is done, who can answer, and what live needs on top."""

import json
import shlex
from typing import Any

import pytest

from tests.cli.canned_backend import CannedBackend
from tests.cli.recorded import CONNECTION, KEYS, LIVE, PRODUCT, UNCONFIGURED, S, T
from tests.cli.running import Line, on_a_terminal, spawn
from tests.http.running import API_KEY

L = f"{S}/live"
ACCOUNT = str(LIVE["accountId"])
CREATE = ("products", "create", "--name", "Pro", "-e", "live")
KEY = "sk_live_51ExampleLiveKey9876"


@pytest.fixture
def live(backend: CannedBackend) -> CannedBackend:
    """Both environments connected; everything succeeds."""
    backend.say("GET", f"{S}/status", {"connections": [CONNECTION, LIVE]})
    backend.say("POST", f"{L}/catalog/products", {"product": PRODUCT | {"environment": "live"}}, 201)
    backend.say("DELETE", f"{L}/config", KEYS)
    backend.say("PUT", f"{L}/config", KEYS)
    backend.say("DELETE", f"{T}/catalog/products/prod_1", {"productId": "prod_1", "deleted": True})
    return backend


def changes(backend: CannedBackend) -> list[tuple[str, str]]:
    return [(one.method, one.target) for one in backend.asked if one.method != "GET"]


def server(backend: CannedBackend) -> tuple[str, ...]:
    return ("--url", backend.url, "--api-key", API_KEY)


@pytest.mark.parametrize("words", [("products", "delete", "prod_1"), ("config", "remove")])
def test_destruction_in_test_needs_yes_without_a_terminal(
    line: Line, live: CannedBackend, words: tuple[str, ...]
) -> None:
    ran = line.here(*words, "--json")
    said = json.loads(ran.errors)
    assert (ran.code, said["code"]) == (6, "CONFIRMATION_REQUIRED")
    assert changes(live) == []
    assert "--yes" in said["nextActions"]
    assert API_KEY not in ran.errors


@pytest.mark.parametrize(("answer", "code", "done"), [("y", 0, 1), ("", 6, 0)])
def test_a_person_is_asked(live: CannedBackend, answer: str, code: int, done: int) -> None:
    ran = on_a_terminal("products", "delete", "prod_1", *server(live), answers={"[y/N] ": answer})
    assert ran.code == code
    assert len(changes(live)) == done


@pytest.mark.parametrize("flags", [(), ("--yes",), ("--confirm-live", ACCOUNT), ("--yes", "--confirm-live", "acct_2")])
def test_live_needs_yes_and_the_accounts_id(line: Line, live: CannedBackend, flags: tuple[str, ...]) -> None:
    ran = line.here(*CREATE, *flags)
    assert ran.code == 6
    assert changes(live) == []
    assert ACCOUNT in ran.errors


def test_the_line_it_asks_for_is_the_line_that_works(line: Line, live: CannedBackend) -> None:
    said = json.loads(line.here("--json", "payments", "stripe", *CREATE, "--confirm-live=acct_2", "-y").errors)
    again = shlex.split(said["nextActions"].removeprefix("Run: paygres "))
    assert again[:2] == ["--json", "payments"]
    assert again[-3:] == ["--yes", "--confirm-live", ACCOUNT]
    assert "…" in again  # the API key is not repeated
    assert line.here(*[word for word in again if word not in ("--api-key", "…")]).code == 0
    assert changes(live) == [("POST", f"{L}/catalog/products")]


@pytest.mark.parametrize(("typed", "code"), [("owner", 0), (ACCOUNT, 0), ("yes", 6)])
def test_a_person_types_the_accounts_name(live: CannedBackend, typed: str, code: int) -> None:
    ran = on_a_terminal(*CREATE, *server(live), answers={"Type owner to go on: ": typed})
    assert ran.code == code
    assert "LIVE     real money" in ran.out
    assert ACCOUNT in ran.out
    assert len(changes(live)) == (code == 0)


def test_reading_live_asks_nothing(line: Line, live: CannedBackend) -> None:
    live.say("GET", f"{L}/catalog/products", {"products": []})
    ran = line.here("products", "-e", "live")
    assert (ran.code, ran.out) == (0, "No Stripe products found.\n")


def test_live_is_typed_not_inherited(line: Line, live: CannedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRES_ENVIRONMENT", "live")
    live.say("GET", f"{L}/catalog/products", {"products": []})
    assert line.here("products").code == 0
    ran = line.here("products", "create", "--name", "x", "--yes", "--confirm-live", ACCOUNT)
    assert ran.code == 6
    assert "--environment live" in ran.errors
    assert changes(live) == []


def test_read_only_blocks_live_and_nothing_else(
    line: Line, live: CannedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYGRES_READ_ONLY", "1")
    assert line.here(*CREATE, "--yes", "--confirm-live", ACCOUNT).code == 5
    assert changes(live) == []
    assert line.here("-y", "products", "delete", "prod_1").code == 0


def test_the_first_live_key_is_confirmed_by_its_own_end(line: Line, live: CannedBackend) -> None:
    live.say("GET", f"{S}/status", {"connections": [CONNECTION, UNCONFIGURED]})
    ran = line.here("config", "set", KEY, "-e", "live", "--json")
    assert ran.code == 6
    assert KEY not in ran.errors
    assert "--confirm-live 'sk_live_****9876'" in json.loads(ran.errors)["nextActions"]
    assert line.here("config", "set", KEY, "-e", "live", "--yes", "--confirm-live", "sk_live_****9876").code == 0
    ran = on_a_terminal("config", "set", "-e", "live", *server(live), answers={"key: ": KEY, "Type 9876": "9876"})
    assert ran.code == 0
    assert KEY not in ran.out
    assert changes(live) == [("PUT", f"{L}/config")] * 2


def test_another_live_key_is_confirmed_by_the_account_it_replaces(line: Line, live: CannedBackend) -> None:
    words = ("config", "set", KEY, "-e", "live", "--yes", "--confirm-live")
    assert line.here(*words, "sk_live_****9876").code == 6
    assert line.here(*words, ACCOUNT).code == 0


@pytest.mark.parametrize(
    ("flags", "typed", "env"),
    [
        (("--stdin",), "sk_test_1\n", {}),
        (("--from-env", "STRIPE_SECRET_KEY"), "", {"STRIPE_SECRET_KEY": "sk_test_1"}),
    ],
)
def test_a_key_comes_in_without_being_on_the_command_line(
    live: CannedBackend, flags: tuple[str, ...], typed: str, env: dict[str, Any]
) -> None:
    live.say("PUT", f"{T}/config", KEYS)
    ran = spawn("config", "set", *flags, *server(live), typed=typed, **env)
    assert (ran.code, ran.out, ran.errors) == (0, "✓ Stripe test key configured.\n", "")
    assert live.asked[-1].fields == {"secretKey": "sk_test_1"}


def test_an_agent_is_never_asked_and_sees_plain_tables(live: CannedBackend) -> None:
    assert on_a_terminal("products", "delete", "prod_1", *server(live), CLAUDECODE="1").code == 6
    assert changes(live) == []
    ran = on_a_terminal("status", *server(live), CLAUDECODE="1")
    assert ran.out.startswith("Env   Status     Key")
    assert "\x1b" not in ran.out


def test_a_person_sees_lines_and_colors(live: CannedBackend) -> None:
    ran = on_a_terminal("status", *server(live))
    assert "\x1b[36mAccount\x1b[0m" in ran.out
    assert f"\x1b[90m│\x1b[0m {ACCOUNT} \x1b[90m│\x1b[0m" in ran.out
    assert "\x1b" not in on_a_terminal("status", *server(live), NO_COLOR="1").out
