"""Which browser pages may call: any origin in test, the allow-list in live (decision 25). Pure."""

from collections.abc import Sequence

Header = tuple[bytes, bytes]
_METHODS = b"GET,HEAD,PUT,PATCH,POST,DELETE"
_EXPOSED = b"Content-Range, Preference-Applied, X-Request-Id, Retry-After"
_TEST = ("/api/payments/stripe/test/", "/api/paygres/test/")
_LIVE = ("/api/payments/stripe/live/", "/api/paygres/live/")


def cors_headers(path: str, origin: bytes, allowed: Sequence[str]) -> list[Header]:
    """Headers for a request that carries `Origin`.

    Routes of the test environment reflect any origin, those of live only `allowed`
    (PAYGRES_RETURN_ORIGINS). Routes of neither follow the list when there is one.
    """
    vary = (b"vary", b"Origin")
    if not path.startswith("/api/"):
        return []
    if path.startswith(_LIVE) or (allowed and not path.startswith(_TEST)):
        listed = origin.decode("latin-1").lower() in allowed
    else:
        listed = True
    if not listed:
        return [vary]
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED),
        vary,
    ]


def preflight_headers(requested: bytes | None) -> list[Header]:
    """What OPTIONS answers beside `cors_headers`: the requested headers come back as allowed."""
    headers: list[Header] = [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", b"600")]
    if requested:
        headers.append((b"access-control-allow-headers", requested))
    headers.append((b"vary", b"Access-Control-Request-Headers"))
    return headers
