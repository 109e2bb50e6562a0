"""`create_admin_client`: the whole of an operator's work, under an API key. It has no checkouts: they need a user."""

import os
from types import TracebackType
from typing import Self

from paygres.client.admin.catalog import Catalog, CheckoutOptionsDesk
from paygres.client.admin.connections import Connections
from paygres.client.admin.desk import Desk
from paygres.client.admin.events import Events
from paygres.client.admin.fulfillments import Destinations, Fulfillments, Listeners
from paygres.client.admin.keys import Audit, Keys, Tokens, Users
from paygres.client.admin.mirror import Mirror
from paygres.client.admin.operating import Attention, Mappings
from paygres.client.admin.payments import CheckoutSessionsDesk, Customers, Subscriptions, Transactions
from paygres.client.errors import ValidationError
from paygres.client.options import API_KEY_PREFIX, Options, Retries, address
from paygres.client.transport import Timeout, Transport


class AdminClient:
    """Every admin route, by noun. Lists are read page by page while you loop; amounts are in minor units."""

    def __init__(self, transport: Transport, base_url: str, api_key: str) -> None:
        self._transport = transport
        self._base_url = base_url
        self._desk = desk = Desk(transport, api_key)
        self.connections = Connections(desk)
        self.catalog = Catalog(desk)
        self.checkout_options = CheckoutOptionsDesk(desk)
        self.checkout_sessions = CheckoutSessionsDesk(desk)
        self.transactions = Transactions(desk)
        self.subscriptions = Subscriptions(desk)
        self.customers = Customers(desk)
        self.mappings = Mappings(desk)
        self.attention = Attention(desk)
        self.events = Events(desk)
        self.fulfillments = Fulfillments(desk)
        self.destinations = Destinations(desk)
        self.listeners = Listeners(desk)
        self.mirror = Mirror(desk)
        self.keys = Keys(desk)
        self.tokens = Tokens(desk)
        self.users = Users(desk)
        self.audit = Audit(desk)

    def metrics(self) -> str:
        """What Prometheus reads."""
        return self._desk.text("/metrics")

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AdminClient({self._base_url!r})"


def create_admin_client(
    base_url: str | None = None, api_key: str | None = None, *, timeout: Timeout = 30.0
) -> AdminClient:
    """A client for operators. INSFORGE_URL and INSFORGE_API_KEY stand in for `base_url` and `api_key` (`ik_…`).

    `timeout` in seconds for each attempt; what the server does at length (syncs, comparisons) has its own. Raises
    ValidationError.
    """
    key = api_key if api_key is not None else os.environ.get("INSFORGE_API_KEY")
    if not isinstance(key, str) or not key.startswith(API_KEY_PREFIX) or not (key.isascii() and key.isprintable()):
        raise ValidationError(f"api_key: must be an API key, {API_KEY_PREFIX}…", field="api_key")
    url = address(base_url)
    return AdminClient(Transport(Options(url, None, {}, Retries()), timeout, None), url, key)
