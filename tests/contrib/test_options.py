"""The command line that starts a sandbox: what it takes, what it refuses in one sentence, what it prints."""

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from paygres.contrib.payments_sandbox import Sandbox
from paygres.sandbox.options import read_settings
from tests.sandbox.running import Receiver

LIVE = "sk_live_" + "1" * 24


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that must fail."""
    command = [sys.executable, "-m", "paygres.cli.main", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL)


REFUSED = [
    (("--port", "70000"), "argument --port: '70000' is no port, which is 0 to 65535"),
    (("--prot", "1"), "unrecognized arguments: --prot 1"),
    (
        ("--clock", "yesterday"),
        "'yesterday' is no time; write it as 2026-01-31T10:00:00Z, 2026-01-31 or in Unix seconds",
    ),
    (("--clock", "1769853600000"), "'1769853600000' is not between the years 2000 and 2100"),
    (("--fault", "dupliacte=1"), "argument --fault: there is no dial `dupliacte`"),
    (("--fault", "duplicate=2"), "argument --fault: `duplicate` is a share, 0 to 1, not '2'"),
    (("--seed", "nowhere.yaml"), "argument --seed: there is no file nowhere.yaml"),
    (("--webhook", "shop.example.com"), "argument --webhook: 'shop.example.com' is no http:// address"),
    (("--retries", "1,x"), "argument --retries: not a list of seconds: '1,x'"),
    (("--limits", "1"), "argument --limits: not two numbers: '1'"),
    (("--account-seed", LIVE), "it refuses live keys"),
    (("dance",), "unrecognized arguments: dance"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_wrong_is_one_sentence_and_64(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_settings(list(arguments))
    out, errors = capsys.readouterr()
    assert (ended.value.code, out, errors.count("\n")) == (64, "", 1)
    assert sentence in errors
    assert "1111" not in errors


def test_a_wrong_option_ends_the_command_with_64() -> None:
    refused = start("--port", "x")
    assert (refused.returncode, refused.stdout) == (64, "")
    assert refused.stderr == (
        "paygres sandbox: argument --port: 'x' is no port, which is 0 to 65535. Try: paygres sandbox --help\n"
    )


def test_a_wrong_seed_file_is_one_sentence_and_8(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("products:\n  pro: {nmae: Pro}\n")
    refused = start("--seed", str(file))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (8, "", 1)
    assert refused.stderr.startswith(f"{file}:2: products.pro.nmae is not known here. Did you mean `name`?")


def test_help_tells_every_option_and_shows_examples() -> None:
    told = start("--help")
    assert (told.returncode, told.stderr) == (0, "")
    for word in (
        "--seed",
        "--clock",
        "--fault",
        "--webhook",
        "--state",
        "examples:",
        "paygres sandbox clock advance 31d",
    ):
        assert word in told.stdout


def test_the_ready_line_has_what_was_asked_for(tmp_path: Path, receiver: Receiver) -> None:
    seed = tmp_path / "shop.yaml"
    seed.write_text(
        "clock: 2026-01-31\nfaults: {duplicate: 0.25, drop: 0.5}\ncustomers:\n  ada: {email: ada@example.com}\n"
    )
    options = ["--fault", "drop=0.125", "--fault", "shuffle", "--webhook", receiver.url]
    with Sandbox.start(seed=seed, options=options) as sandbox:
        dials = sandbox.faults.read()
        assert (dials["duplicate"], dials["drop"], dials["shuffle"]) == (0.25, 0.125, True)
        assert sandbox.clock.now.isoformat().startswith("2026-01-31T00:00")
        assert sandbox.seeded["customers"]["ada"].startswith("cus_")
        [hook] = sandbox.webhooks
        assert (hook.url, hook.secret[:6]) == (receiver.url, "whsec_")
        receiver.secret = hook.secret
        sandbox.faults.clear()
        sandbox.request("POST", "/v1/customers", {})
        sandbox.deliveries.settle()
        assert receiver.types() == ["customer.created"]


def test_the_clock_of_the_command_line_is_kept_with_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with Sandbox.start(state=state, clock="2026-01-31") as sandbox:
        sandbox.clock.advance(days=10)
    with Sandbox.start(state=state, clock="2026-01-31") as sandbox:
        assert sandbox.clock.now.isoformat().startswith("2026-02-10T00:00")


def test_all_addresses_are_allowed_with_a_warning() -> None:
    command = [sys.executable, "-m", "paygres.sandbox", "--host", "0.0.0.0", "--with-parent"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["url"].startswith("http://0.0.0.0:")
        began = time.monotonic()
        _, warned = process.communicate(timeout=20)  # closes its standard input, which ends it
    assert "anybody who reaches 0.0.0.0 can use it" in warned
    assert (process.returncode, time.monotonic() - began < 5) == (0, True)


def test_web_pages_cannot_turn_the_controls(sandbox: Sandbox) -> None:
    with httpx2.Client(base_url=sandbox.url, headers={"Origin": "https://evil.example.com"}) as page:
        for method, path in (("GET", "/_sim/account"), ("POST", "/_sim/reset"), ("POST", "/_sim/clock")):
            assert page.request(method, path, content=b"{}").status_code == 403
    with httpx2.Client(base_url=sandbox.url, headers={"Host": "evil.example.com"}) as page:
        assert page.get("/_sim/account").status_code == 403
