"""Where live buyers may be sent back to (contract F44). Told once the environment has a key: without one there is
nothing to buy, and that is the answer."""

from typing import Any

import pytest

from paygres.server.caller import Caller
from paygres.server.errors import InvalidRequest
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.create_portal_session import create_portal_session
from paygres.server.flows.requests.customer_portal_sessions import CustomerPortalRequest
from paygres.server.flows.requests.fields import Subject
from paygres.server.tables import secrets
from tests.flows.checkouts import ADA, checkout_request
from tests.flows.running_parts import parts_on
from tests.fresh_database import FreshDatabase

BUYER = Caller(role="authenticated", sub=ADA)
NAME = "STRIPE_LIVE_SECRET_KEY"
ELSEWHERE = (
    "https://evil.example/ok",
    "http://shop.example.com/ok",
    "https://shop.example.com:444/ok",
    "https://shop.example.com@evil.example/ok",
    "https://shop.example.com.evil.example/",
    "javascript:alert(1)",
    "https://evil.example\\@shop.example.com/",
    "https:evil.example",
)


async def test_live_buyers_return_only_to_allowed_origins(database: FreshDatabase) -> None:
    nowhere = "http://127.0.0.1:9"
    async with parts_on(database, nowhere, return_origins=("https://shop.example.com",)) as parts:
        sealed = parts.connections.seal(NAME, "live", "sk_live_" + "5" * 40)
        await secrets.upsert(parts.db, NAME, sealed)
        parts.connections.forget("live")
        for url in ELSEWHERE:
            for field in ("success_url", "cancel_url"):
                wanted: dict[str, Any] = {field: url}
                with pytest.raises(InvalidRequest, match="Url: origin is not allowed"):
                    await create_checkout_session(parts, BUYER, "live", checkout_request("price_1", **wanted))
            portal = CustomerPortalRequest(subject=Subject(type="user", id=ADA), return_url=url)
            with pytest.raises(InvalidRequest, match="returnUrl: origin is not allowed"):
                await create_portal_session(parts, BUYER, "live", portal)
