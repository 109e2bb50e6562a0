"""The sandbox as one ASGI application: Stripe's API under /v1, the hosted page, the test controls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from paygres.sandbox.api import Api
from paygres.sandbox.deliveries import Deliveries
from paygres.sandbox.faults import Faults
from paygres.sandbox.limits import Limits
from paygres.sandbox.listen import listening_to
from paygres.sandbox.pages.account_controls import AccountControls
from paygres.sandbox.pages.authentication import AuthenticationPage
from paygres.sandbox.pages.checkout import CheckoutPage
from paygres.sandbox.pages.control_page import ControlPage
from paygres.sandbox.pages.controls import Controls
from paygres.sandbox.pages.invoice_page import InvoicePage
from paygres.sandbox.pages.next_controls import NextControls
from paygres.sandbox.pages.papers import PaperPages
from paygres.sandbox.pages.portal import PortalPage
from paygres.sandbox.pages.renewal_controls import RenewalControls
from paygres.sandbox.pages.watch_controls import WatchControls
from paygres.sandbox.pages.wire_controls import WireControls
from paygres.sandbox.timers import run_timers
from paygres.sandbox.wire.restricted_keys import RestrictedKeys
from paygres.sandbox.world import World


def create_app(world: World) -> ASGIApp:
    """The application; its lifespan runs the deliveries and the timers."""
    dials = Faults(latency=world.settings.latency)
    dials.set(dict(world.settings.faults))
    world.event_second = dials.event_second
    limits = Limits()
    if world.settings.limits is not None:
        account, endpoint = world.settings.limits
        limits.set({"on": True, "rate": account, "endpoint_rate": endpoint})
    restricted = RestrictedKeys(world.store)
    api = Api(world, dials, limits, restricted)
    deliveries = Deliveries(world, dials)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(deliveries.run()), asyncio.create_task(run_timers(world))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await listening_to(world).close()
            world.store.close()

    pages = Starlette(
        routes=[
            *AuthenticationPage(world).routes(),
            *CheckoutPage(world, deliveries).routes(),
            *InvoicePage(world).routes(),
            *PaperPages(world).routes(),
            *PortalPage(world).routes(),
            *ControlPage(world, deliveries, dials).routes(),
            *Controls(world, deliveries, dials).routes(),
            *AccountControls(world, limits, restricted).routes(),
            *RenewalControls(world).routes(),
            *NextControls(world).routes(),
            *WatchControls(world).routes(),
            *WireControls(world, dials).routes(),
        ],
        lifespan=lifespan,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Stripe's API keeps out of the router: it is the hot road.
        if scope["type"] == "http" and scope["path"].startswith(("/v1/", "/v2/")):
            await api(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return app
