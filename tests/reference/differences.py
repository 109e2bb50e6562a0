"""The records we answer otherwise on purpose. A test fails when a difference listed here does not occur any more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meant:
    """What differs, as `comparison.differences` words it, and the line of the contract or the decision behind it."""

    lines: tuple[str, ...]
    because: str


def _prefix(environment: str) -> Meant:
    start = f"STRIPE_{environment.upper()}_SECRET_KEY must start with"
    return Meant(
        (f"message {start} sk_{environment}_ -> {start} sk_{environment}_ or rk_{environment}_",),
        "0.2: restricted keys rk_… are accepted, so the message names both",
    )


_NO_FAILURE = "F60: an environment without a key is not a failed sync"
_PARKED = (
    "decision 5: an object without fields that Stripe always sends is parked with a reason, never written as NULLs;"
    " these payloads of the recording's stand-in have no {}"
)

ON_PURPOSE = {
    "C01": Meant(
        tuple(f"results.{number}.connection.lastSyncStatus: failed -> None" for number in (0, 1)), _NO_FAILURE
    ),
    "C02": Meant(("results.0.connection.lastSyncStatus: failed -> None",), _NO_FAILURE),
    "D01": _prefix("test"),
    "D02": _prefix("test"),
    "D03": _prefix("live"),
    "D14": _prefix("test"),
    "J11": Meant(("event.processingStatus: ignored -> pending",), _PARKED.format("status")),
    "J12": Meant(("handled: True -> False", "event.processingStatus: processed -> pending"), _PARKED.format("status")),
    "J19": Meant(
        ("handled: True -> False", "event.processingStatus: processed -> pending"), _PARKED.format("currency")
    ),
    "J21": Meant(
        ("status 500 -> 200",),
        "0.2, acknowledgement: 200 once stored; what is unknown is read from Stripe afterwards (decision 6)",
    ),
    "J22": Meant(
        ("handled: True -> False", "event.attemptCount: 2 -> 1"),
        "0.2, acknowledgement: J21 was stored and applied, so this delivery is a duplicate",
    ),
    "L02": Meant(("results.1.connection.lastSyncStatus: failed -> None",), _NO_FAILURE),
    "L06": Meant(("connections.1.lastSyncStatus: failed -> None",), _NO_FAILURE),
    "L07": Meant(
        (
            "results.0.connection.status: connected -> error",
            "results.0.connection.lastSyncStatus: succeeded -> failed",
            "results.0.subscriptions: object -> null",
        ),
        "F60: a failed sync must not look like a success",
    ),
}
