"""An admin at work: who asks, in which request, for the record of who did what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """`actor` is a token's subject, or `api-key`."""

    actor: str
    request_id: str | None
