"""Fixtures: one browser and one sandbox for all of these tests, a visitor of its own for each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.visiting import Visitor, shop_of
from tests.judges import installed
from tests.sandbox.running import Receiver, ReceiverServer, Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    with installed.browser() as started:
        yield started


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def checkout(sandbox: Sandbox) -> Callable[..., Any]:
    """Makes a checkout session that leads back to the shop."""
    shop = shop_of(sandbox.url)

    def begin(price: str | None = None, **more: Any) -> Any:
        urls = {"success_url": shop + "/?id={CHECKOUT_SESSION_ID}", "cancel_url": f"{shop}/?cart=1"}
        return sandbox.session(price, **{**urls, **more})

    return begin


@pytest.fixture
def visit(browser: "Browser", sandbox: Sandbox) -> Iterator[Callable[..., Visitor]]:
    """Opens an address as a new visitor; at the end none of them has seen an error or asked another host."""
    with ExitStack() as visitors:

        def begin(url: str, **how: Any) -> Visitor:
            visitor = visitors.enter_context(Visitor(browser, sandbox.url, **how))
            visitor.open(url)
            return visitor

        yield begin


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """A webhook endpoint that listens to everything while the test runs."""
    server = ReceiverServer()
    endpoint = sandbox.stripe.v1.webhook_endpoints.create({"url": server.receiver.url, "enabled_events": ["*"]})
    yield server.receiver
    sandbox.stripe.v1.webhook_endpoints.delete(endpoint.id)
    server.close()
