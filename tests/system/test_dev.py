"""`paygres dev`: the first purchase of a newcomer, and what it keeps private."""

import stat

import httpx2

from tests.system.running_dev import Dev

KEYS = [
    "baseUrl",
    "anonKey",
    "apiKey",
    "adminUsername",
    "adminPassword",
    "jwtSecret",
    "databaseUrl",
    "sandboxUrl",
    "stripeSecretKey",
    "orderId",
    "checkoutSessionId",
]


def test_the_ready_line_has_exactly_the_documented_keys(dev: Dev) -> None:
    assert list(dev.ready) == KEYS
    assert dev.ready["checkoutSessionId"].startswith("cs_test_")
    assert all(dev.ready.values())


def test_the_sample_order_is_paid_by_its_own_session(dev: Dev) -> None:
    statement = "select status || ' ' || checkout_session_id from public.orders where id::text = $1"
    assert dev.value(statement, dev.ready["orderId"]) == f"paid {dev.ready['checkoutSessionId']}"


def test_the_payment_is_projected_once(dev: Dev) -> None:
    statement = "select array_agg(concat_ws(' ', type, status, amount, currency)) from payments.transactions"
    assert dev.value(statement) == ["one_time_payment succeeded 1900 usd"]


def test_the_developer_sees_the_session_row_despite_forced_row_level_security(dev: Dev) -> None:
    statement = "select status from payments.stripe_checkout_sessions where checkout_session_id = $1"
    assert dev.value(statement, dev.ready["checkoutSessionId"]) == "completed"


def test_the_api_key_opens_the_admin_routes(dev: Dev) -> None:
    url, headers = dev.ready["baseUrl"], {"Authorization": f"Bearer {dev.ready['apiKey']}"}
    answer = httpx2.get(f"{url}/api/payments/stripe/status", headers=headers)
    test, live = answer.json()["connections"]
    assert (test["status"], test["lastSyncStatus"], live["status"]) == (
        "connected",
        "succeeded",
        "unconfigured",
    )
    assert test["webhookEndpointUrl"] == f"{url}/api/webhooks/stripe/test"


def test_the_admin_can_sign_in(dev: Dev) -> None:
    who = {"username": dev.ready["adminUsername"], "password": dev.ready["adminPassword"]}
    assert httpx2.post(f"{dev.ready['baseUrl']}/api/auth/admin/sessions", json=who).status_code == 200


def test_secrets_are_readable_by_their_owner_only(dev: Dev) -> None:
    for name in ("secrets.env", "dev.env"):
        assert stat.S_IMODE((dev.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((dev.folder / "logs").stat().st_mode) == 0o700


def test_no_log_has_a_secret(dev: Dev) -> None:
    logs = "".join(path.read_text() for path in (dev.folder / "logs").iterdir())
    logs += (dev.folder / "postgres" / "postgres.log").read_text()
    password = dev.ready["databaseUrl"].split(":")[2].split("@")[0]
    secrets = [dev.ready[name] for name in ("apiKey", "adminPassword", "jwtSecret", "stripeSecretKey")]
    assert [secret for secret in (*secrets, password, "whsec_") if secret in logs] == []


def test_the_api_stays_small_when_idle(dev: Dev) -> None:
    assert dev.child("paygres.server", "serve").memory_info().rss < 120_000_000
