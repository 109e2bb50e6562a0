"""`conform-live`, as far as that can be shown without Stripe: what it refuses, and that two sandboxes do not differ."""

import pytest

from tests.judges.conform_live import compared, conform, main, to_be_created
from tests.sandbox.running import Sandbox


@pytest.mark.parametrize(
    "key", ["", "sk_live_51AAAAAAAAAAAAAAAAAAAAAAAA", "rk_test_51AAAAAAAAAAAAAAAAAAAAAAAA", "sk_test_"]
)
def test_every_key_but_a_secret_test_key_is_refused_before_anything_is_sent(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_CONFORM_KEY", key)
    assert main(["--yes"]) == 64
    assert "nothing was sent" in capsys.readouterr().err


def test_it_says_what_it_will_create() -> None:
    assert "customers" in to_be_created()
    assert "checkout sessions" in to_be_created()


def test_a_sandbox_in_stripes_place_shows_no_difference_and_is_left_tidy() -> None:
    said: list[str] = []
    with Sandbox("--validate") as other:
        assert conform(other.url, other.key, 10, said.append) == 0, "\n".join(said)
        left = other.stripe.v1.customers.list({"limit": 100}).data
        assert [one.email for one in left if one.email and one.email.startswith(("clock", "empty"))] == []
        assert other.stripe.v1.coupons.list().data == []
        assert [one.name for one in other.stripe.v1.products.list({"active": True}).data if one.name == "Once"] == []


def test_a_difference_is_told_by_its_place() -> None:
    name = "the portal"
    there = {name: [{"object": "a", "id": "bpc_1aaaaaaaaaaa"}, {"url": "https://x"}, {"message": "no"}]}
    here = {name: [{"object": "b", "id": "bpc_1bbbbbbbbbbb"}, {"url": "https://y"}, {"message": "no"}]}
    assert list(compared(there, here, "run")) == [
        "the portal · 1 billing_portal.configurations.create /object: 'a' | 'b'"
    ]
