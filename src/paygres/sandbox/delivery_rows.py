"""The deliveries as rows of the state: which are due, how a try ended, what begins again or is tried no more."""

from dataclasses import dataclass

from paygres.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come, after so many tries."""

    seq: int
    event: str
    tries: int


class DeliveryRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, endpoint: str, now: float, limit: int) -> list[Due]:
        # First tries are due when their event was recorded, so this is the recorded order, and the index's.
        rows = self._store.run(
            "SELECT seq, event, attempts FROM deliveries WHERE state = 'pending' AND endpoint = ? AND due <= ? "
            "ORDER BY due, seq LIMIT ?",
            (endpoint, now, limit),
        ).fetchall()
        return [Due(*row) for row in rows]

    def next_time(self, endpoint: str, now: float) -> float | None:
        """When the next delivery to the endpoint is due that is not due yet."""
        [earliest] = self._store.run(
            "SELECT min(due) FROM deliveries WHERE state = 'pending' AND endpoint = ? AND due > ?", (endpoint, now)
        ).fetchone()
        return earliest

    def put_off(self, seq: int, until: float) -> None:
        self._store.run("UPDATE deliveries SET due = ? WHERE seq = ? AND state = 'pending'", (until, seq))

    def record(self, seq: int, state: str, due: float, status: int | None, error: str | None, now: float) -> None:
        """How a try ended. A row that was finished meanwhile (its endpoint deleted or disabled) stays finished."""
        self._store.run(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, due = ?, last_status = ?, last_error = ?, "
            "last_tried = ? WHERE seq = ? AND state = 'pending'",
            (state, due, status, error, now, seq),
        )

    def is_untried(self, event: str) -> bool:
        """Whether some endpoint has not answered the event's first try yet."""
        return bool(
            self._store.run(
                "SELECT 1 FROM deliveries WHERE event = ? AND state = 'pending' AND attempts = 0 LIMIT 1", (event,)
            ).fetchone()
        )

    def begin_again(self, event: str, endpoint: str | None, now: float) -> int:
        rows = self._store.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, due = ? "
            "WHERE event = ? AND endpoint = coalesce(?, endpoint) RETURNING seq",
            (now, event, endpoint),
        ).fetchall()
        return len(rows)

    def begin_failed_again(self, now: float) -> int:
        rows = self._store.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, due = ? WHERE state = 'failed' RETURNING seq",
            (now,),
        ).fetchall()
        return len(rows)

    def end(self, endpoint: str, why: str) -> None:
        """Stripe stops retrying what a deleted or disabled endpoint has not answered."""
        self._store.run(
            "UPDATE deliveries SET state = 'failed', last_error = ? WHERE endpoint = ? AND state = 'pending'",
            (why, endpoint),
        )
