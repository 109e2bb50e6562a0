"""The mirror made anew from the ledger, for admins: one answer at the end, or lines of progress on the way to it.

One at a time a server.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.errors import Unavailable
from paygres.server.flows.operator import Operator
from paygres.server.flows.rebuild_phases import Progress
from paygres.server.flows.rebuild_projections import Wanted, rebuild_projections
from paygres.server.flows.requests.rebuild import RebuildRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.progress import STREAM, News, answer
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import rebuild as shapes
from paygres.server.http.validation import environment_of, parse

TELL_SECONDS = 1.0


async def rebuild(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    asked = parse(RebuildRequest, await read_fields(request))
    parts = parts_of(request)
    if not hasattr(request.app.state, "rebuilding"):
        request.app.state.rebuilding = set[str]()
    busy: set[str] = request.app.state.rebuilding
    if environment in busy:
        raise Unavailable(f"A rebuild of {environment} is running; try again when it is done", retry_after=60)
    busy.add(environment)
    news = News()

    def note(progress: Progress) -> None:
        told = {"environment": progress.environment, "phase": progress.phase, "done": progress.done}
        news.note(progress.environment, progress.phase, told)

    async def work() -> dict[str, Any]:
        wanted = Wanted(asked.dry_run, asked.remove_extra)
        operator = Operator(actor, request_id(), asked.reason)
        try:
            return await rebuild_projections(parts.db, environment, parts.installation_id, wanted, operator, note)
        finally:
            busy.discard(environment)

    return await answer(request, parts, work(), news, name="rebuild", pause=TELL_SECONDS)


ROUTES = [
    Documented(
        "POST",
        "/api/paygres/{environment}/rebuild",
        rebuild,
        "The mirrored tables anew from the ledger; or tell which rows would differ",
        "admin",
        shapes.RebuildAnswer,
        body=RebuildRequest,
        also=(STREAM,),
        errors=(400, 401, 403, 413, 503),
    ),
]
