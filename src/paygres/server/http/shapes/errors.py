"""The one shape of every error."""

from typing import (
    NotRequired,  # pydantic needs this one before Python 3.12
)

from typing_extensions import TypedDict


class Error(TypedDict):
    """Every error, whatever its status."""

    error: str
    message: str
    statusCode: int
    nextActions: NotRequired[str]
    requestId: str
