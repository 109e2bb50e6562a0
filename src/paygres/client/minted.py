"""A short-lived user token, for apps that sign their users in themselves and hold the server's JWT_SECRET."""

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from paygres.client.errors import ValidationError

OURS = frozenset({"sub", "email", "role", "iat", "exp"})


def user_token(
    sub: Any, *, email: str | None, claims: Mapping[str, object] | None, ttl: Any, jwt_secret: str | None
) -> str:
    """HS256, role `authenticated`, valid for `ttl` seconds. `claims` may add others, not replace those of OURS."""
    secret = jwt_secret or os.environ.get("JWT_SECRET")
    if not secret:
        raise ValidationError("jwt_secret: missing; give it, or set JWT_SECRET to the server's", field="jwt_secret")
    if not isinstance(sub, str) or not sub:
        raise ValidationError("sub: must be the user's id, a text that is not empty", field="sub")
    if isinstance(ttl, bool) or not isinstance(ttl, int) or ttl <= 0:
        raise ValidationError("ttl: must be a number of seconds above 0", field="ttl")
    if taken := OURS & set(claims or ()):
        raise ValidationError(f"claims: {sorted(taken)[0]} is set by this call", field="claims")
    now = int(time.time())
    told: dict[str, Any] = {**(claims or {}), "sub": sub, "role": "authenticated", "iat": now, "exp": now + ttl}
    if email is not None:
        told["email"] = email
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(told)}"
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_text(signature)}"


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
