"""Who may use the control page: a browser that shows this very page. Another site's page in the same browser reaches
loopback too, also under a name of its own that it lets point here."""

from urllib.parse import urlsplit

from starlette.requests import Request

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def refusal(request: Request, listens_on: str) -> str | None:
    """Why the request is refused, None when it is not. `listens_on`: the address that the sandbox listens on."""
    host = request.headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    if listens_on in LOOPBACK and name not in LOOPBACK and not name.endswith(".localhost"):
        return f"The control page is for this machine; it does not answer to the name {name!r}."
    if request.method == "GET":
        return None
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return None if site in ("same-origin", "none") else "The control page does not take forms of other sites."
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "The control page does not take forms of other sites."
    return None
