"""Stripe's own libraries play one scenario against the sandbox: what they make of its answers is the same in all three,
and each accepts the signature of everything that was delivered meanwhile."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.judges.cli import key_of
from tests.judges.playing import LIBRARIES, SCENARIO, Placeholders, differences, play, verify
from tests.sandbox.running import Receiver, ReceiverServer, Sandbox, official_client

CHAPTERS = [chapter["name"] for chapter in SCENARIO["chapters"]]


class Run:
    """What one library saw, and what its account's endpoint received."""

    def __init__(self, library: str, sandbox: Sandbox, receiver: Receiver) -> None:
        self.receiver = receiver
        name = f"run{LIBRARIES.index(library)}of{len(LIBRARIES)}"
        key = key_of(library)
        client = official_client(sandbox.url, key)
        endpoint = client.v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["*"], "api_version": "2026-05-27.dahlia"}
        )
        assert endpoint.secret
        receiver.secret = endpoint.secret
        self.seen: dict[str, list[Any]] = play(library, sandbox.url, key, name)
        placeholders = Placeholders(name)
        self.comparable = {chapter: placeholders.comparable(steps) for chapter, steps in self.seen.items()}
        self.types = Counter(event.type for event in client.v1.events.list({"limit": 100}).auto_paging_iter())


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Run]]:
    servers = [ReceiverServer() for _ in LIBRARIES]
    with Sandbox("--validate", "--delivery-width", "8") as sandbox, ThreadPoolExecutor(len(LIBRARIES)) as threads:
        receivers = [server.receiver for server in servers]
        started = [threads.submit(Run, *one) for one in zip(LIBRARIES, [sandbox] * 3, receivers, strict=True)]
        yield {library: one.result() for library, one in zip(LIBRARIES, started, strict=True)}
    for server in servers:
        server.close()


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_everything_goes_as_the_scenario_says(runs: dict[str, Run], library: str, chapter: str) -> None:
    steps = next(one["steps"] for one in SCENARIO["chapters"] if one["name"] == chapter)
    given = zip(steps, runs[library].seen[chapter], strict=True)
    surprises = [(step, seen) for step, seen in given if isinstance(seen, dict) and "surprise" in seen]
    assert surprises == []


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_the_libraries_see_the_same(runs: dict[str, Run], library: str, chapter: str) -> None:
    first = runs[LIBRARIES[0]].comparable[chapter]
    assert differences(first, runs[library].comparable[chapter]) == []


def test_a_replayed_request_gives_the_first_answer(runs: dict[str, Run]) -> None:
    for run in runs.values():
        once, again = [step for step in run.seen["errors and idempotency"] if step.get("name") == "Once"]
        assert once == again


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_library_accepts_every_delivery_and_none_that_was_changed(runs: dict[str, Run], library: str) -> None:
    sent = [
        {"payload": one.payload.decode(), "signature": one.signature, "secret": run.receiver.secret}
        for run in runs.values()
        for one in list(run.receiver.received)
    ]
    assert len(sent) > 3 * 100
    assert Counter(map(tuple, verify(library, sent))) == {(True, False, False): len(sent)}


def test_every_event_was_delivered_to_the_endpoint(runs: dict[str, Run]) -> None:
    for run in runs.values():
        for type, count in run.types.items():
            run.receiver.wait(type, count)


def test_a_delivered_event_is_the_stored_event(runs: dict[str, Run]) -> None:
    for run in runs.values():
        for one in run.receiver.received:
            assert one.event["api_version"] == "2026-05-27.dahlia"
            assert json.loads(one.payload) == one.event
