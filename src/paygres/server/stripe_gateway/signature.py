"""Is this webhook body really from Stripe, and fresh? Says exactly what is wrong; never shows a secret."""

import re
from collections.abc import Callable, Sequence
from functools import cache

from paygres.server import errors

_MAX_HEADER = 4096  # a handful of signatures; Stripe sends one per active secret
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def verify(payload: bytes, header: str, secrets: Sequence[str], *, now: float, tolerance: int = 300) -> None:
    """Return when one of `secrets` signed `payload` within `tolerance` seconds of `now` (unix seconds).

    Stripe's own check is one-sided: a timestamp far in the future would pass. Ours bounds both sides.
    Raises `InvalidRequest` (400) with the reason. The body must be the exact bytes that were received.
    """
    timestamp = _timestamp(header)
    if not _signed_by_any(payload, header, secrets):
        raise errors.InvalidRequest(
            "No v1 signature in the Stripe-Signature header matches: it was made with another secret, "
            "or the body was changed or re-encoded on its way"
        )
    if timestamp < now - tolerance:
        raise errors.InvalidRequest(
            f"The Stripe-Signature timestamp is {int(now - timestamp)} s old; {tolerance} s are accepted"
        )
    if timestamp > now + tolerance:
        raise errors.InvalidRequest(
            f"The Stripe-Signature timestamp is {int(timestamp - now)} s in the future; "
            f"{tolerance} s are accepted. Check the clock of this server"
        )


def _timestamp(header: str) -> int:
    """The header's one timestamp, after its form was checked: `t=<unix>,v1=<hex>[,v1=<hex>]`."""
    if len(header) > _MAX_HEADER:
        raise errors.InvalidRequest(f"The Stripe-Signature header is longer than {_MAX_HEADER} characters")
    if not header.isascii():  # the library compares text, and raises on anything else
        raise errors.InvalidRequest("The Stripe-Signature header is not ASCII")
    fields = [item.partition("=") for item in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]):
        raise errors.InvalidRequest(
            "The Stripe-Signature header is malformed: expected t=<unix seconds>,v1=<signature>"
        )
    if not any(name == "v1" and value for name, _, value in fields):
        raise errors.InvalidRequest("The Stripe-Signature header has no v1 signature")
    return int(times[0])


@cache
def _official() -> tuple[Callable[[str, str, str, None], bool], type[Exception]]:
    """The library's check and its refusal. Lazy: importing it costs a quarter of a second, which start-up need
    not pay; remembered, because the library looks its names up anew each time."""
    from stripe import SignatureVerificationError, WebhookSignature

    return WebhookSignature.verify_header, SignatureVerificationError  # pyright: ignore[reportReturnType]


def _signed_by_any(payload: bytes, header: str, secrets: Sequence[str]) -> bool:
    verify_header, refusal = _official()
    for secret in secrets:
        try:
            # Its own age check is off (tolerance None): ours runs after it, on both sides.
            verify_header(payload, header, secret, None)  # pyright: ignore[reportArgumentType]
        except refusal:
            continue
        except UnicodeDecodeError:
            raise errors.InvalidRequest("The webhook body is not UTF-8") from None
        return True
    return False
