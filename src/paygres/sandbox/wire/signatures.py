"""Stripe-Signature: a timestamp, and one HMAC of it and the raw bytes for each secret that is in force."""

import hashlib
import hmac


def signature_header(payload: bytes, secrets: tuple[str, ...], now: int) -> str:
    """`t=...,v1=...`, one `v1` per active secret, over the raw bytes."""
    signed = f"{now}.".encode() + payload
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={now}", *(f"v1={mark}" for mark in marks)])


def another_secret(secret: str) -> str:
    """A secret of the same form that the endpoint's owner has never seen; always the same one for the same secret."""
    return "whsec_" + hashlib.sha256(f"another than {secret}".encode()).hexdigest()[:32]
