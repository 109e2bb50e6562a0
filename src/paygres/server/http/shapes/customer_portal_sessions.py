"""Customer portal sessions as they are answered (contract 1.6)."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class CustomerPortalSession(TypedDict):
    """A visit to Stripe's customer portal; `url` works for a few minutes."""

    id: str
    environment: Environment
    status: Literal["initialized", "created", "failed"]
    subjectType: str
    subjectId: str
    customerId: str | None
    returnUrl: str | None
    configuration: str | None
    url: str | None
    lastError: str | None
    createdAt: str
    updatedAt: str


class CustomerPortalSessionAnswer(TypedDict):
    customerPortalSession: CustomerPortalSession
