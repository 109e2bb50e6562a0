"""The id of the request that is being answered, for the records of who did what."""

import structlog


def request_id() -> str | None:
    """What edge.py gave the request and the log shows; None outside a request."""
    return structlog.contextvars.get_contextvars().get("request_id")
