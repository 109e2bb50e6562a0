"""Refresh tokens: `prt_` (users) or `pra_` (admins) with the sign-in they belong to; when they end; a secret of which
only a hash is stored. Each secret is made of the one before, so that whoever repeats a refresh gets the same one."""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Kind = Literal["user", "admin"]
LASTS = timedelta(days=7)
GRACE = timedelta(seconds=30)
"""How long a token still answers after it was replaced: two tabs, or an answer that never arrived."""
_PREFIX: dict[Kind, str] = {"user": "prt_", "admin": "pra_"}
_TEXT = re.compile(r"(prt_|pra_)([0-9a-f]{32})\.[A-Za-z0-9_-]{1,40}\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token. `sign_in` is the id of the chain it belongs to."""

    kind: Kind
    sign_in: uuid.UUID
    secret: bytes = field(repr=False)

    def text(self, ends: int) -> str:
        """What the client keeps. `ends` (unix s) is written as in a JWT, where clients look for it; nobody here reads
        it, what counts is in the database."""
        told = base64.urlsafe_b64encode(f'{{"exp":{ends}}}'.encode()).rstrip(b"=").decode()
        return f"{_PREFIX[self.kind]}{self.sign_in.hex}.{told}.{self.secret.hex()}"

    @property
    def hash(self) -> bytes:
        """What we keep. The secret is long and random, so a slow hash adds nothing."""
        return hashlib.sha256(self.secret).digest()


def read_refresh_token(text: str) -> RefreshToken | None:
    """None for anything that does not have its form."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    kind: Kind = "user" if found[1] == _PREFIX["user"] else "admin"
    return RefreshToken(kind, uuid.UUID(found[2]), bytes.fromhex(found[3]))


class RefreshTokens:
    """Makes them, and what goes with them; each purpose has a key of its own, derived from JWT_SECRET."""

    def __init__(self, jwt_secret: str) -> None:
        self._chain = _derive(jwt_secret, b"paygres/refresh/v1")
        self._csrf = _derive(jwt_secret, b"paygres/csrf/v1")
        self._sid = Cipher(AES(_derive(jwt_secret, b"paygres/sid/v1")), ECB())  # of exactly one block
        self._credential = _derive(jwt_secret, b"paygres/admin-credential/v1")

    def first(self, kind: Kind) -> RefreshToken:
        """The first token of a new sign-in."""
        return RefreshToken(kind, uuid.uuid4(), secrets.token_bytes(32))

    def after(self, token: RefreshToken, steps: int = 1) -> RefreshToken:
        """The token that replaces it, or the one `steps` later; the same for everybody who asks."""
        secret = token.secret
        for _ in range(steps):
            secret = hmac.digest(self._chain, token.sign_in.bytes + secret, "sha256")
        return RefreshToken(token.kind, token.sign_in, secret)

    def csrf(self, token: RefreshToken) -> str:
        """What a page must send beside the cookie: 64 hex digits, the same as long as the sign-in lasts."""
        text = f"{token.kind}:{token.sign_in.hex}"
        return hmac.new(self._csrf, text.encode(), "sha256").hexdigest()

    def sid(self, sign_in: uuid.UUID) -> str:
        """The sign-in's name in access tokens. Not its id: whoever reads one could otherwise make refresh tokens up
        that look replaced, and so end the sign-in long after the access token ran out."""
        return self._sid.encryptor().update(sign_in.bytes).hex()

    def sign_in_of(self, sid: str) -> uuid.UUID | None:
        """The sign-in of such a name."""
        if re.fullmatch(r"[0-9a-f]{32}", sid, re.ASCII) is None:
            return None
        return uuid.UUID(bytes=self._sid.decryptor().update(bytes.fromhex(sid)))

    def admin_credential(self, username: str, password: str) -> bytes:
        """Names the pair an admin signed in with: when the settings change, those sign-ins end."""
        text = f"{len(username)}:{username}:{password}"
        return hmac.digest(self._credential, text.encode(), "sha256")


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
