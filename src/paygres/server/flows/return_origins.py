"""Where buyers may be sent back to (contract F44); in live mode the list is required at start-up."""

from urllib.parse import urlsplit

from paygres.server.errors import InvalidRequest
from paygres.server.flows.parts import Parts


def check_return_urls(parts: Parts, environment: str, urls: dict[str, str | None]) -> None:
    """`urls` by the name of their field. Raises InvalidRequest for an origin outside PAYGRES_RETURN_ORIGINS."""
    if environment != "live":
        return
    for name, url in urls.items():
        if url is None:
            continue
        split = urlsplit(url)
        if f"{split.scheme}://{split.netloc}" not in parts.return_origins:
            raise InvalidRequest(
                f"{name}: origin is not allowed",
                next_actions="Add the origin (scheme://host[:port]) to PAYGRES_RETURN_ORIGINS.",
            )
