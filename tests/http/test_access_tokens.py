"""Our access tokens are RS256 with a published key, made once; every known way to confuse verifiers is refused."""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from paygres.server.db.embedded import Urls
from paygres.server.errors import Authentication
from tests.flows.running_parts import parts_on
from tests.fresh_database import FreshDatabase, cloned
from tests.http.running import STATUS, USER, Server, admin, bearer, environment, listening_url
from tests.http.running import start as start_server
from tests.http.signing_in import person, refused, sql

NOWHERE = "http://127.0.0.1:9"
INVALID = (401, "AUTH_UNAUTHORIZED", "Invalid token")
STOLEN = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(server: Server) -> dict[str, Any]:
    (key,) = server.client.get("/.well-known/jwks.json").json()["keys"]
    return key


def forged(header: dict[str, Any], claims: dict[str, Any] | None = None, key: Any = STOLEN) -> str:
    """A token whose header says what we like, signed by a key that is not the server's."""
    said = claims or {"sub": "local:root", "role": "project_admin", "exp": int(time.time()) + 600}
    algorithm = header.get("alg", "RS256")
    return jwt.encode(said, key, algorithm=algorithm, headers=header)


def signed_by_hand(header: dict[str, Any], key: bytes) -> str:
    """HS256 with any bytes as its secret; the library refuses to sign with a PEM."""
    claims = {"sub": "local:root", "role": "project_admin", "exp": int(time.time()) + 600}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    mac = hmac.digest(key, b".".join(parts), hashlib.sha256)
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def test_the_published_key_verifies_tokens_of_users_and_of_operators(server: Server) -> None:
    key = published(server)
    assert server.client.get("/api/.well-known/jwks.json").json() == {"keys": [key]}
    assert list(key) == ["kty", "n", "e", "alg", "use", "kid"]
    assert key["kid"].startswith("kid_")
    assert len(key["kid"]) == 36
    minted = server.client.post("/api/paygres/tokens", json={"sub": USER}, headers=admin()).json()
    for token in (person(server).access_token, minted["accessToken"]):
        assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}
        assert jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"])["sub"]


def test_forged_tokens_are_refused(server: Server) -> None:
    kid = published(server)["kid"]
    key = jwt.PyJWK(published(server)).key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = person(server).access_token
    header, claims, signature = own.split(".")
    stolen_jwk = jwt.algorithms.RSAAlgorithm.to_jwk(STOLEN.public_key(), as_dict=True)
    tokens = {
        "none": jwt.encode({"sub": USER, "role": "project_admin"}, None, algorithm="none", headers={"kid": kid}),
        "our kid, another key": forged({"kid": kid}),
        "another kid": forged({"kid": "kid_" + "0" * 32}),
        "no kid": forged({}),
        "jku": forged({"kid": kid, "jku": f"{server.url}/.well-known/jwks.json"}),
        "x5u": forged({"kid": kid, "x5u": "http://127.0.0.1:9/x"}),
        "jwk": forged({"kid": kid, "jwk": stolen_jwk}),
        "PS256 with our kid": forged({"kid": kid, "alg": "PS256"}),
        "public key as secret, PEM": signed_by_hand({"alg": "HS256", "kid": kid}, pem),
        "public key as secret, stripped": signed_by_hand({"alg": "HS256", "kid": kid}, pem.strip()),
        "public key as secret, DER": signed_by_hand({"alg": "HS256", "kid": kid}, der),
        "modulus as secret": signed_by_hand({"alg": "HS256", "kid": kid}, published(server)["n"].encode()),
        "no signature": f"{header}.{claims}.",
        "other claims": f"{header}.{claims[:-4]}AAAA.{signature}",
        "alg RS256, secret's signature": signed_by_hand({"alg": "RS256", "kid": kid}, pem),
    }
    for name, token in tokens.items():
        assert refused(server.client.get(STATUS, headers=bearer(token))) == INVALID, name


def test_two_servers_that_start_at_once_make_one_key(postgres: Urls) -> None:
    with cloned(postgres) as database, ExitStack() as running:
        env = environment(database.server_url)
        processes = [start_server(env) for _ in range(2)]
        for process in processes:
            running.callback(process.communicate, timeout=25)
            running.callback(process.terminate)
        with ThreadPoolExecutor(2) as threads:
            urls = list(threads.map(listening_url, processes))
        first, second = (
            Server(url, running.enter_context(httpx2.Client(base_url=url, timeout=20)), database.server_url, process)
            for url, process in zip(urls, processes, strict=True)
        )
        with ThreadPoolExecutor(2) as threads:
            keys = list(threads.map(published, [first, second]))
        assert keys[0] == keys[1]
        headers = bearer(person(first).access_token)
        assert second.client.get("/api/auth/sessions/current", headers=headers).status_code == 200
        stored = sql(first, "select key, value_ciphertext from system.secrets where key like 'JWT%' order by 1")
        assert [row["key"] for row in stored] == ["JWT_KEY_ID", "JWT_PRIVATE_KEY", "JWT_PUBLIC_KEY"]
        assert "BEGIN" not in str(stored)
        assert keys[0]["kid"] not in str(stored)


async def test_a_key_that_cannot_be_read_is_left_alone_and_the_secret_signs(database: FreshDatabase) -> None:
    async with parts_on(database, NOWHERE) as parts:
        made = await parts.tokens.own_key()
        assert made is not None
        issued = await parts.tokens.issue(USER, "authenticated")
    async with parts_on(database, NOWHERE, encryption_key="another encryption key of forty letters") as parts:
        assert await parts.tokens.own_key() is None
        by_secret = await parts.tokens.issue(USER, "authenticated")
        assert jwt.get_unverified_header(by_secret)["alg"] == "HS256"
        assert (await parts.tokens.verify(by_secret)).sub == USER
        with pytest.raises(Authentication):
            await parts.tokens.verify(issued)
    async with parts_on(database, NOWHERE) as parts:
        again = await parts.tokens.own_key()
        assert again is not None
        assert again.kid == made.kid
        assert (await parts.tokens.verify(issued)).sub == USER
        assert (await parts.tokens.verify(by_secret)).sub == USER
