"""Webhook signatures: made by the official library, judged by ours, with the exact reason of a refusal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stripe import WebhookSignature

from paygres.server.errors import InvalidRequest
from paygres.server.stripe_gateway.signature import verify

SECRET = "whsec_first"
NOW = 1_790_000_000
BODY = '{"id": "evt_1", "text": "grün"}'


def signed(body: str = BODY, secret: str = SECRET, at: int = NOW) -> str:
    return WebhookSignature.generate_signature_header(body, secret, at)


def refusal(payload: bytes, header: str, *secrets: str) -> str:
    with pytest.raises(InvalidRequest) as raised:
        verify(payload, header, secrets or (SECRET,), now=NOW)
    assert (raised.value.status, raised.value.code) == (400, "INVALID_INPUT")
    assert "whsec" not in raised.value.message
    return raised.value.message


def test_the_librarys_own_signature_holds() -> None:
    verify(BODY.encode(), signed(), (SECRET,), now=NOW)


def test_any_secret_in_force_and_any_v1_may_match() -> None:
    verify(BODY.encode(), signed(), ("whsec_new", SECRET), now=NOW)
    rolled = f"{signed(secret='whsec_other')},v1={signed().partition('v1=')[2]},v0=ignored"
    verify(BODY.encode(), rolled, (SECRET,), now=NOW)


def test_another_secret_and_a_reencoded_body_do_not_match() -> None:
    assert "made with another secret" in refusal(BODY.encode(), signed(secret="whsec_second"))
    assert "re-encoded" in refusal(BODY.replace(": ", ":").encode(), signed())
    assert "made with another secret" in refusal(BODY[:-1].encode(), signed())


def test_old_and_future_timestamps_are_refused_five_minutes_either_side() -> None:
    verify(BODY.encode(), signed(at=NOW - 300), (SECRET,), now=NOW)
    verify(BODY.encode(), signed(at=NOW + 300), (SECRET,), now=NOW)
    assert "301 s old" in refusal(BODY.encode(), signed(at=NOW - 301))
    assert "301 s in the future" in refusal(BODY.encode(), signed(at=NOW + 301))


@pytest.mark.parametrize("header", ["", "x", "t=,v1=a", "v1=abc", f"t={NOW},t={NOW},v1=a", "t=" + "9" * 5000])
def test_a_malformed_header_is_named(header: str) -> None:
    assert "Stripe-Signature header" in refusal(BODY.encode(), header)


def test_a_header_without_v1_is_named() -> None:
    assert refusal(BODY.encode(), f"t={NOW},v0=abc") == "The Stripe-Signature header has no v1 signature"


def test_a_header_that_is_not_ascii_is_named() -> None:
    assert refusal(BODY.encode(), f"t={NOW},v1=\x80") == "The Stripe-Signature header is not ASCII"


def test_a_body_that_is_not_utf8_is_named() -> None:
    assert refusal(b"\xff\xfe", signed()) == "The webhook body is not UTF-8"


@settings(deadline=None)
@given(st.binary(max_size=64), st.text(max_size=80))
def test_no_header_and_body_end_in_anything_but_a_refusal(payload: bytes, header: str) -> None:
    refusal(payload, header)
    refusal(payload, f"t={NOW},v1={header.replace(',', '')}x")
