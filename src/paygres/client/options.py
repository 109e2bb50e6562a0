"""What a client is made with: address, keys, time limits, retries; and whose token a request carries."""

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from paygres.client.errors import RETRYABLE, ValidationError

DEFAULT_URL = "http://localhost:7130"
API_KEY_PREFIX = "ik_"
JITTER = 0.15

Token = str | Callable[[], str | None] | None


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and after how many seconds, what failed is sent again: 0.5, 1 and 2, each 15 % more or less."""

    most: int = 3
    delay: float = 0.5

    def pause(self, attempt: int) -> float:
        """Seconds before the attempt after the `attempt`-th (from 1)."""
        return self.delay * float(2 ** (attempt - 1)) * random.uniform(1 - JITTER, 1 + JITTER)

    def again(self, attempt: int, idempotent: bool, status: int | None) -> bool:
        """Whether to try once more. `status` None: no answer. A timeout never comes here."""
        return attempt <= self.most and idempotent and (status is None or status in RETRYABLE)


@dataclass(frozen=True, slots=True)
class Options:
    """Of one client; clones that carry another token share the rest. No repr shows a key or a token."""

    base_url: str
    anon_key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    retries: Retries

    def bearer(self, token: Token) -> str | None:
        """What the request is sent as: the user's token, else the anon key. Raises for an API key: runtime routes
        refuse it, and it must not travel where a user belongs."""
        value = token() if callable(token) else token
        return not_an_api_key("access_token", value) or self.anon_key


def options(
    base_url: str | None, anon_key: str | None, headers: Mapping[str, str] | None, max_retries: Any, retry_delay: Any
) -> Options:
    """With what is missing from the environment: INSFORGE_URL, INSFORGE_ANON_KEY."""
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise ValidationError("max_retries: must be 0 or more", field="max_retries")
    if not isinstance(retry_delay, int | float) or retry_delay < 0:
        raise ValidationError("retry_delay: must be 0 or more seconds", field="retry_delay")
    key = anon_key if anon_key is not None else os.environ.get("INSFORGE_ANON_KEY")
    return Options(
        address(base_url),
        not_an_api_key("anon_key", key),
        _harmless(headers or {}),
        Retries(max_retries, float(retry_delay)),
    )


def address(base_url: str | None) -> str:
    """The server's origin, without a slash at its end; from INSFORGE_URL when missing, else http://localhost:7130."""
    url = base_url if base_url is not None else os.environ.get("INSFORGE_URL") or DEFAULT_URL
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        raise ValidationError("base_url: is no URL", field="base_url") from None
    if not valid:
        raise ValidationError("base_url: must begin with http:// or https:// and name a host", field="base_url")
    if parts.username or parts.password:
        raise ValidationError("base_url: must not carry a user or a password", field="base_url")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValidationError(
            "base_url: must be an origin such as https://pay.example.com, without a path", field="base_url"
        )
    return f"{parts.scheme}://{parts.netloc}"


def not_an_api_key(name: str, value: Any) -> str | None:
    """The value, None when it is empty."""
    if value is not None and not isinstance(value, str):
        raise ValidationError(f"{name}: must be a text", field=name)
    if value and value.strip().startswith(API_KEY_PREFIX):
        raise ValidationError(
            f"{name}: this is an API key, which checkouts and portals refuse; it belongs to create_admin_client",
            field=name,
        )
    if value and not (value.isascii() and value.isprintable()):
        raise ValidationError(f"{name}: has characters that no header can carry", field=name)
    return value or None


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if name.lower() == "x-api-key" or API_KEY_PREFIX in value:
            raise ValidationError("headers: an API key belongs to create_admin_client", field="headers")
    return dict(headers)
