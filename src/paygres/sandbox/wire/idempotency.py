"""Idempotency keys with Stripe's semantics: POST only, the first answer (a 500 too) is replayed for 24 hours,
other parameters are refused, and so is a second request while the first is still being answered."""

import hashlib
from dataclasses import dataclass

import orjson

from paygres.sandbox.store import Store
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.form import Form

KEPT_SECONDS = 24 * 3600
MAX_LENGTH = 255
DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Replay:
    status: int
    body: bytes
    request_id: str


class IdempotencyKeys:
    """The keys of all accounts. `begin` and `end` embrace the first request of a key."""

    def __init__(self, store: Store, now: float) -> None:
        """`now`, here and below: the sandbox's clock."""
        self._store = store
        self._in_flight: set[tuple[str, str]] = set()
        store.run("DELETE FROM idempotency WHERE created < ?", (int(now) - KEPT_SECONDS,))

    def begin(self, account: str, key: str, fingerprint: bytes, now: float) -> Replay | None:
        """The stored answer to replay, or None: then the key is in flight until `end`."""
        if len(key) > MAX_LENGTH:
            raise Refusal(
                f"Idempotency keys can have up to {MAX_LENGTH} characters, but you passed in a key that is "
                f"{len(key)} characters.",
                type="idempotency_error",
                stored=False,
            )
        if (account, key) in self._in_flight:
            raise Refusal(
                f"There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again later.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
                stored=False,
            )
        row = self._store.run(
            "SELECT fingerprint, status, body, request_id FROM idempotency WHERE account = ? AND key = ? "
            "AND created > ?",
            (account, key, int(now) - KEPT_SECONDS),
        ).fetchone()
        if row is None:
            self._in_flight.add((account, key))
            return None
        first_path, path = row[0][DIGEST_LENGTH:].decode(), fingerprint[DIGEST_LENGTH:].decode()
        if first_path != path:
            raise Refusal(
                f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{first_path}'). Try using a key other than '{key}' if you meant to execute a different "
                f"request.",
                type="idempotency_error",
                stored=False,
            )
        if row[0] != fingerprint:
            raise Refusal(
                f"Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                type="idempotency_error",
                stored=False,
            )
        return Replay(row[1], self._store.unpack(row[2]), row[3])

    def keep(self, account: str, key: str, fingerprint: bytes, now: float, operation: str, answer: Replay) -> None:
        """Remembers the answer; inside the transaction of the work it answers, where there is one."""
        packed = self._store.pack(f"answer {operation}", answer.body)
        self._store.run(
            "INSERT OR REPLACE INTO idempotency (account, key, fingerprint, created, status, body, request_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (account, key, fingerprint, int(now), answer.status, packed, answer.request_id),
        )

    def end(self, account: str, key: str) -> None:
        self._in_flight.discard((account, key))


def fingerprint(path: str, form: Form) -> bytes:
    """What two requests of one key must have in common: a digest of the parameters, then the path as it is."""
    return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).digest() + path.encode()
