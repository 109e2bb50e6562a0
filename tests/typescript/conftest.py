"""Fixtures: one shop with its sample tables and one Node process for all of these tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from tests.http.running import ANON_KEY
from tests.typescript.driving import Client, Node
from tests.typescript.selling import Stall, stall, user_token

Sdk = Callable[..., Client]


@pytest.fixture(scope="package")
def node() -> Iterator[Node]:
    with Node() as running:
        yield running


@pytest.fixture(scope="package")
def selling(postgres: Urls) -> Iterator[Stall]:
    with stall(postgres) as opened:
        yield opened


@pytest.fixture
def sdk(node: Node, selling: Stall) -> Sdk:
    """`createClient` for that shop, its retries quick; `user` signs somebody in by a token of the application's own."""

    def make(user: str | None = None, **options: Any) -> Client:
        defaults: dict[str, Any] = {"baseUrl": selling.url, "anonKey": ANON_KEY, "retryDelay": 5}
        made = node.client(**{**defaults, **options})
        if user is not None:
            made.call("setAccessToken", user_token(user))
        return made

    return make
