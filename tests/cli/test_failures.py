"""How commands fail: exit codes, the two spellings of an error, wrong usage, servers that are away or are not ours."""

import json
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.canned_backend import CannedBackend
from tests.cli.recorded import CONNECTION, LIVE, RESULTS, S, T
from tests.cli.running import Line, clean_environment, on_a_terminal, spawn
from tests.flows.checkouts import free_port
from tests.http.running import API_KEY

PRODUCT = f"{T}/catalog/products/prod_1"


def refusal(line: Line, backend: CannedBackend, status: int, body: object) -> tuple[int, dict[str, object]]:
    """The exit code in both spellings, and the JSON one's object."""
    backend.say("GET", PRODUCT, body, status, headers={"Retry-After": "7", "X-Request-Id": "req_header"})
    table = line.here("products", "get", "prod_1")
    ran = line.here("products", "get", "prod_1", "--json")
    assert ran.code == table.code
    assert (ran.out, table.out) == ("", "")
    return ran.code, json.loads(ran.errors)


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "INVALID_INPUT", 8),
        (413, "PAYLOAD_TOO_LARGE", 8),
        (401, "AUTH_INVALID_CREDENTIALS", 2),
        (403, "AUTH_UNAUTHORIZED", 5),
        (404, "PAYMENT_PRODUCT_NOT_FOUND", 4),
        (409, "PAYMENT_CHECKOUT_ALREADY_EXISTS", 7),
        (402, "PAYMENT_METHOD_DECLINED", 9),
        (404, "UPSTREAM_FAILURE", 9),
        (502, "UPSTREAM_FAILURE", 9),
        (502, "PAYMENT_CONFIG_INVALID", 9),
        (429, "RATE_LIMITED", 75),
        (503, "SERVICE_UNAVAILABLE", 75),
        (500, "INTERNAL_ERROR", 1),
    ],
)
def test_exit_codes(line: Line, backend: CannedBackend, status: int, code: str, exit_code: int) -> None:
    body = {"error": code, "message": "So it is.", "statusCode": status, "nextActions": "Do.", "requestId": "req_1"}
    assert refusal(line, backend, status, body) == (
        exit_code,
        {
            "error": "So it is.",
            "code": code,
            "statusCode": status,
            "nextActions": "Do.",
            "requestId": "req_1",
            "exitCode": exit_code,
        },
    )


def test_what_a_proxy_answers_is_told_as_far_as_it_goes(line: Line, backend: CannedBackend) -> None:
    assert refusal(line, backend, 503, "<html>")[1] == {
        "error": "The server answered 503 without a reason.",
        "statusCode": 503,
        "nextActions": "Try again in 7 s.",
        "requestId": "req_header",
        "exitCode": 75,
    }
    assert refusal(line, backend, 502, "<html>")[0] == 12


def test_a_missing_route_is_not_a_missing_thing(line: Line, backend: CannedBackend) -> None:
    for body in ("<html>", {"error": "NOT_FOUND", "message": "Endpoint not found"}):
        code, said = refusal(line, backend, 404, body)
        assert code == 4
        assert str(said["error"]).startswith("Payments are not available on this backend.")


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (200, [1]), (200, {"unknown": 1}), (301, "moved"), (204, "")]
)
def test_another_server_is_no_traceback(line: Line, backend: CannedBackend, status: int, body: object) -> None:
    backend.say("GET", f"{S}/status", body, status, headers={"Location": "https://pay.example.com/"})
    ran = line.here("status")
    assert ran.code == 1
    assert ran.errors.startswith("Error: ")


def test_a_server_that_is_away_is_12() -> None:
    ran = spawn("--json", "status", "--url", f"http://127.0.0.1:{free_port()}", "--api-key", API_KEY)
    said = json.loads(ran.errors)
    assert (ran.code, said["code"], said["exitCode"]) == (12, "NETWORK_ERROR", 12)
    assert "refused" in said["error"]
    assert API_KEY not in ran.errors


def test_a_reader_that_has_seen_enough_is_no_failure(backend: CannedBackend) -> None:
    backend.say("GET", f"{S}/status", {"connections": [CONNECTION] * 2000})
    command = [sys.executable, "-m", "paygres.cli.main", "status", "--url", backend.url, "--api-key", API_KEY]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
    assert process.stdout is not None
    process.stdout.close()
    assert process.communicate(timeout=10)[1] == b""
    assert process.returncode == 0


def test_waiting_ends_after_the_timeout_or_when_interrupted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = ("--url", f"http://127.0.0.1:{silent.getsockname()[1]}", "--api-key", API_KEY)
        ran = spawn("status", *server, "--timeout", "0.2")
        assert (ran.code, "did not answer within 0.2 s" in ran.errors) == (12, True)
        silent.accept()[0].close()
        command = [sys.executable, "-m", "paygres.cli.main", "status", *server]
        # Where the tests run in the background of a shell, Ctrl-C is ignored, and what is ignored is inherited.
        with subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            connection, _ = silent.accept()
            connection.recv(65536)  # it has asked, and waits
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=30)[1] == "Error: Interrupted.\n"
            assert process.returncode == 130
        connection.close()


