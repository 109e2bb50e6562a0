"""Messages that a Paygres server sends to programs of yours (outgoing webhooks): verified, then read."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import pydantic

from paygres.client.admin.fulfillments_shapes import Fulfillment
from paygres.client.errors import PaygresError
from paygres.client.shapes import Environment, Told

PREFIX = "whsec_"
TOLERANCE = 300.0


class SignatureError(PaygresError):
    """A message that is not from the server that has the secret, or too old. Answer it 400."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status_code=400, error="INVALID_SIGNATURE")


class FulfillmentMessage(Told, frozen=True):
    """What happened to a fulfillment. `id` is the same each time the message comes: do nothing the second time."""

    id: str
    type: Literal["fulfillment.granted", "fulfillment.reversed", "fulfillment.restored", "fulfillment.quarantined"]
    created_at: datetime
    environment: Environment
    fulfillment: Fulfillment


def verify_message(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance: float = TOLERANCE
) -> FulfillmentMessage:
    """The message, when it was signed with `secret` (`whsec_…`) at most `tolerance` seconds ago.

    `headers` in any case, `body` as it came. Raises SignatureError.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        ident, moment, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise SignatureError(f"The header {missing.args[0]} is missing") from None
    if not moment.isdecimal() or abs(time.time() - int(moment)) > tolerance:
        raise SignatureError("The message is too old, or this machine's clock is wrong")
    mac = hmac.new(_key(secret), f"{ident}.{moment}.".encode() + body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(mac).decode()}"
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split(" ")):
        raise SignatureError("No signature of the message fits the secret")
    try:
        return FulfillmentMessage.model_validate(json.loads(body))
    except (ValueError, pydantic.ValidationError):
        raise SignatureError("The message is signed, and none that this version reads") from None


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not key:
        raise SignatureError(f"The secret is none: it must be the {PREFIX}… of the destination")
    return key
