"""What operators do about money: refunds, subscriptions ended, resumed and changed, with a preview before."""

from starlette.requests import Request

from paygres.server.errors import InvalidRequest
from paygres.server.flows.change_subscription import (
    cancel_subscription,
    change_subscription,
    preview_change,
    resume_subscription,
)
from paygres.server.flows.operator import Operator
from paygres.server.flows.refund_payment import refund_payment
from paygres.server.flows.requests.operator_actions import (
    CancelRequest,
    ChangeRequest,
    OperatorBody,
    RefundRequest,
    ResumeRequest,
)
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import operator_actions as shapes
from paygres.server.http.validation import environment_of, parse
from paygres.server.http.wire import Json

_LONGEST_ID = 255


async def refund(request: Request) -> Json:
    actor = await require_admin(request)
    environment, payment = environment_of(request.path_params), _id(request)
    wanted = parse(RefundRequest, await read_fields(request))
    made = await refund_payment(parts_of(request), environment, payment, wanted, _operator(actor, wanted))
    return Json({"refund": made}, 201)


async def cancel(request: Request) -> Json:
    actor = await require_admin(request)
    environment, subscription = environment_of(request.path_params), _id(request)
    wanted = parse(CancelRequest, await read_fields(request))
    changed = await cancel_subscription(parts_of(request), environment, subscription, wanted, _operator(actor, wanted))
    return Json({"subscription": changed})


async def resume(request: Request) -> Json:
    actor = await require_admin(request)
    environment, subscription = environment_of(request.path_params), _id(request)
    wanted = parse(ResumeRequest, await read_fields(request))
    changed = await resume_subscription(parts_of(request), environment, subscription, wanted, _operator(actor, wanted))
    return Json({"subscription": changed})


async def change(request: Request) -> Json:
    actor = await require_admin(request)
    environment, subscription = environment_of(request.path_params), _id(request)
    wanted = parse(ChangeRequest, await read_fields(request))
    changed = await change_subscription(parts_of(request), environment, subscription, wanted, _operator(actor, wanted))
    return Json({"subscription": changed})


async def preview(request: Request) -> Json:
    await require_admin(request)
    environment, subscription = environment_of(request.path_params), _id(request)
    wanted = parse(ChangeRequest, await read_fields(request))
    return Json({"preview": await preview_change(parts_of(request), environment, subscription, wanted)})


def _operator(actor: str, body: OperatorBody) -> Operator:
    return Operator(actor, request_id(), body.note, body.idempotency_key)


def _id(request: Request) -> str:
    text: str = request.path_params["id"].strip()
    if not text or len(text) > _LONGEST_ID or "\x00" in text:
        raise InvalidRequest(f"id: String must contain 1 to {_LONGEST_ID} character(s) and no NUL")
    return text


_P = "/api/paygres/{environment}/payments/{id}"
_S = "/api/paygres/{environment}/subscriptions/{id}"
_ERRORS = (400, 401, 402, 403, 404, 409, 413, 429, 502, 503)
ROUTES = [
    Documented(
        "POST",
        f"{_P}/refunds",
        refund,
        "Refund a payment, wholly or in part",
        "admin",
        shapes.RefundAnswer,
        status=201,
        body=RefundRequest,
        errors=_ERRORS,
    ),
    Documented(
        "POST",
        f"{_S}/cancel",
        cancel,
        "End a subscription at its period's end or now",
        "admin",
        shapes.ChangedSubscriptionAnswer,
        body=CancelRequest,
        errors=_ERRORS,
    ),
    Documented(
        "POST",
        f"{_S}/resume",
        resume,
        "Undo a cancellation that is still to come, or go on after a pause",
        "admin",
        shapes.ChangedSubscriptionAnswer,
        body=ResumeRequest,
        errors=_ERRORS,
    ),
    Documented(
        "POST",
        f"{_S}/change",
        change,
        "Change prices and quantities of a subscription",
        "admin",
        shapes.ChangedSubscriptionAnswer,
        body=ChangeRequest,
        errors=_ERRORS,
    ),
    Documented(
        "POST",
        f"{_S}/preview",
        preview,
        "What such a change would cost; nothing is done",
        "admin",
        shapes.PreviewAnswer,
        body=ChangeRequest,
        errors=_ERRORS,
    ),
]
