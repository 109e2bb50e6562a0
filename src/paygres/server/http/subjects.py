"""What a subject pays for and may use, for those who may see its billing."""

from starlette.requests import Request

from paygres.server.caller import Caller
from paygres.server.errors import InvalidRequest
from paygres.server.flows.read_subject import read_subject
from paygres.server.http.authenticate import network_of, runtime_caller
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import subjects as shapes
from paygres.server.http.validation import environment_of
from paygres.server.http.wire import Json

_LONGEST = {"type": 100, "id": 255}


async def read(request: Request) -> Json:
    """An API key reads as an admin."""
    caller = await runtime_caller(request)
    environment = environment_of(request.path_params)
    if caller is None:
        caller = Caller(role="project_admin", network=network_of(request))
    subject_type, subject_id = _part(request, "type"), _part(request, "id")
    found = await read_subject(parts_of(request), caller, environment, subject_type, subject_id)
    return Json({"subject": found})


def _part(request: Request, name: str) -> str:
    text: str = request.path_params[name]
    if not text.strip() or len(text) > _LONGEST[name] or "\x00" in text:
        raise InvalidRequest(f"{name}: String must contain 1 to {_LONGEST[name]} character(s) and no NUL")
    return text


ROUTES = [
    Documented(
        "GET",
        "/api/paygres/{environment}/subjects/{type}/{id}",
        read,
        "Subscriptions, access and next renewal of one subject",
        "runtime",
        shapes.SubjectAnswer,
        errors=(400, 401, 403, 503),
        extension=True,
    )
]
