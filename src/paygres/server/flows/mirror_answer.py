"""Mirror Stripe's answer to a write of ours, so that the row shows it at once (decision record 0018)."""

from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.answer import Answer
from paygres.server.tables import writes
from paygres.server.tables.writes import KnownObject


async def mirror_answer(parts: Parts, connection: Connection, before: KnownObject | None, answer: Answer) -> None:
    """Apply the answer. `before`: the object as it was known before the write was sent, None for a new one.

    Plain reads lose ties within a second; what we had heard before we sent is older than the answer all the same.
    """
    as_of, told = answer.as_of, answer.object
    if before is not None:
        if told.get("deleted") is True:  # {id, deleted} knows nothing else, and the row keeps what was known
            told = {**before.raw, "deleted": True}
        as_of = max(as_of, _second(before) + 1)
    await apply_reads(parts.db, connection, [told], as_of)
    if as_of > answer.as_of:  # somebody else's change of that same second may now look older than it is
        kind, ident = str(answer.object["object"]), str(answer.object["id"])
        await writes.read_again(parts.db, connection.environment, kind, ident, as_of + 2)


def _second(known: KnownObject) -> int:
    """The latest second in which the object is known to have changed."""
    stamps = (known.raw.get("created"), known.raw.get("updated"))
    return max(known.as_of, *(stamp for stamp in stamps if isinstance(stamp, int)), 0)
