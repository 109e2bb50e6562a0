"""Syncs of Stripe accounts, for admins: one answer at the end, or lines of progress on the way to it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.requests.syncs import SyncRequest
from paygres.server.flows.sync_environment import Progress, Wanted, sync_environment
from paygres.server.flows.sync_plan import NAMES
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.progress import STREAM, News, answer
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import syncs as shapes
from paygres.server.http.validation import ENVIRONMENTS, environment_of, parse

_CONTRACT = ("environment", "connection", "subscriptions")


async def sync_all(request: Request) -> Response:
    actor = await require_admin(request)
    return await _sync(request, ENVIRONMENTS, Wanted(requested_by=actor))


async def sync_one(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    return await _sync(request, (environment,), Wanted(requested_by=actor))


async def sync_some(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    asked = parse(SyncRequest, await read_fields(request))
    objects = tuple(name for name in NAMES if asked.only is None or name in asked.only)
    wanted = Wanted(objects, asked.confirm_missing, actor, request_id())
    return await _sync(request, (environment,), wanted, told=(*_CONTRACT, "sync"))


async def _sync(
    request: Request, environments: Sequence[str], wanted: Wanted, *, told: Sequence[str] = _CONTRACT
) -> Response:
    parts, news = parts_of(request), News()

    def note(progress: Progress) -> None:
        news.note(progress.environment, progress.name, told_of(progress))

    async def work() -> dict[str, Any]:
        syncs = (sync_environment(parts, one, wanted, on_progress=note) for one in environments)
        results = await asyncio.gather(*syncs, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return _body([result for result in results if isinstance(result, dict)], told)

    return await answer(request, parts, work(), news, name="sync")


def told_of(progress: Progress) -> dict[str, Any]:
    """What a client is told of a noun: objects and pages done."""
    return {
        "environment": progress.environment,
        "object": progress.name,
        "done": progress.done,
        "pages": progress.pages,
    }


def _body(results: Sequence[dict[str, Any]], told: Sequence[str]) -> dict[str, Any]:
    return {"results": [{name: result[name] for name in told} for result in results]}


_S = "/api/payments/stripe"
ROUTES = [
    Documented(
        "POST",
        f"{_S}/sync",
        sync_all,
        "Read both Stripe accounts anew; failures are inside the results",
        "admin",
        shapes.SyncAnswer,
        also=(STREAM,),
        errors=(401, 403, 503),
    ),
    Documented(
        "POST",
        f"{_S}/{{environment}}/sync",
        sync_one,
        "Read one Stripe account anew; a failure is inside the result",
        "admin",
        shapes.SyncAnswer,
        also=(STREAM,),
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "POST",
        "/api/paygres/{environment}/sync",
        sync_some,
        "Read some objects of one Stripe account anew, or confirm what is missing there",
        "admin",
        shapes.SyncSomeAnswer,
        body=SyncRequest,
        also=(STREAM,),
        errors=(400, 401, 403, 413, 503),
    ),
]
