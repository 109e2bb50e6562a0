"""The admin client against the real server and the sandbox: lists, progress, operators' actions, refusals."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import paygres
from paygres.server.db.embedded import Urls
from tests.flows.checkouts import ADA, Shop, shop
from tests.http.running import ANON_KEY, API_KEY, JWT_SECRET


@pytest.fixture(scope="module")
def running(postgres: Urls) -> Iterator[Shop]:
    with shop(postgres) as opened:
        for _ in range(3):
            opened.pay(opened.buy())
        yield opened


@pytest.fixture(scope="module")
def admin(running: Shop) -> Iterator[paygres.AdminClient]:
    with paygres.create_admin_client(running.server.url, API_KEY) as client:
        yield client


def test_lists_are_read_page_by_page(running: Shop, admin: paygres.AdminClient) -> None:
    running.wait(lambda: len(list(admin.transactions.list("test", status="succeeded"))) == 3)
    pages = list(admin.transactions.list("test", limit=2).pages())
    assert [len(page) for page in pages] == [2, 1]
    rows = [one for page in pages for one in page]
    assert {one.amount for one in rows} == {3000}
    assert rows[0].created_at.tzinfo is not None
    newest = admin.transactions.newest("test", limit=1)
    assert newest[0].provider_reference_id == rows[0].provider_reference_id
    assert admin.transactions.csv("test").count("\n") == 4
    later = datetime.now(UTC) + timedelta(hours=1)
    assert admin.transactions.list("test", since=later).first() is None
    assert len(list(admin.checkout_sessions.list("test", status="completed"))) == 3
    with pytest.raises(paygres.ValidationError, match="time zone"):
        admin.transactions.list("test", since=datetime(2026, 5, 1))
    with pytest.raises(paygres.ValidationError) as raised:
        list(admin.transactions.list("test", status="paid"))
    assert raised.value.field == "status"


def test_the_catalog_is_written_and_fields_are_kept_or_emptied(admin: paygres.AdminClient) -> None:
    made = admin.catalog.create_product("test", name="Pencil", description="HB", metadata={"a": "b"})
    kept = admin.catalog.update_product("test", made.product_id, name="Pen")
    assert (kept.name, kept.description) == ("Pen", "HB")
    assert admin.catalog.update_product("test", made.product_id, description=None).description is None
    price = admin.catalog.create_price(
        "test", product_id=made.product_id, currency="eur", unit_amount=250, interval="month", idempotency_key="pen-1"
    )
    assert (price.unit_amount, price.recurring_interval) == (250, "month")
    assert price.price_id in {one.price_id for one in admin.catalog.product("test", made.product_id).prices}
    assert admin.catalog.archive_price("test", price.price_id).price.active is False
    options = admin.checkout_options.set("test", price_id=price.price_id, trial_period_days=7)
    assert (options.trial_period_days, options.locale) == (7, None)
    assert admin.checkout_options.delete("test", price_id=price.price_id) is True
    with pytest.raises(paygres.NotFoundError) as raised:
        admin.catalog.price("test", "price_1Unknown")
    assert raised.value.error == "PAYMENT_PRICE_NOT_FOUND"


def test_a_payment_is_given_back_and_explained(running: Shop, admin: paygres.AdminClient) -> None:
    payment = next(iter(admin.transactions.list("test", type="one_time_payment")))
    assert payment.provider_reference_id is not None
    refund = admin.transactions.refund(
        "test", payment.provider_reference_id, amount=100, note="scratched", idempotency_key="refund-1"
    )
    assert (refund.amount, refund.currency) == (100, "usd")
    running.wait(lambda: admin.transactions.list("test", status="partially_refunded").first())
    told = admin.events.explain("test", payment.provider_reference_id)
    assert {"checkout", "delivery", "operator"} <= {step.kind for step in told.steps}
    assert [one.action for one in admin.audit.list(target=payment.provider_reference_id)] == ["refund.create"]


def test_a_subscription_is_canceled_and_resumed(running: Shop, admin: paygres.AdminClient) -> None:
    monthly = running.sandbox.price(recurring={"interval": "month"})
    with paygres.create_client(running.server.url, ANON_KEY) as client:
        stripe = client.as_user(ADA, jwt_secret=JWT_SECRET).payments.stripe
        made = stripe.create_checkout_session(
            "test",
            mode="subscription",
            line_items=[{"price_id": monthly}],
            success_url="https://shop.example.com/ok",
            cancel_url="https://shop.example.com/no",
            subject={"type": "user", "id": ADA},
        ).checkout_session
        running.sim("pay", session=made.checkout_session_id)
    running.wait(lambda: admin.subscriptions.list("test", status="active").first())
    ours = admin.subscriptions.list("test", subject_type="user", subject_id=ADA).first()
    assert ours is not None
    preview = admin.subscriptions.preview("test", ours.subscription_id, items=[{"price_id": monthly, "quantity": 3}])
    assert preview.currency == "usd"
    ended = admin.subscriptions.cancel("test", ours.subscription_id, note="asked to")
    assert ended.cancel_at_period_end or ended.cancel_at is not None
    assert admin.subscriptions.resume("test", ours.subscription_id).cancel_at is None
    mapped = admin.mappings.list("test", subject_type="user", subject_id=ADA).first()
    assert mapped is not None
    assert mapped.customer_id == ours.customer_id


def test_long_work_is_told_of_on_its_way(admin: paygres.AdminClient) -> None:
    told: list[dict[str, Any]] = []
    synced = admin.connections.sync("test", on_progress=told.append)
    assert synced.results[0].connection.last_sync_status == "succeeded"
    assert told
    report = admin.mirror.reconcile("test", on_progress=told.append)
    assert report.reconciliation.status == "succeeded"
    assert [one.class_ for one in admin.mirror.findings("test")] == [one.class_ for one in report.findings]
    assert admin.mirror.rebuild("test", dry_run=True).differences is not None
    assert admin.mirror.invariants("test", now=True)
    [unconfigured] = admin.connections.sync_some("live", only=["prices"], on_progress=told.append).results
    assert (unconfigured.connection.status, unconfigured.sync) == ("unconfigured", None)


def test_events_are_listed_replayed_and_streamed(running: Shop, admin: paygres.AdminClient) -> None:
    event = admin.events.list("test", type="checkout.session.completed").first()
    assert event is not None
    read = admin.events.get("test", event.event_id, payload=True)
    assert read.payload is not None
    assert read.payload["id"] == event.event_id
    assert admin.events.replay("test", event.event_id, dry_run=True).dry_run is True
    assert admin.events.replay_selection("test", event_ids=[event.event_id], dry_run=True).selected == 1
    assert admin.events.diff("test", event.event_id).event_id == event.event_id
    assert admin.events.effects("test", event.event_id)
    stands = admin.events.news("test").last_event_id
    buyer = threading.Timer(0.2, lambda: running.pay(running.buy()))
    buyer.start()
    came = next(iter(admin.events.stream("test", last_event_id=stands)))
    buyer.join()
    assert came.environment == "test"


def test_keys_are_made_and_ended(running: Shop, admin: paygres.AdminClient) -> None:
    made = admin.keys.create(kind="api", expires_in_hours=1)
    with paygres.create_admin_client(running.server.url, made.value) as other:
        assert other.keys.whoami()
        assert admin.keys.delete(made.key.id).kind == "api"
        with pytest.raises(paygres.AuthenticationError) as raised:
            other.connections.status()
    assert raised.value.error == "AUTH_INVALID_API_KEY"
    assert made.value not in f"{raised.value!r} {vars(raised.value)} {other!r}"
    assert admin.keys.anon_key() == admin.keys.anon_token() == ANON_KEY
    token = admin.tokens.create(sub="user_ada", ttl_seconds=60)
    with paygres.create_client(running.server.url, access_token=token.access_token) as user:
        assert user.payments.stripe.get_subject("test", subject={"type": "user", "id": "user_ada"})
    assert "paygres_" in admin.metrics()
    assert [one.environment for one in admin.connections.status()] == ["test", "live"]
    assert [one.masked_key is not None for one in admin.connections.config()] == [True, False]


@pytest.mark.parametrize("key", ["", "anon_1", "eyJ.a.b", None, 7, "ik_\n"])
def test_an_admin_client_needs_an_api_key(monkeypatch: pytest.MonkeyPatch, key: Any) -> None:
    monkeypatch.delenv("INSFORGE_API_KEY", raising=False)
    with pytest.raises(paygres.ValidationError) as raised:
        paygres.create_admin_client("http://127.0.0.1:9", key)
    assert raised.value.field == "api_key"
