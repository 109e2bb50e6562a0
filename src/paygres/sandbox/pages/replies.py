"""What all pages share: the form that was posted, the answer that is a page, the redirect after a form, and the
headers that lock a page down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from paygres.sandbox.pages.templates import render

MAX_FORM = 20_000
SECURITY = {
    # Redirects after the form's POST lead to the shop, wherever it is.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the form, and which field says so."""

    message: str
    field: str | None = None


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a posted form, None when it is too long or no form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            return None
    try:
        parsed = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        return None
    return {name: values[-1] for name, values in parsed.items()}


def as_page(template: str, status: int, *, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
    page = render(template, **values)
    return HTMLResponse(page, status_code=status, headers={**SECURITY, **(headers or {})})


def see_other(url: str) -> Response:
    """After a form: the next page, which a reload does not post again."""
    return RedirectResponse(url, status_code=303, headers=SECURITY)
