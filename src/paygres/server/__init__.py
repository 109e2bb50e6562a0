"""The API server and its worker; `from paygres.server import Payments` has them in a program of your own."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paygres.server.library import Message, NotStarted, Payments, StripeEvent, Transaction

__all__ = ["Message", "NotStarted", "Payments", "StripeEvent", "Transaction"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # late: every module of the server imports this one first
        from paygres.server import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
