"""Signing secrets of outgoing webhooks and the signature they make, as the Standard Webhooks format has them."""

import base64
import hashlib
import hmac
import secrets as randomness
import uuid
from collections.abc import Sequence

_BYTES = 32
_PREFIX = "whsec_"


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(_BYTES)).decode()


def signature_headers(message_id: str, payload: bytes, secrets: Sequence[str], now: float) -> dict[str, str]:
    """webhook-id, -timestamp and -signature: one signature for each secret in force, so that a receiver may change."""
    seconds = int(now)
    signed = f"{message_id}.{seconds}.".encode() + payload
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{_mac(secret, signed)}" for secret in secrets),
    }


def secret_names(destination_id: uuid.UUID) -> tuple[str, str]:
    """Where a destination's secret is kept, and the one before it while that is still signed with."""
    name = f"DESTINATION_{destination_id}_SECRET"
    return name, f"{name}_PREVIOUS"


def _mac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
