"""The same test for both shells: calls of the sync and of the async client behind one face."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import paygres

Kind = Literal["sync", "async"]
KINDS: tuple[Kind, ...] = ("sync", "async")
CHECKOUT: dict[str, Any] = {
    "mode": "payment",
    "line_items": [{"price_id": "price_1Example", "quantity": 2}],
    "success_url": "https://shop.example.com/ok?s={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://shop.example.com/cart",
}


def call(kind: Kind, method: str, *arguments: Any, options: Mapping[str, Any], token: Any = None, **named: Any) -> Any:
    """What `client.payments.stripe.<method>` answers, or raises; `with_result.<method>` too."""
    if kind == "sync":
        with paygres.create_client(**options) as client:
            return _of(client.with_token(token) if token else client, method)(*arguments, **named)

    async def run() -> Any:
        async with paygres.create_async_client(**options) as client:
            return await _of(client.with_token(token) if token else client, method)(*arguments, **named)

    return asyncio.run(run())


def _of(client: Any, method: str) -> Any:
    found = client.payments.stripe
    for part in method.split("."):
        found = getattr(found, part)
    return found
