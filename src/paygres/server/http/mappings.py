"""Which customer is whose, and what needs an operator's attention."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.errors import NotFound
from paygres.server.flows.operator import Operator
from paygres.server.flows.operator_mappings import (
    dismiss_notice,
    list_attention,
    list_mappings,
    set_mapping,
    unset_mapping,
)
from paygres.server.flows.requests.mappings import (
    AttentionQuery,
    MappingsQuery,
    SetMappingRequest,
    UnsetMappingQuery,
)
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import operator_actions as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

_MAPPINGS = ("subjectType", "subjectId", "customerId", "customerEmail", "setBy", "evidence", "createdAt")
_NOTICES = (
    "id",
    "reason",
    "objectType",
    "objectId",
    "subjectType",
    "subjectId",
    "message",
    "details",
    "openedAt",
    "closedAt",
)


async def list_all(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(MappingsQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_mappings(parts_of(request), environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="mappings", columns=_MAPPINGS)


async def put(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(SetMappingRequest, await read_fields(request))
    subject = (wanted.subject.type, wanted.subject.id)
    operator = Operator(actor, request_id(), wanted.note)
    await set_mapping(parts_of(request), environment, subject, wanted.customer_id, operator)
    return Json(_named(subject, wanted.customer_id))


async def delete(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(UnsetMappingQuery, request)
    subject = (query.subject_type, query.subject_id)
    parts = parts_of(request)
    await unset_mapping(parts, environment, subject, Operator(actor, request_id()))
    only = MappingsQuery(subjectType=subject[0], subjectId=subject[1])  # type: ignore[call-arg]
    left = await list_mappings(parts, environment, only, None, 1)
    return Json(_named(subject, left.rows[0]["customerId"] if left.rows else None))


async def attention(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(AttentionQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_attention(parts_of(request), environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="attention", columns=_NOTICES)


async def dismiss(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted: str = request.path_params["id"]
    try:
        notice_id = uuid.UUID(wanted)
    except ValueError:
        raise NotFound("No such open notice", code="PAYMENT_NOT_FOUND") from None
    await dismiss_notice(parts_of(request), environment, notice_id, Operator(actor, request_id()))
    return Json({"id": str(notice_id), "dismissed": True})


def _named(subject: tuple[str, str], customer_id: str | None) -> dict[str, Any]:
    return {"mapping": {"subjectType": subject[0], "subjectId": subject[1], "customerId": customer_id}}


_M = "/api/paygres/{environment}/mappings"
_A = "/api/paygres/{environment}/attention"
_ERRORS = (400, 401, 403, 404, 503)
_CSV = ("text/csv",)
ROUTES = [
    Documented(
        "GET",
        _M,
        list_all,
        "Which customer is whose",
        "admin",
        shapes.MappingsAnswer,
        query=MappingsQuery,
        also=_CSV,
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "PUT",
        _M,
        put,
        "Say which customer is a subject's own",
        "admin",
        shapes.MappingAnswer,
        body=SetMappingRequest,
        errors=(*_ERRORS, 413),
    ),
    Documented(
        "DELETE",
        _M,
        delete,
        "Withdraw that; what was paid decides again",
        "admin",
        shapes.MappingAnswer,
        query=UnsetMappingQuery,
        errors=_ERRORS,
    ),
    Documented(
        "GET",
        _A,
        attention,
        "What an operator should look at",
        "admin",
        shapes.AttentionAnswer,
        query=AttentionQuery,
        also=_CSV,
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "POST",
        f"{_A}/{{id}}/dismiss",
        dismiss,
        "Close a notice by hand",
        "admin",
        shapes.DismissedAnswer,
        errors=_ERRORS,
    ),
]
