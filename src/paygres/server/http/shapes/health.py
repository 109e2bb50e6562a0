"""Health and published keys as they are answered."""

from typing import Literal

from typing_extensions import TypedDict


class HealthAnswer(TypedDict):
    status: Literal["ok"]
    version: str
    service: str
    timestamp: str


class LiveAnswer(TypedDict):
    status: Literal["ok"]


class Check(TypedDict):
    ok: bool
    state: str


class ReadyAnswer(TypedDict):
    """503 with the same shape while a check fails."""

    status: Literal["ready", "not ready"]
    checks: dict[str, Check]


class JwksAnswer(TypedDict):
    keys: list[dict[str, str]]
