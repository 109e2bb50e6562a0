"""Stripe's own CLI plays its own fixtures (`stripe trigger`) against the sandbox. A trigger that "succeeded" only says
that no request was refused unexpectedly; here the sandbox must also have emitted the event it is named after."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from paygres.server.projections.events import EVENT_TYPES
from tests.judges.cli import Cli, key_of
from tests.judges.triggers import LEFT_OUT, MEANT, OPTIONS, REPRODUCED
from tests.sandbox.running import Sandbox, official_client

AT_A_TIME = 4
LONGEST_WAIT = 8.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--validate") as running:
        yield running


@pytest.fixture(scope="module")
def cli(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    return Cli(sandbox.url, tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def said(cli: Cli) -> Iterator[dict[str, Future[str]]]:
    """What the CLI says of each trigger; each has an account of its own."""
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        yield {
            name: threads.submit(cli.run, key_of(name), "trigger", name, *OPTIONS.get(name, [])) for name in REPRODUCED
        }


def emitted(sandbox: Sandbox, trigger: str, wanted: str) -> list[str]:
    """The account's events, oldest first, as soon as the wanted one is among them."""
    until = time.monotonic() + LONGEST_WAIT
    while True:
        events = official_client(sandbox.url, key_of(trigger)).v1.events.list({"limit": 100}).data
        types = [event.type for event in reversed(events)]
        if wanted in types or time.monotonic() > until:
            return types
        time.sleep(0.05)


@pytest.mark.parametrize("trigger", REPRODUCED)
def test_a_trigger_succeeds_and_its_event_is_emitted(
    sandbox: Sandbox, said: dict[str, Future[str]], trigger: str
) -> None:
    words = said[trigger].result()
    assert "Trigger succeeded!" in words, words
    wanted = MEANT.get(trigger, trigger)
    assert wanted in emitted(sandbox, trigger, wanted)


def test_the_table_names_every_trigger_that_the_cli_offers(cli: Cli) -> None:
    assert sorted([*REPRODUCED, *LEFT_OUT]) == sorted(cli.triggers())


def test_what_is_left_out_is_no_event_that_the_server_projects() -> None:
    assert {name for name in LEFT_OUT if name in EVENT_TYPES} == {"payment_intent.partially_funded"}
