"""Stripe's refusals in our words: which status and code, what a person reads, and never a key."""

import pytest

from paygres.server import errors
from paygres.server.errors import PaygresError
from paygres.server.stripe_gateway.errors import refused, unreachable
from paygres.server.stripe_gateway.keys import mask, mask_secrets, read_secret_key, read_webhook_secret

KEY = "sk_live_notARealKeyButLongEnough1234"


def told(status: int, **fault: str) -> PaygresError:
    return refused(status, {"type": "invalid_request_error", "message": "no", **fault})


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_our_fault_not_the_callers(status: int) -> None:
    error = told(status, message=f"Invalid API Key provided: {KEY}")
    assert isinstance(error, errors.Upstream)
    assert (error.status, error.code, error.definite) == (502, "PAYMENT_CONFIG_INVALID", True)
    assert error.message == "Invalid API Key provided: sk_live_****1234"


def test_a_declined_card_is_402() -> None:
    error = told(402, type="card_error", message="Your card was declined.", code="card_declined")
    assert (type(error), error.status, error.code) == (errors.Card, 402, "PAYMENT_METHOD_DECLINED")
    assert error.message == "Your card was declined."


def test_an_unknown_price_keeps_stripes_text_and_says_what_to_do() -> None:
    error = told(400, code="resource_missing", param="line_items[1][price]", message="No such price: 'price_x'")
    assert isinstance(error, errors.Upstream)
    assert (error.status, error.code, error.definite) == (400, "UPSTREAM_FAILURE", True)
    assert error.message == (
        "No such price: 'price_x'. (lineItems.1.priceId must name a price of the connected Stripe account "
        "in this environment)"
    )


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("The price specified is inactive. This field only accepts active prices.", "archived in Stripe"),
        ("You specified `payment` mode but passed a recurring price.", "mode `payment` one-time prices only"),
        (
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            "mode `subscription` sells recurring prices",
        ),
    ],
)
def test_an_unfit_price_is_explained_behind_stripes_text(message: str, advice: str) -> None:
    error = told(400, param="line_items[0][price]", message=message)
    assert error.message.startswith(message.rstrip("."))
    assert advice in error.message


def test_other_refusals_pass_stripes_status_and_text() -> None:
    error = told(404, code="resource_missing", message="No such product: 'prod_x'")
    assert (error.status, error.code, error.message) == (404, "UPSTREAM_FAILURE", "No such product: 'prod_x'")


def test_an_idempotency_mismatch_is_definite_and_a_running_twin_is_not() -> None:
    mismatch = told(400, type="idempotency_error")
    running = told(409, code="idempotency_key_in_use")
    other = told(409)
    assert isinstance(mismatch, errors.Upstream)
    assert (mismatch.status, mismatch.definite) == (400, True)
    assert isinstance(running, errors.Unavailable)
    assert (running.status, running.retry_after) == (503, 1)
    assert isinstance(other, errors.Upstream)
    assert (other.status, other.definite) == (409, False)


def test_both_spellings_of_a_rate_limit_are_429() -> None:
    for error in (told(429), told(400, code="rate_limit"), refused(429, {}, "Wed, 21 Oct 2026 07:28:00 GMT")):
        assert (error.status, error.code, error.retry_after) == (429, "RATE_LIMITED", 1)


def test_no_message_contains_a_secret() -> None:
    text = f"{KEY} rk_test_abcdefghijklmnop whsec_abcdefghijklmnop pk_test_1"
    for error in (told(400, message=text), unreachable(text), told(500, message=text)):
        assert error.message.removeprefix("Stripe request failed: ") == (
            "sk_live_****1234 rk_test_****mnop whsec_**** pk_test_****"
        )
    assert mask_secrets("nothing here: sk_test, price_1") == "nothing here: sk_test, price_1"


def test_masks_show_prefix_and_last_four() -> None:
    assert mask("sk_test_abcdefgh1234") == "sk_test_****1234"
    assert mask("rk_live_abcdefgh1234") == "rk_live_****1234"
    assert mask("something-else") == "some****else"
    assert mask("12345678") == "****"


@pytest.mark.parametrize("text", ["sk_live_abcdefgh", "pk_test_abcdefgh", "sk_test", "", "whsec_abc"])
def test_a_key_of_another_kind_is_refused_by_name(text: str) -> None:
    with pytest.raises(errors.NotConfigured) as raised:
        read_secret_key("test", text)
    assert raised.value.message == "STRIPE_TEST_SECRET_KEY must start with sk_test_ or rk_test_"
    assert (raised.value.status, raised.value.code) == (400, "PAYMENT_CONFIG_INVALID")


def test_full_and_restricted_keys_are_accepted_and_trimmed() -> None:
    assert read_secret_key("test", " sk_test_abc123\n") == "sk_test_abc123"
    assert read_secret_key("live", "rk_live_abc123") == "rk_live_abc123"
    assert read_webhook_secret("test", "whsec_abc ") == "whsec_abc"


@pytest.mark.parametrize("text", ["sk_test_a b", "sk_test_a\r\nX: y", "sk_test_é", "sk_test_" + "a" * 300, "sk_test_"])
def test_a_key_that_cannot_be_one_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(errors.NotConfigured) as raised:
        read_secret_key("test", text)
    assert raised.value.message.startswith("STRIPE_TEST_SECRET_KEY is not a Stripe key")
    assert text not in raised.value.message.removesuffix("sk_test_")
