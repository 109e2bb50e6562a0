"""Our own key pair, with which access tokens are signed (RS256) and everybody may verify them (JWKS)."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

ALGORITHM = "RS256"
_BITS = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`kid` is made of the public key, so the same pair has the same name everywhere."""

    kid: str
    public: jwt.PyJWK = field(repr=False)
    public_pem: str = field(repr=False)
    jwk: dict[str, str] = field(repr=False)
    _private: RSAPrivateKey = field(repr=False)

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a token."""
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.kid})


def new_private_key() -> str:
    """A fresh RSA-2048 key as PEM; it takes some tens of milliseconds, so not on the event loop."""
    made = generate_private_key(public_exponent=65537, key_size=_BITS)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signing_key(private_pem: str) -> SigningKey:
    """The pair of a private key; raises ValueError (without its text) when it is no RSA key of 2048 bits or more."""
    try:
        private = load_pem_private_key(private_pem.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("the stored signing key is no private key") from None
    if not isinstance(private, RSAPrivateKey) or private.key_size < _BITS:
        raise ValueError("the stored signing key is no RSA key of 2048 bits")
    public = private.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kid = f"kid_{hashlib.sha256(der).hexdigest()[:32]}"
    jwk = _jwk(public, kid)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SigningKey(kid, jwt.PyJWK.from_dict(jwk, ALGORITHM), pem, jwk, private)


class OwnKey:
    """The key of this installation, loaded when first needed. None: it is stored and cannot be read, so that tokens are
    signed with JWT_SECRET."""

    def __init__(self, load: Callable[[], Awaitable[SigningKey | None]]) -> None:
        self._load = load
        self._loaded = False
        self._key: SigningKey | None = None
        self._loading = asyncio.Lock()

    async def get(self) -> SigningKey | None:
        """Raises what loading raises; the next call then tries again."""
        if not self._loaded:
            async with self._loading:
                if not self._loaded:
                    self._key = await self._load()
                    self._loaded = True
        return self._key


def _jwk(public: RSAPublicKey, kid: str) -> dict[str, str]:
    numbers = public.public_numbers()
    return {
        "kty": "RSA",
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
        "alg": ALGORITHM,
        "use": "sig",
        "kid": kid,
    }


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
