"""Every documented route of the server, noun by noun. A new room of routes is one line here."""

from paygres.server.http import (
    catalog,
    checkout_sessions,
    connections,
    health,
    sign_in,
    webhooks,
)
from paygres.server.http.documented import Documented

DOCUMENTED: tuple[Documented, ...] = (
    *checkout_sessions.ROUTES,
    *webhooks.ROUTES,
    *connections.ROUTES,
    *catalog.ROUTES,
    *sign_in.ROUTES,
    *health.ROUTES,
)
