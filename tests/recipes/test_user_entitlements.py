"""The recipe for entitlements: features of named prices, by purchases whose money stays and by subscriptions."""

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.flows.webhooks import script, sql
from tests.histories import START, Event
from tests.recipes.played import Play, again, completed, disputed, refunded, succeeded
from tests.recipes.subscribing import Subject, changed, ended, first_invoice_paid, started, subscribed_at_checkout

FAR = 4_000_000_000 - START  # periods of subscriptions here: they are not over


def new_name() -> str:
    return uuid.uuid4().hex


def bought(play: Play, user: str, items: dict[str, int] | None = None, **changes: Any) -> tuple[str, Event]:
    """A paid checkout: its name and its event."""
    name, whose = new_name(), ("user", user)
    play.checkout(name, items or {"price_book": 1}, subject=whose)
    told = completed(name, subject=whose, **changes)
    play.send(told)
    return name, told


def features(play: Play, user: str) -> list[str]:
    rows = play.rows("select feature from public.user_entitlements where user_id = $1 order by feature", user)
    return [row["feature"] for row in rows]


def entitled(play: Play, user: str, feature: str) -> bool:
    return play.as_user(user, f"select public.is_entitled('{feature}') as yes")[0]["yes"]


def test_a_purchase_gives_the_features_of_its_price(play: Play) -> None:
    user = new_name()
    bought(play, user, {"price_bundle": 1}, amount=4000)
    assert features(play, user) == ["book", "video"]
    assert entitled(play, user, "video")
    assert not entitled(play, user, "export")
    assert not entitled(play, new_name(), "video")


@pytest.mark.parametrize(
    ("items", "changes"),
    [
        ({"price_book": 1}, {"amount": 1}),
        ({"price_book": 1}, {"currency": "jpy"}),
        ({"price_book": 1, "price_mug": 1}, {"amount": 4400}),
        ({"price_pro": 1}, {}),  # it has no one-time amount
    ],
    ids=["amount", "currency", "something-else-too", "no-amount"],
)
def test_money_that_does_not_fit_is_quarantined(play: Play, items: dict[str, int], changes: dict[str, Any]) -> None:
    user = new_name()
    name, _ = bought(play, user, items, **changes)
    assert (features(play, user), play.status_of(name, "entitlements")) == ([], "quarantined")


def test_any_other_paid_checkout_or_invoice_gives_nothing(play: Play) -> None:
    user, guest = new_name(), new_name()
    name, _ = bought(play, user, {"price_mug": 1})
    play.send(started(user, ("user", user), "price_unknown"), first_invoice_paid(user))
    assert (features(play, user), play.status_of(name, "entitlements")) == ([], None)
    play.checkout(guest, {"price_book": 1})
    play.send(completed(guest))
    assert play.status_of(guest, "entitlements") == "quarantined"


def test_repeats_and_replays_give_one_row(play: Play) -> None:
    user = new_name()
    name, told = bought(play, user)
    late = completed(name, subject=("user", user), happened="checkout.session.async_payment_succeeded")
    play.send(told, again(told), late)
    assert features(play, user) == ["book"]


def test_a_purchase_lasts_while_some_of_its_money_is_here(play: Play) -> None:
    user = new_name()
    name, _ = bought(play, user)
    play.send(refunded(name, 2400))
    assert features(play, user) == ["book"]
    play.send(refunded(name, 2500, 2400))
    assert features(play, user) == []


def test_a_lost_dispute_revokes_and_a_won_one_restores(play: Play) -> None:
    user = new_name()
    name, _ = bought(play, user)
    play.send(disputed(name, "lost"))
    assert features(play, user) == []
    play.send(disputed(name, "won"))
    assert features(play, user) == ["book"]


def test_two_purchases_of_one_feature_are_revoked_one_by_one(play: Play) -> None:
    user = new_name()
    first, _ = bought(play, user)
    bought(play, user, {"price_bundle": 1}, amount=4000)
    play.send(refunded(first, 2500))
    assert features(play, user) == ["book", "video"]


def test_delayed_and_free_purchases_give_when_they_are_settled(play: Play) -> None:
    user = new_name()
    name, _ = bought(play, user, payment_status="unpaid")
    assert features(play, user) == []
    play.send(
        completed(name, subject=("user", user), happened="checkout.session.async_payment_succeeded", at=START + 99)
    )
    assert features(play, user) == ["book"]
    free = new_name()
    bought(play, free, payment_status="no_payment_required", amount_total=0, payment_intent=None)
    assert features(play, free) == ["book"]


