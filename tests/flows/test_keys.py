"""Access keys, tokens and the audit log over HTTP: shown once, revoked at once, written down."""

from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server.db.embedded import Urls
from tests.flows.webhooks import script, sql
from tests.fresh_database import FreshDatabase, cloned
from tests.http.running import (
    ANON_KEY,
    API_KEY,
    USER,
    Server,
    admin,
    bearer,
    environment,
    serving,
    user,
)

KEYS = "/api/paygres/keys"
TOKENS = "/api/paygres/tokens"
AUDIT = "/api/paygres/audit"
STATUS = "/api/payments/stripe/status"
Opened = tuple[Server, FreshDatabase]


@pytest.fixture(scope="module")
def opened(postgres: Urls) -> Iterator[Opened]:
    """A server with an API key and an admin password."""
    with cloned(postgres) as database, serving(environment(database.server_url)) as server:
        yield server, database


def post(server: Server, path: str, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = server.client.post(path, json=body, headers=admin())
    assert answer.status_code == status, answer.text
    return answer.json()


def listed(server: Server) -> dict[str, dict[str, Any]]:
    """Every key by its id."""
    answer = server.client.get(KEYS, headers=admin())
    return {key["id"]: key for key in answer.json()["keys"]}


def test_a_new_key_holds_at_once_and_only_its_hash_is_kept(opened: Opened) -> None:
    server, database = opened
    made = post(server, KEYS)
    value, key_id = made["value"], made["key"]["id"]
    assert value.startswith("ik_")
    assert len(value) == 67
    assert server.client.get(STATUS, headers=bearer(value)).status_code == 200
    assert value not in server.client.get(KEYS, headers=admin()).text
    assert sql(database, "select from system.api_keys where value = $1", value, role="paygres_service") == []
    entry = listed(server)[key_id]
    assert (entry["kind"], entry["expiresAt"], entry["expired"], entry["anonKey"]) == ("api", None, False, None)
    assert API_KEY not in server.client.get(f"{AUDIT}?action=key.*", headers=admin()).text
    assert value not in server.client.get(AUDIT, headers=admin()).text


def test_a_revoked_key_holds_no_longer_and_stays_on_the_list(opened: Opened) -> None:
    server, _ = opened
    made = post(server, KEYS, expiresInHours=2)
    assert made["key"]["expiresAt"] is not None
    path = f"{KEYS}/{made['key']['id']}"
    revoked = server.client.delete(path, headers=admin())
    assert (revoked.status_code, revoked.json()["key"]["expired"]) == (200, True)
    refused = server.client.get(STATUS, headers=bearer(made["value"]))
    assert (refused.status_code, refused.json()["error"]) == (401, "AUTH_INVALID_API_KEY")
    assert listed(server)[made["key"]["id"]]["expired"] is True
    records = server.client.get(f"{AUDIT}?target={made['key']['id']}", headers=admin()).json()["records"]
    assert [record["action"] for record in records] == ["key.revoke", "key.create"]


def test_a_rotation_gives_the_earlier_keys_a_grace_period(opened: Opened) -> None:
    server, _ = opened
    made = post(server, KEYS, kind="anon", rotate=True, graceHours=1)
    earlier = next(key for key in listed(server).values() if key["anonKey"] == ANON_KEY)
    assert earlier["expiresAt"] is not None
    assert earlier["expired"] is False
    assert server.client.get("/api/metadata/anon-key", headers=admin()).json() == {"anonKey": made["value"]}
    at_once = post(server, KEYS, kind="anon", rotate=True, graceHours=0)
    assert {key["id"] for key in listed(server).values() if key["kind"] == "anon" and not key["expired"]} == {
        at_once["key"]["id"]
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "root"}, "kind: Invalid enum value"),
        ({"graceHours": 2}, "graceHours: Only a rotation"),
        ({"expiresInHours": 0}, "expiresInHours: Number must be greater than 0"),
        ({"rotate": True, "graceHours": 721}, "graceHours: Number must be less than or equal to 720"),
    ],
)
def test_a_key_that_cannot_be_made_is_a_clear_400(opened: Opened, body: dict[str, Any], message: str) -> None:
    assert message in post(opened[0], KEYS, 400, **body)["message"]


