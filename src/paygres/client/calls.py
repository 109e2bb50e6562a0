"""Requests as values, built and checked before anything is sent; nothing here knows a network.

The rules are those the server has; each mistake is a `ValidationError` that names the argument.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import pydantic

from paygres.client.errors import ValidationError
from paygres.client.shapes import (
    CheckoutRequest,
    CreateCheckoutSessionResponse,
    CreateCustomerPortalSessionResponse,
    GetCheckoutSessionResponse,
    GetSubjectResponse,
    PortalRequest,
    Sent,
    Subject,
    SubjectDict,
    Told,
)

RESERVED = "insforge_"
MAX_WAIT = 30.0
# What an answer may take beyond what was asked to be waited for.
ANSWER_SECONDS = 10.0

Answer = TypeVar("Answer", bound=Told)
Model = TypeVar("Model", bound=pydantic.BaseModel)


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One request. `idempotent`: may be sent again when it is not known whether it arrived. `patience`: seconds that
    the server takes on purpose."""

    method: str
    path: str
    answer: type[Answer]
    body: dict[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotent: bool = True
    patience: float = 0.0


def create_checkout_session(environment: str, arguments: Mapping[str, Any]) -> Call[CreateCheckoutSessionResponse]:
    """`POST …/checkout-sessions`; sent again only under an idempotency key."""
    request = checked(CheckoutRequest, arguments)
    if request.mode == "subscription" and request.subject is None:
        raise ValidationError("subject: a subscription checkout needs a billing subject", field="subject")
    for name in request.metadata or ():
        if name.startswith(RESERVED):
            raise ValidationError(f"metadata: names that begin with {RESERVED} are reserved", field="metadata")
    return Call(
        "POST",
        f"{runtime(environment)}/checkout-sessions",
        CreateCheckoutSessionResponse,
        body=_body(request),
        idempotent=bool(request.idempotency_key),
    )


def create_customer_portal_session(
    environment: str, arguments: Mapping[str, Any]
) -> Call[CreateCustomerPortalSessionResponse]:
    """`POST …/customer-portal-sessions`; never sent again."""
    return Call(
        "POST",
        f"{runtime(environment)}/customer-portal-sessions",
        CreateCustomerPortalSessionResponse,
        body=_body(checked(PortalRequest, arguments)),
        idempotent=False,
    )


def get_checkout_session(environment: str, id: str, wait: Any) -> Call[GetCheckoutSessionResponse]:
    """`GET …/checkout-sessions/{id}`. `wait`: at most so many seconds, until the purchase is settled."""
    query: dict[str, str] = {}
    if wait is not None:
        if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= MAX_WAIT:
            raise ValidationError(f"wait: must be between 0 and {MAX_WAIT:.0f} seconds", field="wait")
        query["wait"] = str(math.ceil(wait))
    path = f"{extension(environment)}/checkout-sessions/{segment('id', id)}"
    return Call("GET", path, GetCheckoutSessionResponse, query=query, patience=wait or 0.0)


def get_subject(environment: str, subject: Subject | SubjectDict) -> Call[GetSubjectResponse]:
    """`GET …/subjects/{type}/{id}`."""
    named = checked(PortalRequest, {"subject": subject}).subject
    path = f"{extension(environment)}/subjects/{segment('subject.type', named.type)}/{segment('subject.id', named.id)}"
    return Call("GET", path, GetSubjectResponse)


def checkout_arguments(
    mode: str,
    line_items: Any,
    success_url: str,
    cancel_url: str,
    **more: Any,
) -> dict[str, Any]:
    """The named arguments of a checkout as one mapping; what is None is not sent."""
    items: Any = list[Any](line_items) if isinstance(line_items, list | tuple) else line_items
    return {"mode": mode, "line_items": items, "success_url": success_url, "cancel_url": cancel_url} | given(**more)


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}


def checked(model: type[Model], arguments: Mapping[str, Any]) -> Model:
    """The arguments as a model; raises `ValidationError` with the name of the first that is wrong."""
    try:
        return model.model_validate(_plain(arguments))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "arguments"
        raise ValidationError(f"{where}: {first['msg']}", field=where) from None


def read(model: type[Answer], body: Any) -> Answer | None:
    """The answer as its model; None when it is not what it should be."""
    try:
        return model.model_validate(body)
    except pydantic.ValidationError:
        return None


def segment(name: str, value: object) -> str:
    """One part of a path."""
    if not isinstance(value, str) or not value or value in (".", ".."):
        raise ValidationError(f"{name}: must be a text that is not empty", field=name)
    return quote(value, safe="")


def extension(environment: str) -> str:
    """Where the routes live that the published TypeScript SDK does not know."""
    return f"/api/paygres/{_known(environment)}"


def runtime(environment: str) -> str:
    """Where the routes of the published TypeScript SDK and command line live."""
    return f"/api/payments/stripe/{_known(environment)}"


def _known(environment: object) -> str:
    if environment not in ("test", "live"):
        raise ValidationError(f"environment: must be 'test' or 'live', not {environment!r}", field="environment")
    return str(environment)


def _body(request: Sent) -> dict[str, Any]:
    return request.model_dump(by_alias=True, exclude_none=True)


def _plain(value: Any) -> Any:
    """Models among dicts, as dicts: what a caller may mix."""
    if isinstance(value, Sent):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
