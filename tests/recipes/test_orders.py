"""The recipe for orders: paid once, for their own price, pieces and amount, and refunded with their money."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.flows.webhooks import deliver, script, sql
from tests.histories import START, Event, event, session
from tests.recipes.played import (
    PRICE,
    Play,
    again,
    completed,
    disputed,
    refunded,
    stamped,
    succeeded,
)


def ordered(play: Play, *, user: str | None = None) -> str:
    """A pending order's id."""
    return orders(play, 1, user)[0]


def orders(play: Play, count: int, user: str | None = None) -> list[str]:
    """So many pending orders of one mug."""
    statement = (
        "insert into public.orders (user_id, price_id, amount, currency)"
        " select $1, 'price_mug', 2500, 'usd' from generate_series(1, $2) returning id::text"
    )
    return [row["id"] for row in play.rows(statement, user, count)]


def order(play: Play, ident: str) -> dict[str, Any]:
    found = play.rows("select status, amount_paid, amount_kept from public.orders where id = $1", uuid.UUID(ident))
    return found[0]


def bought(play: Play, **changed: Any) -> tuple[str, str]:
    """A paid order: its id and the name of its checkout."""
    ident, name = ordered(play), uuid.uuid4().hex
    play.checkout(name)
    play.send(completed(name, order=ident, **changed))
    return ident, name


def unsettled(name: str, ident: str, happened: str, **changed: Any) -> Event:
    told = {"status": "complete", "payment_status": "unpaid", "payment_intent": f"pi_{name}", **changed}
    at = START + (10 if happened.endswith("completed") else 900)
    return event(happened, at, session(name, metadata=stamped(name, ident), **told))


def test_a_paid_checkout_pays_its_order_with_the_money_and_the_session(play: Play) -> None:
    ident, name = bought(play)
    assert order(play, ident) == {"status": "paid", "amount_paid": 2500, "amount_kept": 2500}
    (row,) = play.rows("select paid_at, checkout_session_id from public.orders where id = $1", uuid.UUID(ident))
    assert row["paid_at"] is not None
    assert row["checkout_session_id"] == f"cs_test_{name}"


@pytest.mark.parametrize(
    ("items", "changed"),
    [
        ({"price_cheap": 1}, {"amount": 100}),
        ({"price_cheap": 25}, {}),  # the same sum, but something else
        ({PRICE: 2}, {}),
        ({PRICE: 1, "price_cheap": 1}, {}),
        ({PRICE: 1}, {"amount": 2499}),
        ({PRICE: 1}, {"currency": "jpy"}),
    ],
    ids=["cheap-price", "other-price", "pieces", "more", "amount", "currency"],
)
def test_money_for_something_else_is_quarantined_and_the_order_stays_unpaid(
    play: Play, items: dict[str, int], changed: dict[str, Any]
) -> None:
    ident, name = ordered(play), uuid.uuid4().hex
    play.checkout(name, items)
    play.send(completed(name, order=ident, **changed))
    assert order(play, ident)["status"] == "pending"
    assert play.status_of(name, "orders") == "quarantined"
    play.send(refunded(name, 2500))  # the operator's answer does not touch the order either
    assert order(play, ident)["status"] == "pending"


@pytest.mark.parametrize("told", ["00000000-0000-4000-8000-0000000000ff", "no uuid", "'; drop table orders"])
def test_an_order_nobody_knows_is_quarantined(play: Play, told: str) -> None:
    name = uuid.uuid4().hex
    play.checkout(name)
    play.send(completed(name, order=told))
    assert play.status_of(name, "orders") == "quarantined"


def test_an_order_of_the_other_environment_is_not_paid_with_test_money(play: Play) -> None:
    ident, name = ordered(play), uuid.uuid4().hex
    play.rows("update public.orders set environment = 'live' where id = $1 returning id", uuid.UUID(ident))
    play.checkout(name)
    play.send(completed(name, order=ident))
    assert (order(play, ident)["status"], play.status_of(name, "orders")) == ("pending", "quarantined")


def test_a_second_payment_of_one_order_is_quarantined(play: Play) -> None:
    ident, first = bought(play)
    second = uuid.uuid4().hex
    play.checkout(second)
    play.send(completed(second, order=ident))
    assert (play.status_of(first, "orders"), play.status_of(second, "orders")) == ("granted", "quarantined")
    play.send(refunded(second, 2500))
    assert order(play, ident) == {"status": "paid", "amount_paid": 2500, "amount_kept": 2500}


def test_payments_that_arrive_at_once_pay_one_order_once(play: Play) -> None:
    ident, names = ordered(play), [uuid.uuid4().hex for _ in range(4)]
    play.checkouts(names)
    told = [completed(name, order=ident) for name in names]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: deliver(play.server, one), [*told, *map(again, told)]))
    play.quiet()
    ended = sorted(str(play.status_of(name, "orders")) for name in names)
    assert ended == ["granted", "quarantined", "quarantined", "quarantined"]
    assert order(play, ident) == {"status": "paid", "amount_paid": 2500, "amount_kept": 2500}


