"""Paygres: Stripe checkout, subscriptions and exactly-once fulfillment on your own PostgreSQL.

The names below are the SDK; they are imported when they are first used, so that the command line does without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paygres.client.admin.client import AdminClient, create_admin_client
    from paygres.client.client import AsyncClient, Client, create_async_client, create_client
    from paygres.client.errors import (
        AuthenticationError,
        ConfigurationError,
        ConflictError,
        InsforgeError,
        NetworkError,
        NotFoundError,
        PaygresError,
        PaymentError,
        PermissionDeniedError,
        RateLimitError,
        RequestTimeoutError,
        ServerError,
        UpstreamError,
        ValidationError,
    )
    from paygres.client.messages import FulfillmentMessage, SignatureError, verify_message
    from paygres.client.result import Result
    from paygres.client.shapes import (
        Access,
        CheckoutSession,
        CreateCheckoutSessionResponse,
        CreateCustomerPortalSessionResponse,
        CustomerPortalSession,
        Environment,
        GetCheckoutSessionResponse,
        GetSubjectResponse,
        LineItem,
        LineItemDict,
        Subject,
        SubjectBilling,
        SubjectDict,
        SubjectSubscription,
    )

__version__ = "0.1.0"

_ROOMS = {
    "admin.client": ("AdminClient", "create_admin_client"),
    "client": ("AsyncClient", "Client", "create_async_client", "create_client"),
    "errors": (
        "AuthenticationError",
        "ConfigurationError",
        "ConflictError",
        "InsforgeError",
        "NetworkError",
        "NotFoundError",
        "PaygresError",
        "PaymentError",
        "PermissionDeniedError",
        "RateLimitError",
        "RequestTimeoutError",
        "ServerError",
        "UpstreamError",
        "ValidationError",
    ),
    "messages": ("FulfillmentMessage", "SignatureError", "verify_message"),
    "result": ("Result",),
    "shapes": (
        "Access",
        "CheckoutSession",
        "CreateCheckoutSessionResponse",
        "CreateCustomerPortalSessionResponse",
        "CustomerPortalSession",
        "Environment",
        "GetCheckoutSessionResponse",
        "GetSubjectResponse",
        "LineItem",
        "LineItemDict",
        "Subject",
        "SubjectBilling",
        "SubjectDict",
        "SubjectSubscription",
    ),
}
_PLACES = {name: f"paygres.client.{room}" for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Access",
    "AdminClient",
    "AsyncClient",
    "AuthenticationError",
    "CheckoutSession",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "CreateCheckoutSessionResponse",
    "CreateCustomerPortalSessionResponse",
    "CustomerPortalSession",
    "Environment",
    "FulfillmentMessage",
    "GetCheckoutSessionResponse",
    "GetSubjectResponse",
    "InsforgeError",
    "LineItem",
    "LineItemDict",
    "NetworkError",
    "NotFoundError",
    "PaygresError",
    "PaymentError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTimeoutError",
    "Result",
    "ServerError",
    "SignatureError",
    "Subject",
    "SubjectBilling",
    "SubjectDict",
    "SubjectSubscription",
    "UpstreamError",
    "ValidationError",
    "__version__",
    "create_admin_client",
    "create_async_client",
    "create_client",
    "verify_message",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'paygres' has no attribute {name!r}")
    value = getattr(import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
