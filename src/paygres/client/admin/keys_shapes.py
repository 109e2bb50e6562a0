"""Access keys, tokens, the audit log. Amounts are in minor units."""

from datetime import datetime
from typing import Any, Literal

from paygres.client.shapes import Environment, Told


class AccessKey(Told, frozen=True):
    """`fingerprint` begins the key's SHA-256; `anon_key` is the text of anonymous keys, which are public."""

    id: str
    kind: Literal["api", "anon"]
    fingerprint: str
    anon_key: str | None
    created_at: datetime
    expires_at: datetime | None
    expired: bool


class KeysAnswer(Told, frozen=True):
    """Keys."""

    keys: list[AccessKey]


class NewKeyAnswer(Told, frozen=True):
    """`value` is the key itself, this once."""

    key: AccessKey
    value: str


class KeyAnswer(Told, frozen=True):
    """Key."""

    key: AccessKey


class TokenAnswer(Told, frozen=True):
    """Token."""

    access_token: str
    expires_at: datetime
    sub: str
    role: Literal["authenticated", "anon"]


class AuditRecord(Told, frozen=True):
    """`action` is noun.verb; `target` the id it was done to."""

    id: str
    at: datetime
    actor: str
    action: str
    environment: Environment | None
    target: str | None
    reason: str | None
    details: dict[str, Any]
    request_id: str | None


class AuditAnswer(Told, frozen=True):
    """Audit."""

    records: list[AuditRecord]
    next_cursor: str | None


class Admin(Told, frozen=True):
    """Admin."""

    sub: str


class AdminAnswer(Told, frozen=True):
    """Admin."""

    admin: Admin


class EndedAnswer(Told, frozen=True):
    """How many sign-ins were ended."""

    ended: int


class AnonKeyAnswer(Told, frozen=True):
    """Anon key."""

    anon_key: str


class AnonTokenAnswer(Told, frozen=True):
    """Anon token."""

    access_token: str
