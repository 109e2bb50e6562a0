"""What each exit code means; docs/cli.md has the same table. 0 to 5 are the reference's own."""

OK = 0
GENERAL = 1
AUTHENTICATION = 2
NOT_LINKED = 3
NOT_FOUND = 4
PERMISSION = 5
CONFIRMATION = 6
CONFLICT = 7
REJECTED = 8
STRIPE = 9
PROBLEMS = 10
UNREACHABLE = 12
USAGE = 64
TEMPORARY = 75
INTERRUPTED = 130

_BY_STATUS = {
    400: REJECTED,
    401: AUTHENTICATION,
    402: STRIPE,
    403: PERMISSION,
    404: NOT_FOUND,
    409: CONFLICT,
    413: REJECTED,
    422: REJECTED,
    429: TEMPORARY,
    502: STRIPE,
    503: TEMPORARY,
}
_STRIPES = ("UPSTREAM_FAILURE", "PAYMENT_METHOD_DECLINED")


def for_answer(status: int, code: str | None) -> int:
    """The exit code for an HTTP error; `code` is the body's `error`, None when the body was not ours."""
    found = _BY_STATUS.get(status, GENERAL)
    if found == TEMPORARY:
        return TEMPORARY
    if code in _STRIPES:
        return STRIPE
    if code is None and status in (502, 504):
        return UNREACHABLE  # a proxy answered in the server's place
    return found
