"""Webhook events as they are answered (contract 1.6); times are ISO-8601 UTC."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class WebhookEvent(TypedDict):
    """One event as the ledger has it."""

    environment: Environment
    eventId: str
    eventType: str
    livemode: bool
    accountId: str | None
    objectType: str | None
    objectId: str | None
    processingStatus: Literal["pending", "processed", "failed", "ignored"]
    attemptCount: int
    lastError: str | None
    receivedAt: str
    processedAt: str | None
    createdAt: str
    updatedAt: str


class WebhookAnswer(TypedDict):
    received: Literal[True]
    handled: bool
    event: WebhookEvent
