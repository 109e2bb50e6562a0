"""Fixtures: one sandbox per test module, a fresh webhook receiver per test."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.running import Receiver, ReceiverServer, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = ReceiverServer()
    yield server.receiver
    server.close()


@pytest.fixture
def hook(sandbox: Sandbox, receiver: Receiver) -> Iterator[Callable[..., Receiver]]:
    """Registers the receiver as an endpoint for some event types (default: all) and removes it afterwards."""
    made: list[str] = []

    def register(*types: str, **params: Any) -> Receiver:
        time.sleep(0.1)  # what an earlier test's payment still sends is not this test's
        given: Any = {"url": receiver.url, "enabled_events": list(types) or ["*"], **params}
        endpoint = sandbox.stripe.v1.webhook_endpoints.create(given)
        assert endpoint.secret is not None
        receiver.secret = endpoint.secret
        made.append(endpoint.id)
        return receiver

    yield register
    for id in made:
        sandbox.stripe.v1.webhook_endpoints.delete(id)
