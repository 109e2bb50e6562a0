"""Names, shapes and masks of Stripe's keys. Pure; the only place that knows what a key looks like."""

import re

from paygres.server import errors

ENVIRONMENTS = ("test", "live")

_KEY = re.compile(r"[A-Za-z0-9_]{9,255}")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{1,255}")
_PERMISSION = re.compile(r"\brak_(?!test_|live_)[a-z][a-z0-9_]{2,100}\b")
_SECRETS_IN_TEXT = re.compile(r"\b((?:[srp]k|rak)_(?:test|live)_|whsec_)([A-Za-z0-9*+/=_-]*)")


def secret_key_name(environment: str) -> str:
    """`STRIPE_TEST_SECRET_KEY` or `STRIPE_LIVE_SECRET_KEY`: the name in settings, store and messages."""
    return f"STRIPE_{environment.upper()}_SECRET_KEY"


def webhook_secret_name(environment: str) -> str:
    """`STRIPE_TEST_WEBHOOK_SECRET` or `STRIPE_LIVE_WEBHOOK_SECRET`."""
    return f"STRIPE_{environment.upper()}_WEBHOOK_SECRET"


def prefixes(environment: str) -> tuple[str, str]:
    """What a key of this environment starts with: the full secret key first, then the restricted key."""
    return f"sk_{environment}_", f"rk_{environment}_"


def read_secret_key(environment: str, text: str) -> str:
    """Return `text` trimmed when it can be a secret or restricted key of `environment`.

    Raises `NotConfigured` (400 `PAYMENT_CONFIG_INVALID`); the message never contains the text.
    """
    key, name = text.strip(), secret_key_name(environment)
    full, restricted = prefixes(environment)
    if not key.startswith((full, restricted)):
        raise errors.NotConfigured(f"{name} must start with {full} or {restricted}")
    if not _KEY.fullmatch(key):
        raise errors.NotConfigured(f"{name} is not a Stripe key: only letters, digits and _ may follow {full}")
    return key


def is_restricted(key: str) -> bool:
    """Whether the key has only the permissions it was given."""
    return key.startswith(tuple(prefixes(environment)[1] for environment in ENVIRONMENTS))


def missing_permission(message: str) -> str | None:
    """The permission that Stripe's 403 names (`rak_product_read`), or None when it names none."""
    found = _PERMISSION.search(message)
    return found.group(0) if found else None


def read_webhook_secret(environment: str, text: str) -> str:
    """Return `text` trimmed when it can be a webhook signing secret; raises `InvalidRequest` otherwise."""
    secret = text.strip()
    if not _SECRET.fullmatch(secret):
        raise errors.InvalidRequest(f"{webhook_secret_name(environment)} must start with whsec_")
    return secret


def mask(key: str) -> str:
    """The key as people may see it: its prefix, `****`, its last four characters (contract 8.1)."""
    if len(key) <= 8:
        return "****"
    known = next((p for env in ENVIRONMENTS for p in prefixes(env) if key.startswith(p)), key[:4])
    return f"{known}****{key[-4:]}"


def mask_secrets(text: str) -> str:
    """`text` with everything that looks like a Stripe key or signing secret masked, for messages and logs."""
    return _SECRETS_IN_TEXT.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    prefix, rest = found.group(1), found.group(2)
    shown = rest[-4:] if len(rest) >= 12 and prefix != "whsec_" else ""
    return f"{prefix}****{shown}"
