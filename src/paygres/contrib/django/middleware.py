"""`request.payments` for views, `await request.apayments()` for async ones: the user's, or a guest's.

Django's users have no token of the server, so a short one is made for each request with PAYGRES["JWT_SECRET"]; their
primary key is its `sub`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from paygres.client.client import AsyncPayments, Payments
from paygres.contrib.django.options import async_client, client, option


class PaymentsMiddleware:
    """Behind AuthenticationMiddleware. Nothing is made until a view asks for it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        request.payments = SimpleLazyObject(lambda: _payments(request))
        request.apayments = lambda: _apayments(request)
        return self._get_response(request)


def _payments(request: HttpRequest) -> Payments:
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return client().payments
    return client().as_user(**_identity(user)).payments


async def _apayments(request: HttpRequest) -> AsyncPayments:
    found: Any = getattr(request, "auser", None)
    user = await found() if found is not None else None
    if user is None or not user.is_authenticated:
        return async_client().payments
    return async_client().as_user(**_identity(user)).payments


def _identity(user: Any) -> dict[str, Any]:
    email = getattr(user, user.get_email_field_name(), None) or None
    return {"sub": str(user.pk), "email": email, "jwt_secret": option("JWT_SECRET")}