def test_repeats_and_replays_change_nothing(play: Play) -> None:
    ident, name = bought(play)
    (before,) = play.rows("select * from public.orders where id = $1", uuid.UUID(ident))
    told = completed(name, order=ident)
    play.send(told, again(told), completed(name, order=ident, happened="checkout.session.async_payment_succeeded"))
    assert deliver(play.server, told).status_code == 200
    assert play.rows("select * from public.orders where id = $1", uuid.UUID(ident)) == [before]


def test_checkouts_of_others_recipes_are_left_alone(play: Play) -> None:
    name = uuid.uuid4().hex
    play.checkout(name)
    play.send(completed(name))
    assert play.status_of(name, "orders") is None


def test_a_delayed_payment_pays_when_its_money_has_come(play: Play) -> None:
    ident, name = ordered(play), uuid.uuid4().hex
    play.checkout(name)
    play.send(unsettled(name, ident, "checkout.session.completed"))
    assert order(play, ident)["status"] == "pending"
    play.send(
        unsettled(name, ident, "checkout.session.async_payment_succeeded", payment_status="paid"), succeeded(name)
    )
    assert order(play, ident)["status"] == "paid"


def test_a_delayed_payment_that_does_not_come_may_be_made_good(play: Play) -> None:
    ident, name, next_try = ordered(play), uuid.uuid4().hex, uuid.uuid4().hex
    play.checkout(name)
    failed = unsettled(name, ident, "checkout.session.async_payment_failed")
    play.send(failed, unsettled(name, ident, "checkout.session.completed"))
    assert order(play, ident)["status"] == "payment_failed"
    play.checkout(next_try)
    play.send(completed(next_try, order=ident), again(failed))
    assert order(play, ident)["status"] == "paid"


def test_an_abandoned_checkout_of_its_own_user_expires_the_order_and_of_a_stranger_does_not(play: Play) -> None:
    ident, mine, stranger = ordered(play, user="u1"), uuid.uuid4().hex, uuid.uuid4().hex
    play.checkout(stranger, made_by="u2")
    play.checkout(mine, made_by="u1")
    gone = {"status": "expired", "payment_intent": None}
    play.send(unsettled(stranger, ident, "checkout.session.expired", **gone))
    assert order(play, ident)["status"] == "pending"
    play.send(unsettled(mine, ident, "checkout.session.expired", **gone))
    assert order(play, ident)["status"] == "expired"


def test_a_free_checkout_pays_the_order(play: Play) -> None:
    ident, name = ordered(play), uuid.uuid4().hex
    play.checkout(name)
    free = {"payment_status": "no_payment_required", "amount_total": 0, "payment_intent": None}
    play.send(completed(name, order=ident, **free))
    assert order(play, ident) == {"status": "paid", "amount_paid": 0, "amount_kept": 0}


def test_discounts_and_taxes_are_not_what_is_compared(play: Play) -> None:
    ident, name = ordered(play), uuid.uuid4().hex
    play.checkout(name)
    play.send(succeeded(name, amount=1234), completed(name, order=ident, amount_total=1234))
    assert order(play, ident) == {"status": "paid", "amount_paid": 1234, "amount_kept": 1234}


def test_refunds_and_disputes_show_in_the_order(play: Play) -> None:
    ident, name = bought(play)
    play.send(refunded(name, 1000))
    assert order(play, ident) == {"status": "partially_refunded", "amount_paid": 2500, "amount_kept": 1500}
    play.send(refunded(name, 2500, 1000))
    assert order(play, ident) == {"status": "refunded", "amount_paid": 2500, "amount_kept": 0}

    ident, name = bought(play)
    play.send(disputed(name, "needs_response"))
    assert order(play, ident)["status"] == "paid"
    play.send(disputed(name, "lost"))
    assert order(play, ident)["status"] == "refunded"
    play.send(disputed(name, "won"))
    assert order(play, ident) == {"status": "paid", "amount_paid": 2500, "amount_kept": 2500}


def test_an_order_whose_money_went_back_can_be_paid_again(play: Play) -> None:
    ident, first = bought(play)
    play.send(refunded(first, 2500))
    second = uuid.uuid4().hex
    play.checkout(second)
    play.send(completed(second, order=ident))
    assert order(play, ident)["status"] == "paid"
    play.send(refunded(first, 2500, 1000, at=START + 200))
    assert order(play, ident)["status"] == "paid"


