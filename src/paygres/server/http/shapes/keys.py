"""Access keys, tokens and the audit log as they are answered; times are ISO-8601 UTC."""

from typing import Any, Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class AccessKey(TypedDict):
    """`fingerprint` begins the key's SHA-256; `anonKey` is the text of anonymous keys, which are public."""

    id: str
    kind: Literal["api", "anon"]
    fingerprint: str
    anonKey: str | None
    createdAt: str
    expiresAt: str | None
    expired: bool


class KeysAnswer(TypedDict):
    keys: list[AccessKey]


class NewKeyAnswer(TypedDict):
    """`value` is the key itself, this once."""

    key: AccessKey
    value: str


class KeyAnswer(TypedDict):
    key: AccessKey


class TokenAnswer(TypedDict):
    accessToken: str
    expiresAt: str
    sub: str
    role: Literal["authenticated", "anon"]


class AuditRecord(TypedDict):
    """`action` is noun.verb; `target` the id it was done to."""

    id: str
    at: str
    actor: str
    action: str
    environment: Environment | None
    target: str | None
    reason: str | None
    details: dict[str, Any]
    requestId: str | None


class AuditAnswer(TypedDict):
    records: list[AuditRecord]
    nextCursor: str | None