def test_a_subscription_gives_its_prices_features_and_a_change_of_plan_moves_them(play: Play) -> None:
    user = new_name()
    whose = ("user", user)
    play.send(started(user, whose, "price_pro"))
    assert features(play, user) == ["export", "priority"]
    play.send(changed(user, whose, "price_basic", 1))
    assert features(play, user) == ["export"]
    play.send(changed(user, whose, "price_basic", 2, status="unpaid"))
    assert features(play, user) == []
    play.send(changed(user, whose, "price_basic", 3, status="trialing"), ended(user, whose, "price_basic", 4))
    assert features(play, user) == []


def test_what_is_canceled_lasts_until_its_end_and_a_renewing_one_has_none(play: Play) -> None:
    user = new_name()
    whose = ("user", user)
    statement = "select distinct ends_at from public.user_entitlements where user_id = $1"
    play.send(started(user, whose, "price_pro"))
    assert play.rows(statement, user) == [{"ends_at": None}]
    play.send(changed(user, whose, "price_pro", 1, cancel_at=START + FAR))
    assert play.rows(statement, user)[0]["ends_at"].timestamp() == START + FAR
    assert entitled(play, user, "export")
    script(play.database, f"update public.user_entitlements set ends_at = now() where user_id = '{user}'")
    assert not entitled(play, user, "export")


def test_a_checkout_that_tells_whose_customer_it_is_gives_an_older_subscription_its_user(play: Play) -> None:
    user = new_name()
    play.send(started(user, None, "price_pro"))
    assert features(play, user) == []
    play.send(subscribed_at_checkout(user, ("user", user)))
    assert features(play, user) == ["export", "priority"]


def test_a_subscription_that_becomes_somebody_elses_moves(play: Play) -> None:
    ada, bob = new_name(), new_name()
    play.send(started(ada, ("user", ada), "price_basic"), changed(ada, ("user", bob), "price_basic", 1))
    assert (features(play, ada), features(play, bob)) == ([], ["export"])


def purchase_goes_back(user: str) -> list[Event]:
    whose = ("user", user)
    return [
        completed(user, subject=whose),
        succeeded(user, subject=whose),
        refunded(user, 900),
        refunded(user, 2500, 900),
    ]


def dispute_is_won(user: str) -> list[Event]:
    return [completed(user, subject=("user", user)), disputed(user, "lost"), disputed(user, "won")]


def plan_changes(user: str) -> list[Event]:
    whose: Subject = ("user", user)
    return [
        subscribed_at_checkout(user, whose),
        started(user, None, "price_pro", status="incomplete"),
        changed(user, None, "price_pro", 1),
        changed(user, None, "price_basic", 2, cancel_at=START + FAR),
    ]


def plan_ends(user: str) -> list[Event]:
    whose: Subject = ("user", user)
    return [
        subscribed_at_checkout(user, whose),
        first_invoice_paid(user),
        started(user, whose, "price_pro"),
        ended(user, whose, "price_pro", 9),
    ]


@pytest.mark.parametrize(
    ("history", "left"),
    [(purchase_goes_back, []), (dispute_is_won, ["book"]), (plan_changes, ["export"]), (plan_ends, [])],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_order_of_a_history_leaves_the_same_entitlements(
    play: Play, history: Callable[[str], list[Event]], left: list[str]
) -> None:
    places = list(itertools.permutations(range(len(history("")))))
    users = [f"{history.__name__}-{''.join(map(str, order_of))}" for order_of in places]
    for user, order_of in zip(users, places, strict=True):
        play.checkout(user, {"price_book": 1}, subject=("user", user))
        told = history(user)
        play.send(*(told[place] for place in order_of), again(told[order_of[-1]]))
    play.quiet()
    rows = play.rows(
        "select user_id, array_agg(feature order by feature) as features, max(ends_at) as ends_at"
        " from public.user_entitlements where user_id like $1 group by user_id",
        f"{history.__name__}-%",
    )
    assert {row["user_id"]: row["features"] for row in rows} == ({user: left for user in users} if left else {})
    assert len({row["ends_at"] for row in rows}) <= 1


def test_the_triggers_role_and_other_users_have_no_more_than_they_need(play: Play) -> None:
    ada, bob = new_name(), new_name()
    bought(play, ada)
    bought(play, bob)
    assert {row["user_id"] for row in play.as_user(ada, "select user_id from public.user_entitlements")} == {ada}
    assert play.as_user("o'brien", "select * from public.user_entitlements") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        play.as_user(ada, f"insert into public.user_entitlements values ('test', '{ada}', 'video', 'purchase', 'x')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        sql(play.database, "insert into public.entitlement_prices values ('p', array['x'])", role="payments_trigger")
