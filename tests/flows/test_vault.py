"""Secrets at rest: sealed, bound to their row, readable across a key rotation, refused when tampered with."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paygres.server.auth.vault import Unreadable, Vault

PLACE = "system.secrets/STRIPE_TEST_SECRET_KEY/test"
VAULT = Vault("an encryption key of some length, new")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_what_was_sealed_opens_at_its_place(plain: str) -> None:
    sealed = VAULT.seal(plain, place=PLACE)
    assert VAULT.open(sealed, place=PLACE) == plain
    assert len(plain) < 4 or plain not in sealed


def test_the_form_is_versioned_and_names_its_key() -> None:
    version, kid, nonce, body = VAULT.seal("sk_test_secret", place=PLACE).split(".")
    assert (version, len(kid), len(nonce)) == ("v1", 8, 16)
    assert len(body) == 40  # 14 characters and a 16-byte tag
    assert VAULT.seal("sk_test_secret", place=PLACE).split(".")[1] == kid


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert VAULT.seal("x", place=PLACE) != VAULT.seal("x", place=PLACE)


def test_a_value_moved_to_another_row_does_not_open() -> None:
    sealed = VAULT.seal("sk_test_secret", place=PLACE)
    with pytest.raises(Unreadable, match="moved here from another row"):
        VAULT.open(sealed, place="system.secrets/STRIPE_LIVE_SECRET_KEY/live")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    old = Vault("the old encryption key of some length")
    both = Vault("the new encryption key of some length", "the old encryption key of some length")
    assert both.open(old.seal("secret", place=PLACE), place=PLACE) == "secret"
    with pytest.raises(Unreadable, match="another ENCRYPTION_KEY"):
        old.open(both.seal("secret", place=PLACE), place=PLACE)


@settings(deadline=None)
@given(st.integers(0, 200), st.characters())
def test_a_changed_character_never_opens_as_something_else(index: int, other: str) -> None:
    sealed = VAULT.seal("sk_test_secret", place=PLACE)
    index %= len(sealed)
    if sealed[index] == other:
        return
    damaged = sealed[:index] + other + sealed[index + 1 :]
    with suppress(Unreadable):
        assert VAULT.open(damaged, place=PLACE) == "sk_test_secret"  # spare bits at the end of base64
