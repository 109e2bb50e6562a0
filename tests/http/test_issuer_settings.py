"""PAYGRES_JWT_ISSUERS: what it may say, and a sentence for everything it may not."""

import json
from typing import Any

import pytest

from paygres.server.jwt_issuers import Issuer, read_issuers

GOOD: dict[str, Any] = {
    "name": "login",
    "issuer": "https://login.example.com",
    "jwksUrl": "https://login.example.com/k",
}
RSA = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "one"}
REFUSED: dict[str, Any] = {
    "it must be an object": "text",
    "unknown jwks_url": {**GOOD, "jwks_url": "x"},
    "name must be short": {**GOOD, "name": "Our Login"},
    "name must be short (a-z, 0-9, -), and not local": {**GOOD, "name": "local"},
    "name must be a text": {**GOOD, "name": 7},
    "issuer must be a text": {**GOOD, "issuer": ""},
    "it needs jwksUrl or jwks, one of them": {**GOOD, "jwks": {"keys": [RSA]}},
    "jwksUrl must start with https://": {**GOOD, "jwksUrl": "http://login.example.com/k"},
    "jwksUrl must start with https:// (http": {**GOOD, "jwksUrl": "https://user:pw@login.example.com/k"},
    "audience must be a text or a list": {**GOOD, "audience": []},
    "algorithms may have RS256": {**GOOD, "algorithms": ["RS256", "HS256"]},
    "scoped must be true or false": {**GOOD, "scoped": "no"},
    "scoped false is for the only issuer": {**GOOD, "scoped": False},
    "jwks must be {": {"name": "a", "issuer": "b", "jwks": {"keys": []}},
    "public keys only": {"name": "a", "issuer": "b", "jwks": {"keys": [{**RSA, "d": "AQAB"}]}},
    "public keys only, of kty": {"name": "a", "issuer": "b", "jwks": {"keys": [{"kty": "oct", "k": "AQAB"}]}},
    "two entries have the same name": [GOOD, {**GOOD, "issuer": "https://other.example.com"}],
    "two entries have the same issuer": [GOOD, {**GOOD, "name": "other"}],
}


def read(written: Any, *, external: bool = False) -> tuple[tuple[Issuer, ...], list[str]]:
    return read_issuers(json.dumps(written), external=external)


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_wrong_entry_is_named(sentence: str) -> None:
    _, faults = read(REFUSED[sentence])
    assert len(faults) == 1
    assert sentence in faults[0]


def test_a_good_one_is_read_with_its_defaults() -> None:
    (issuer,), faults = read(GOOD)
    assert faults == []
    assert issuer == Issuer("login", "https://login.example.com", "https://login.example.com/k")
    assert (issuer.algorithms, issuer.subject_claim, issuer.scoped) == (("RS256", "ES256"), "sub", True)
    (local,), faults = read({**GOOD, "jwksUrl": "http://127.0.0.1:4000/keys", "audience": "shop"})
    assert (local.audience, faults) == (("shop",), [])


def test_the_only_issuer_of_a_platform_may_keep_its_subjects() -> None:
    assert read({**GOOD, "scoped": False}, external=True)[1] == []
    two = [{**GOOD, "scoped": False}, {**GOOD, "name": "b", "issuer": "https://b.example.com"}]
    assert "scoped false" in read(two, external=True)[1][0]
    assert read_issuers("", external=False) == ((), [])
