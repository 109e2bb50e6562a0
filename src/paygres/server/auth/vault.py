"""Secrets at rest: AES-256-GCM, bound to the place they are stored in, readable across a key rotation.

A sealed value is text: `v1.<kid>.<nonce>.<ciphertext and tag>`, the last two base64url without padding.
"""

import base64
import binascii
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = "v1"
_NONCE_BYTES = 12  # random nonces: 2^32 seals per key before a collision is worth a thought
_PURPOSE = b"paygres/vault/v1"


class Unreadable(Exception):
    """A stored secret cannot be opened: another encryption key, another place, or damaged. Never shows it."""


class Vault:
    """Seals with the first encryption key, opens with any: to rotate, put the new key before the old one."""

    def __init__(self, encryption_key: str, *older: str) -> None:
        keys = [_derive(key) for key in (encryption_key, *older)]
        self._first = _kid(keys[0])
        self._ciphers = {_kid(key): AESGCM(key) for key in keys}

    def seal(self, plain: str, *, place: str) -> str:
        """Encrypt `plain`; it can be opened only with the same `place`, e.g. `system.secrets/NAME/test`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, plain.encode(), place.encode())
        return f"{_VERSION}.{self._first}.{_encode(nonce)}.{_encode(sealed)}"

    def open(self, sealed: str, *, place: str) -> str:
        """Decrypt what `seal` made for `place`; raises `Unreadable` with the reason."""
        version, _, rest = sealed.partition(".")
        parts = rest.split(".")
        if version != _VERSION or len(parts) != 3:
            raise Unreadable("it is not in the form this version stores")
        kid, nonce, body = parts
        cipher = self._ciphers.get(kid)
        if cipher is None:
            raise Unreadable(f"it was stored with another ENCRYPTION_KEY (key id {kid[:8]!r})")
        try:
            return cipher.decrypt(_decode(nonce), _decode(body), place.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unreadable("it is damaged, or was moved here from another row") from None


def _derive(encryption_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(encryption_key.encode())


def _kid(key: bytes) -> str:
    """A public name of a key: too short to say anything about it, long enough to tell a few apart."""
    return hashlib.sha256(b"kid:" + key).hexdigest()[:8]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