def test_keys_are_no_business_of_users_or_guests(opened: Opened) -> None:
    server, _ = opened
    for headers, status in ((user(), 403), ({}, 401), (bearer("anon_wrong"), 401)):
        assert server.client.get(KEYS, headers=headers).status_code == status
        assert server.client.post(TOKENS, json={"sub": USER}, headers=headers).status_code == status
        assert server.client.get(AUDIT, headers=headers).status_code == status
    assert server.client.delete(f"{KEYS}/{API_KEY}", headers=admin()).status_code == 400
    assert server.client.delete(f"{KEYS}/{USER}", headers=admin()).status_code == 404


def test_a_minted_token_is_a_users_and_never_an_admins(opened: Opened) -> None:
    server, _ = opened
    made = post(server, TOKENS, sub=USER, email="ada@example.com", ttlSeconds=60)
    assert (made["sub"], made["role"]) == (USER, "authenticated")
    assert server.client.get(STATUS, headers=bearer(made["accessToken"])).status_code == 403
    checkout = server.checkout(bearer(made["accessToken"]))
    assert checkout.json()["error"] == "PAYMENT_CONFIG_INVALID"  # known as a user; there is no Stripe key
    assert "role: Invalid enum value" in post(server, TOKENS, 400, sub=USER, role="project_admin")["message"]
    assert "ttlSeconds: Number must be less" in post(server, TOKENS, 400, sub=USER, ttlSeconds=86_401)["message"]
    (record,) = server.client.get(f"{AUDIT}?action=token.mint&limit=1", headers=admin()).json()["records"]
    assert (record["target"], record["details"]["ttlSeconds"]) == (USER, 60)
    assert made["accessToken"] not in server.client.get(AUDIT, headers=admin()).text


def test_the_audit_log_is_read_page_by_page(opened: Opened) -> None:
    server, _ = opened
    for n in range(3):
        post(server, TOKENS, sub=f"page-{n}")
    path = f"{AUDIT}?action=token.*&limit=2"
    first = server.client.get(path, headers=admin()).json()
    second = server.client.get(f"{path}&cursor={first['nextCursor']}", headers=admin()).json()
    assert [r["target"] for r in first["records"]] + [second["records"][0]["target"]] == ["page-2", "page-1", "page-0"]


def test_the_last_api_key_is_not_revoked_when_nobody_could_sign_in(postgres: Urls) -> None:
    with cloned(postgres) as database, serving(environment(database.server_url, ROOT_ADMIN_PASSWORD="")) as server:
        (only,) = [key for key in listed(server).values() if key["kind"] == "api"]
        refused = server.client.delete(f"{KEYS}/{only['id']}", headers=admin())
        assert (refused.status_code, refused.json()["error"]) == (409, "LAST_API_KEY")
        assert "nextActions" in refused.json()
        other = post(server, KEYS)
        assert server.client.delete(f"{KEYS}/{only['id']}", headers=admin()).status_code == 200
        assert server.client.get(KEYS, headers=admin()).status_code == 401
        assert server.client.get(KEYS, headers=bearer(other["value"])).status_code == 200


def test_where_only_live_is_connected_a_token_is_minted_only_by_force(postgres: Urls) -> None:
    with cloned(postgres) as database:
        name = "STRIPE_LIVE_SECRET_KEY"
        script(database, f"insert into system.secrets (key, value_ciphertext) values ('{name}', 'v1.of.another.key')")
        with serving(environment(database.server_url)) as server:
            assert "force: true" in post(server, TOKENS, 403, sub=USER)["nextActions"]
            assert post(server, TOKENS, sub=USER, force=True)["sub"] == USER
            ready = server.client.get("/readyz")  # nothing of what is stored can be read: another ENCRYPTION_KEY
            assert (ready.status_code, ready.json()["checks"]["secrets"]["ok"]) == (503, False)
