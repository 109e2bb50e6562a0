"""The query of the invariants route."""

from paygres.server.flows.requests.fields import Body
from paygres.server.flows.requests.lists import Flag


class InvariantsQuery(Body):
    """`now`: look anew, instead of telling what the last look found."""

    now: Flag = False
