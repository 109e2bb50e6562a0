"""One sandbox for this folder's tests of the Python API, begun anew for each; receivers of webhooks."""

import socket
from collections.abc import Iterator

import pytest

from paygres.contrib.payments_sandbox import Sandbox
from tests.sandbox.running import Receiver, ReceiverServer


@pytest.fixture(scope="package")
def one_sandbox() -> Iterator[Sandbox]:
    with Sandbox.start(validate=True) as running:
        yield running


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    one_sandbox.reset(new_account=True)
    return one_sandbox


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = ReceiverServer()
    yield server.receiver
    server.close()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
