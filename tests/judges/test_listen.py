"""`stripe listen` and `stripe events resend`: Stripe's own CLI forwards our events, signed, byte for byte."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.running_parts import rows
from tests.fresh_database import FreshDatabase
from tests.http.running import environment, serving
from tests.judges.cli import Cli, key_of
from tests.sandbox.running import Receiver, ReceiverServer, Sandbox, official_client


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--validate") as running:
        yield running


@pytest.fixture(scope="module")
def cli(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    return Cli(sandbox.url, tmp_path_factory.mktemp("cli"))


@pytest.fixture
def shop() -> Iterator[Receiver]:
    server = ReceiverServer()
    yield server.receiver
    server.close()


def secret(said: str) -> str:
    [found] = re.findall(r"whsec_\w+", said)
    return found


def test_the_cli_forwards_events_with_a_signature_that_stripes_library_accepts(
    sandbox: Sandbox, cli: Cli, shop: Receiver
) -> None:
    client = official_client(sandbox.url, key_of("forwards"))
    client.v1.customers.create({"email": "before@example.com"})
    with cli.listen(key_of("forwards"), "--all-snapshot", "--forward-to", shop.url) as listener:
        shop.secret = secret(listener.said)
        made = client.v1.customers.create({"email": "grüße@example.com", "name": "Ünal"})
        received = shop.wait("customer.created")
        listener.wait("[200] POST")
    stored = client.v1.events.retrieve(received.event["id"])
    assert received.event["data"]["object"]["id"] == made.id
    assert json.loads(received.payload)["data"] == stored.to_dict()["data"]
    assert shop.types() == ["customer.created"]


def test_the_cli_picks_the_events_it_was_told_and_each_comes_once(sandbox: Sandbox, cli: Cli, shop: Receiver) -> None:
    client = official_client(sandbox.url, key_of("picks"))
    with cli.listen(key_of("picks"), "--latest", "--events", "product.created", "--forward-to", shop.url):
        client.v1.customers.create({})
        client.v1.products.create({"name": "Pocket notebook"})
        client.v1.products.create({"name": "Fountain pen"})
        shop.wait("product.created", 2)
        time.sleep(0.3)
    assert shop.types() == ["product.created", "product.created"]


def test_events_of_other_accounts_are_not_heard(sandbox: Sandbox, cli: Cli, shop: Receiver) -> None:
    with cli.listen(key_of("mine"), "--all-snapshot", "--forward-to", shop.url):
        official_client(sandbox.url, key_of("theirs")).v1.customers.create({})
        official_client(sandbox.url, key_of("mine")).v1.products.create({"name": "Ink"})
        shop.wait("product.created")
    assert shop.types() == ["product.created"]


def test_an_event_resent_by_the_cli_comes_again_with_the_same_id(sandbox: Sandbox, cli: Cli, shop: Receiver) -> None:
    key = key_of("resent")
    official_client(sandbox.url, key).v1.customers.create({})
    [event] = official_client(sandbox.url, key).v1.events.list().data
    with cli.listen(key, "--all-snapshot", "--forward-to", shop.url) as listener:
        shop.secret = secret(listener.said)
        assert event.id in cli.run(key, "events", "resend", event.id)
        first = shop.wait("customer.created")
        cli.run(key, "events", "resend", event.id)
        second = shop.wait("customer.created", 2)
    assert first.event["id"] == second.event["id"] == event.id


def test_an_event_resent_to_an_endpoint_that_came_later_is_delivered(
    sandbox: Sandbox, cli: Cli, shop: Receiver
) -> None:
    key = key_of("endpoint")
    client = official_client(sandbox.url, key)
    client.v1.customers.create({})
    [event] = client.v1.events.list().data
    endpoint = client.v1.webhook_endpoints.create({"url": shop.url, "enabled_events": ["*"]})
    assert endpoint.secret
    shop.secret = endpoint.secret
    cli.run(key, "events", "resend", event.id, "--webhook-endpoint", endpoint.id)
    assert shop.wait("customer.created").event["id"] == event.id


async def test_a_paygres_server_takes_what_the_cli_forwards(
    sandbox: Sandbox, cli: Cli, database: FreshDatabase
) -> None:
    key = key_of("paygres")
    known = secret(cli.run(key, "listen", "--all-snapshot", "--print-secret"))
    variables = environment(
        database.server_url,
        STRIPE_API_BASE=sandbox.url,
        STRIPE_TEST_WEBHOOK_SECRET=known,
    )
    with serving(variables) as server:
        address = f"{server.url}/api/webhooks/stripe/test"
        with cli.listen(key, "--all-snapshot", "--forward-to", address) as listener:
            made = official_client(sandbox.url, key).v1.products.create({"name": "Pocket notebook"})
            listener.wait("[200] POST")
    found = await rows(database, "select name, active from payments.stripe_products where product_id = $1", made.id)
    assert found == [{"name": "Pocket notebook", "active": True}]


def test_the_sandbox_ends_while_somebody_listens(tmp_path: Path) -> None:
    with Sandbox() as sandbox, Cli(sandbox.url, tmp_path).listen(sandbox.key, "--all-snapshot"):
        began = time.monotonic()
        assert sandbox.stop() == 0
    assert time.monotonic() - began < 5


def test_the_signing_secret_stays_the_same(cli: Cli) -> None:
    first, second = (cli.run(key_of("secret"), "listen", "--all-snapshot", "--print-secret") for _ in range(2))
    assert secret(first) == secret(second)
