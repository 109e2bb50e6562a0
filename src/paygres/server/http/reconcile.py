"""Comparisons of the mirror with Stripe, for admins: start one, with progress on the way, and read what it found."""

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.operator import Operator
from paygres.server.flows.reconcile import Asked, reconcile
from paygres.server.flows.reconcile_report import read_report
from paygres.server.flows.requests.reconcile import ReconcileQuery, ReconcileRequest
from paygres.server.flows.sync_pages import Progress
from paygres.server.flows.sync_plan import NAMES
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.progress import STREAM, News, answer
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import reconcile as shapes
from paygres.server.http.sync import told_of
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json


async def newest(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(ReconcileQuery, request)
    return Json(await read_report(parts_of(request).db, environment, query))


async def start(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    body = parse(ReconcileRequest, await read_fields(request))
    asked = Asked(
        body.fix,
        body.confirm,
        tuple(name for name in NAMES if body.only is None or name in body.only),
        None if body.since is None else int(body.since.timestamp()),
    )
    parts, news = parts_of(request), News()

    def note(progress: Progress) -> None:
        news.note(progress.environment, progress.name, told_of(progress))

    operator = Operator(actor, request_id(), body.reason)
    work = reconcile(parts, environment, asked, operator, on_progress=note)
    return await answer(request, parts, work, news, name="comparison")


_PATH = "/api/paygres/{environment}/reconcile"
ROUTES = [
    Documented(
        "GET",
        _PATH,
        newest,
        "What the newest comparison with Stripe found",
        "admin",
        shapes.ReconcileAnswer,
        query=ReconcileQuery,
        errors=(400, 401, 403, 404, 503),
    ),
    Documented(
        "POST",
        _PATH,
        start,
        "Compare the mirror with Stripe row by row, and repair it when asked to",
        "admin",
        shapes.ReconcileAnswer,
        body=ReconcileRequest,
        also=(STREAM,),
        errors=(400, 401, 403, 413, 503),
    ),
]
