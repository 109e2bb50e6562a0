"""The running application's parts, from a request."""

from starlette.requests import Request

from paygres.server.flows.parts import GuestLimits, Parts

__all__ = ["GuestLimits", "Parts", "parts_of"]


def parts_of(request: Request) -> Parts:
    """The parts of the running application."""
    return request.app.state.parts
