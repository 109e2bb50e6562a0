"""Bodies about access keys and tokens."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, JsonValue

from paygres.server.flows.requests import fields
from paygres.server.flows.requests.fields import Body, CrossField, Length, Trimmed, between, whole, wrong

MOST_HOURS = 87_600  # ten years
LONGEST_GRACE_HOURS = 720


def _subject(text: str) -> str:
    """As verified tokens have it: storable, and short enough for a unique index."""
    if "\x00" in text or len(text.encode("utf-8", "surrogatepass")) > 512:
        raise wrong("Expected at most 512 bytes without the NUL character")
    return text


def _at_least_none(value: int) -> int:
    if value < 0:
        raise wrong("Number must be greater than or equal to 0")
    if value > LONGEST_GRACE_HOURS:
        raise wrong(f"Number must be less than or equal to {LONGEST_GRACE_HOURS}")
    return value


class KeyRequest(Body):
    """A new key. `rotate` lets the earlier keys of its kind run out after `graceHours` (24 for API keys, 168 for
    anonymous ones); `expiresInHours` is about the new one, which otherwise holds until it is revoked."""

    kind: Literal["api", "anon"] = "api"
    expires_in_hours: Annotated[int, BeforeValidator(whole), between(0, MOST_HOURS)] | None = None
    rotate: bool = False
    grace_hours: Annotated[int, BeforeValidator(whole), AfterValidator(_at_least_none)] | None = None

    @classmethod
    def between_fields(cls, body: Mapping[str, JsonValue]) -> list[CrossField]:
        if body.get("graceHours") is not None and body.get("rotate") is not True:
            return [("graceHours", "Only a rotation has a grace period; send rotate: true")]
        return []


class TokenRequest(Body):
    """An access token for tests and operators. `force` signs one although only live is connected."""

    sub: Annotated[Trimmed, Length(1, 512), AfterValidator(_subject)]
    role: Literal["authenticated", "anon"] = "authenticated"
    email: Annotated[Trimmed, AfterValidator(fields.email)] | None = None
    ttl_seconds: Annotated[int, BeforeValidator(whole), between(0, 86_400)] = 3600
    force: bool = False