@pytest.mark.parametrize(
    "words",
    [
        ("--bogus",),
        ("--json",),
        ("payments",),
        ("payments", "razorpay", "status"),
        ("products", "frobnicate"),
        ("products", "list", "extra"),
        ("products", "get"),
        ("products", "create", "--description", "no name"),
        ("products", "create", "--name", "x", "--active", "maybe"),
        ("products", "get", "p", "--frob"),
        ("products", "li", "--env", "test"),
        ("prices", "create", "--product", "p", "--currency", "usd"),
        ("prices", "create", "--product", "p", "--currency", "usd", "--unit-amount", "9.99"),
        ("prices", "create", "--product", "p", "--currency", "usd", "--unit-amount", "9", "--interval-count", "2"),
        ("prices", "update", "p"),
        ("webhooks",),
        ("customers", "--limit", "101"),
        ("catalog", "--environment", "prod"),
        ("config", "set"),
        ("config", "set", "sk_test_1", "--stdin"),
        ("config", "set", "--from-env", "NOT_SET"),
        ("config", "set", "--from-file", "not-there"),
        ("status", "--timeout", "soon"),
    ],
)
def test_wrong_usage_is_64_and_sends_nothing(line: Line, backend: CannedBackend, words: tuple[str, ...]) -> None:
    ran = line.here(*words)
    assert ran.code == 64
    assert ran.errors.startswith(("Error: ", "! ")) or ran.out.startswith("usage: ")
    assert backend.asked == []


@pytest.mark.parametrize("words", [(), ("products",), ("products", "create"), ("status",), ("payments", "stripe")])
def test_help_of_every_depth(line: Line, words: tuple[str, ...]) -> None:
    ran = line.here(*words, "--help")
    assert ran.code == 0
    assert ran.out.startswith("usage: paygres ")


def test_help_and_wrong_usage_load_nothing_heavy() -> None:
    heavy = "{'typer', 'rich', 'httpx2', 'asyncpg', 'pydantic', 'asyncio'}"
    program = f"""
import sys
from typing import Any
from paygres.cli.payments.command import run
for words in (["prices", "create", "--help"], ["products", "get"], ["sync", "--frob"]):
    try:
        run(words)
    except SystemExit:
        pass
print({heavy} & {{*sys.modules}})
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"


def test_the_right_words_reach_main_with_options_in_front(backend: CannedBackend) -> None:
    backend.say("GET", f"{S}/status", {"connections": [CONNECTION]})
    ran = spawn("--json", "--url", backend.url, "payments", "stripe", "status", "--api-key", API_KEY)
    assert (ran.code, json.loads(ran.out)) == (0, {"connections": [CONNECTION]})


def test_status_of_one_environment(line: Line, backend: CannedBackend) -> None:
    backend.say("GET", f"{S}/status", {"connections": [CONNECTION, LIVE]})
    assert json.loads(line.here("status", "-e", "live", "--json").out) == {"connections": [LIVE]}


# sync

STREAM = (
    ': hello\n\nevent: progress\ndata: {"environment": "test", "object": "products", "done": 2}\n\n'
    'event: progress\ndata: {"environment": "test",\ndata: "object": "prices", "done": 7}\n\n'
)


def as_stream(text: str) -> dict[str, Any]:
    return {"body": text, "kind": "text/event-stream; charset=utf-8"}


def test_progress_as_json_lines_and_the_result_on_stdout(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", f"{S}/sync", **as_stream(f"{STREAM}event: result\ndata: {json.dumps(RESULTS)}\n\n"))
    ran = line.here("sync", "--progress", "json", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, RESULTS)
    assert [json.loads(text)["done"] for text in ran.errors.splitlines()] == [2, 7]
    assert backend.asked[0].headers["accept"] == "text/event-stream"


def test_progress_moves_on_a_terminal_and_is_gone_afterwards(backend: CannedBackend) -> None:
    backend.say("POST", f"{T}/sync", **as_stream(f"{STREAM}event: result\ndata: {json.dumps(RESULTS)}\n\n"))
    ran = on_a_terminal("sync", "-e", "test", "--url", backend.url, "--api-key", API_KEY, NO_COLOR="1")
    moving, _, rest = ran.out.partition("\r\x1b[K┌") if "\r\x1b[K┌" in ran.out else ran.out.partition("┌")
    assert "test products 2 · test prices 7" in moving
    assert "test products" not in rest
    assert rest.endswith("✓ Stripe payments synced.\n")


def test_a_plain_answer_will_do_where_progress_was_wished(line: Line, backend: CannedBackend) -> None:
    backend.say("POST", f"{S}/sync", RESULTS)
    assert line.here("sync", "--progress", "json").code == 0


@pytest.mark.parametrize(
    ("end", "exit_code"),
    [
        ("", 12),
        ('event: error\ndata: {"error": "SERVICE_UNAVAILABLE", "message": "Later.", "statusCode": 503}\n\n', 75),
        ("event: result\ndata: {\n\n", 1),
    ],
)
def test_a_stream_without_a_result_is_a_failure(line: Line, backend: CannedBackend, end: str, exit_code: int) -> None:
    backend.say("POST", f"{S}/sync", **as_stream(STREAM + end))
    ran = line.here("sync", "--progress", "json", "--json")
    assert (ran.code, ran.out) == (exit_code, "")


def test_a_sync_that_failed_at_stripe_is_not_called_done(line: Line, backend: CannedBackend) -> None:
    broken = CONNECTION | {"lastSyncStatus": "failed", "lastSyncError": "Stripe is away"}
    result = {"environment": "test", "connection": broken, "subscriptions": None}
    backend.say("POST", f"{T}/sync", {"results": [result]})
    ran = line.here("sync", "-e", "test")
    assert ran.code == 1
    assert "✘ test: Stripe is away\n" in ran.errors
    assert "✓" not in ran.out
