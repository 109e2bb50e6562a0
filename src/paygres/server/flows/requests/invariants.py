"""The query of the invariants route."""

from typing import Literal

from paygres.server.flows.requests.fields import Body


class InvariantsQuery(Body):
    """`now`: look anew, instead of telling what the last look found."""

    now: Literal["true", "false"] = "false"
