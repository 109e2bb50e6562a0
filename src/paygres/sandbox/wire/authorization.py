"""API keys: Bearer or Basic. A key names its account, as Stripe's own keys do (`sk_test_51Abc…` belongs to
`acct_1Abc…`), so any test key of real length works; a live key never does."""

import base64
import hashlib
import re

from paygres.sandbox.ids import ALPHABET, secret_letters
from paygres.sandbox.wire.errors import Refusal

TEST_KEY = re.compile(r"(?:sk|rk)_test_([A-Za-z0-9]{24,200})\Z")
PUBLISHABLE_KEY = re.compile(r"pk_(?:test|live)_[A-Za-z0-9]{24,200}\Z")
ACCOUNT_LETTERS = 15


def new_account(seed: str | None) -> tuple[str, str]:
    """(account id, its secret key); the same for the same seed."""
    letters = secret_letters(ACCOUNT_LETTERS, seed and f"account:{seed}")
    rest = secret_letters(82, seed and f"key:{seed}")
    return f"acct_1{letters}", f"sk_test_51{letters}{rest}"


def account_of(key: str) -> str | None:
    """The account of a test key, or None when it is no such key."""
    found = TEST_KEY.match(key)
    if not found:
        return None
    secret = found[1]
    if secret.startswith("51") and len(secret) > 2 + ACCOUNT_LETTERS + 8:
        return f"acct_1{secret[2 : 2 + ACCOUNT_LETTERS]}"
    digest = hashlib.sha256(secret.encode()).digest()
    return "acct_1" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:ACCOUNT_LETTERS])


def authorize(header: str | None) -> tuple[str, str]:
    """(key, account) of the Authorization header; raises the 401 that Stripe answers otherwise."""
    key = _key(header or "")
    if not key:
        raise _unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
        )
    if key.startswith(("sk_live_", "rk_live_")):
        raise _unauthorized(
            "This is a local sandbox: it refuses live keys. Use the test key that it printed when it started."
        )
    if PUBLISHABLE_KEY.match(key):
        raise _unauthorized(
            "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list "
            "of your API keys at https://dashboard.stripe.com/account/apikeys.",
            "secret_key_required",
        )
    account = account_of(key)
    if account is None:
        raise _unauthorized(f"Invalid API Key provided: {_masked(key)}")
    return key, account


def check_account(header: str | None, key: str, account: str) -> None:
    """Raises the 403 for a Stripe-Account header that names another account than the key's: there is no Connect."""
    if header is not None and header != account:
        raise Refusal(
            f"The provided key '{_masked(key)}' does not have access to account '{header}' (or that account does not "
            f"exist). Application access may have been revoked.",
            status=403,
            code="account_invalid",
            stored=False,
        )


def _key(header: str) -> str:
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
        except ValueError:  # neither base64 nor UTF-8
            return "?"
    return ""


def _masked(key: str) -> str:
    shown = key[:8] if key.startswith(("sk_test_", "rk_test_", "pk_test_")) else key[:3]
    return f"{shown}{'*' * max(4, min(len(key) - len(shown) - 4, 40))}{key[-4:]}"


def _unauthorized(message: str, code: str | None = None) -> Refusal:
    return Refusal(message, status=401, code=code, stored=False, headers={"WWW-Authenticate": 'Basic realm="Stripe"'})