def test_a_released_payment_pays_the_order_when_its_event_runs_again(play: Play) -> None:
    ident, name = ordered(play), uuid.uuid4().hex
    play.checkout(name)
    told = completed(name, order=ident, amount=2000)
    play.send(told)
    release = "select payments.release_fulfillment('test', id) from payments.fulfillments where payment_key = $1"
    sql(play.database, release, f"pi_{name}", role="paygres_service")
    play.send(again(told))
    assert order(play, ident) == {"status": "paid", "amount_paid": 2000, "amount_kept": 2000}


def histories(ident: str, name: str) -> dict[str, list[Event]]:
    """Short histories around one order; a checkout named with an x is another one of it."""
    paid = unsettled(name, ident, "checkout.session.async_payment_succeeded", payment_status="paid")
    return {
        "delayed, refunded": [
            unsettled(name, ident, "checkout.session.completed"),
            paid,
            succeeded(name),
            refunded(name, 1000),
            refunded(name, 2500, 1000),
        ],
        "expired, paid, lost, won": [
            unsettled(f"{name}x", ident, "checkout.session.expired", status="expired", payment_intent=None),
            completed(name, order=ident),
            disputed(name, "lost"),
            disputed(name, "won"),
        ],
        "failed, expired": [
            unsettled(name, ident, "checkout.session.completed"),
            unsettled(name, ident, "checkout.session.async_payment_failed"),
            unsettled(f"{name}x", ident, "checkout.session.expired", status="expired", payment_intent=None),
        ],
        "refunded, disputed": [completed(name, order=ident), refunded(name, 1000), disputed(name, "lost", amount=1500)],
    }


@pytest.mark.parametrize(
    ("title", "status", "kept"),
    [
        ("delayed, refunded", "refunded", 0),
        ("expired, paid, lost, won", "paid", 2500),
        ("failed, expired", "payment_failed", 0),
        ("refunded, disputed", "refunded", 0),
    ],
)
def test_every_order_of_a_history_ends_in_the_same_order_row(play: Play, title: str, status: str, kept: int) -> None:
    places = list(itertools.permutations(range(len(histories("", "")[title]))))
    idents = orders(play, len(places))
    play.checkouts([name for ident in idents for name in (ident, f"{ident}x")])
    for ident, order_of in zip(idents, places, strict=True):
        told = histories(ident, ident)[title]
        play.send(*(told[place] for place in order_of), again(told[order_of[0]]))
    play.quiet()
    statement = "select id::text, status, amount_kept from public.orders where id = any ($1::uuid[])"
    rows = {row.pop("id"): row for row in play.rows(statement, idents)}
    wanted = {"status": status, "amount_kept": kept}
    assert {order_of: rows[ident] for ident, order_of in zip(idents, places, strict=True)} == dict.fromkeys(
        places, wanted
    )


def test_triggers_run_in_the_weak_role_which_cannot_change_what_an_order_costs(play: Play) -> None:
    allowed = play.rows(
        "select has_column_privilege('payments_trigger', 'public.orders', 'amount', 'update') as amount,"
        " has_column_privilege('payments_trigger', 'public.orders', 'status', 'update') as status,"
        " has_table_privilege('payments_trigger', 'public.orders', 'insert, delete') as more,"
        " has_table_privilege('authenticated', 'public.orders', 'insert, update, delete') as users,"
        " has_table_privilege('anon', 'public.orders', 'select') as guests"
    )
    assert allowed == [{"amount": False, "status": True, "more": False, "users": False, "guests": False}]


def test_users_see_their_own_orders_only_and_odd_subjects_see_none(play: Play) -> None:
    mine, other = ordered(play, user="ada"), ordered(play, user="bob")
    seen = {row["id"] for row in play.as_user("ada", "select id::text from public.orders")}
    assert mine in seen
    assert other not in seen
    assert play.as_user("not ' a uuid", "select id from public.orders") == []


def test_a_user_orders_for_the_catalogs_price(play: Play) -> None:
    script(
        play.database,
        "insert into payments.stripe_prices (environment, price_id, active, currency, unit_amount, type) values"
        " ('test', 'price_listed', true, 'usd', 1200, 'one_time'), ('test', 'price_old', false, 'usd', 1, 'one_time'),"
        " ('live', 'price_live', true, 'usd', 1, 'one_time'), ('test', 'price_plan', true, 'usd', 1, 'recurring')",
    )
    play.as_user("eve", "select public.place_order('price_listed', 3)")
    statement = "select price_id, quantity, amount, currency, environment, status from public.orders"
    expected = {"price_id": "price_listed", "quantity": 3, "amount": 3600, "currency": "usd", "environment": "test"}
    assert play.as_user("eve", statement) == [{**expected, "status": "pending"}]
    for refused in ("price_old", "price_live", "price_plan", "price_unknown"):
        with pytest.raises(Exception, match="not for sale"):
            play.as_user("eve", f"select public.place_order('{refused}')")
