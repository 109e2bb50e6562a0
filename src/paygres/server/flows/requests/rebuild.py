"""The body of a rebuild."""

from paygres.server.flows.requests.events import Reason
from paygres.server.flows.requests.fields import Body


class RebuildRequest(Body):
    """`dryRun` tells which rows would differ and changes nothing. `removeExtra` also removes rows about objects the
    ledger has never heard of."""

    dry_run: bool = False
    remove_extra: bool = False
    reason: Reason | None = None
