"""The recipe for credits: packs give what they say, spending is safe, and refunds take back their exact share."""

import asyncio
import itertools
import json
import uuid
from typing import Any

import asyncpg
import pytest

from tests.flows.webhooks import sql
from tests.histories import Event
from tests.recipes.played import Play, again, completed, disputed, refunded, succeeded


def new_user() -> str:
    return f"user_{uuid.uuid4().hex}"


def paid(
    play: Play, user: str, items: dict[str, int] | None = None, *, amount: int = 2500, **changed: Any
) -> tuple[str, Event]:
    """A paid checkout of the user: its name and its event."""
    name, whose = uuid.uuid4().hex, ("user", user)
    play.checkout(name, items or {"price_pack": 1}, subject=whose)
    told = completed(name, subject=whose, amount=amount, **changed)
    play.send(told)
    return name, told


def balance(play: Play, user: str) -> tuple[int, int]:
    """What is left, and the debt."""
    found = play.rows("select balance, debt from public.credit_balances where user_id = $1", user)
    return (found[0]["balance"], found[0]["debt"]) if found else (0, 0)


def entries(play: Play, user: str) -> list[tuple[str, int]]:
    rows = play.rows("select kind, change from public.credit_ledger where user_id = $1 order by id", user)
    return [(row["kind"], row["change"]) for row in rows]


def spend(play: Play, user: str, amount: int, reference: str) -> bool:
    return play.as_user(user, f"select public.spend_credits({amount}, '{reference}') as spent")[0]["spent"]


@pytest.mark.parametrize(
    ("items", "amount", "credits"),
    [({"price_pack": 1}, 2500, 100), ({"price_pack": 3}, 7500, 300), ({"price_pack": 1, "price_small": 2}, 5000, 114)],
)
def test_packs_give_their_credits(play: Play, items: dict[str, int], amount: int, credits: int) -> None:
    user = new_user()
    paid(play, user, items, amount=amount)
    assert balance(play, user) == (credits, 0)
    assert entries(play, user) == [("purchase", credits)]


@pytest.mark.parametrize(
    ("items", "changed"),
    [
        ({"price_pack": 1}, {"amount": 100}),
        ({"price_pack": 1}, {"currency": "jpy"}),
        ({"price_pack": 1, "price_mug": 1}, {"amount": 4400}),
    ],
    ids=["amount", "currency", "something-beside-packs"],
)
def test_what_is_no_pack_as_it_is_sold_is_quarantined(
    play: Play, items: dict[str, int], changed: dict[str, Any]
) -> None:
    user = new_user()
    name, _ = paid(play, user, items, **changed)
    assert (balance(play, user), play.status_of(name, "credits")) == ((0, 0), "quarantined")


def test_a_guests_pack_is_quarantined_and_other_prices_are_left_alone(play: Play) -> None:
    guest, mug = uuid.uuid4().hex, uuid.uuid4().hex
    play.checkout(guest, {"price_pack": 1})
    play.checkout(mug, {"price_mug": 1})
    play.send(completed(guest), completed(mug))
    assert (play.status_of(guest, "credits"), play.status_of(mug, "credits")) == ("quarantined", None)


def test_metadata_of_a_buyer_moves_no_credits_to_somebody_else(play: Play) -> None:
    user, name = new_user(), uuid.uuid4().hex
    play.checkout(name, {"price_pack": 1}, subject=("team", user))
    play.send(completed(name, subject=("team", user)))
    assert (balance(play, user), play.status_of(name, "credits")) == ((0, 0), "quarantined")


def test_repeats_and_replays_give_nothing_more(play: Play) -> None:
    user = new_user()
    name, told = paid(play, user)
    late = completed(name, subject=("user", user), happened="checkout.session.async_payment_succeeded")
    play.send(told, again(told), late, again(late))
    assert entries(play, user) == [("purchase", 100)]


def test_delayed_and_free_purchases_give_when_they_are_settled(play: Play) -> None:
    user = new_user()
    name, told = paid(play, user, payment_status="unpaid")
    assert balance(play, user) == (0, 0)
    play.send(
        completed(
            name, subject=("user", user), happened="checkout.session.async_payment_succeeded", at=told["created"] + 9
        )
    )
    assert balance(play, user) == (100, 0)
    paid(play, user, payment_status="no_payment_required", amount_total=0, payment_intent=None)
    assert balance(play, user) == (200, 0)


def test_refunds_take_back_their_share_rounded_down_once(play: Play) -> None:
    user = new_user()
    name, _ = paid(play, user, {"price_small": 2})
    assert balance(play, user) == (14, 0)
    for back, before, left in ((1000, 0, 8), (1001, 1000, 8), (1699, 1001, 4), (2499, 1699, 0), (2500, 2499, 0)):
        play.send(refunded(name, back, before))
        assert balance(play, user) == (left, 0)


def test_a_third_of_three_credits_is_one(play: Play) -> None:
    user = new_user()
    name, _ = paid(play, user, {"price_three": 1}, amount=3)
    play.send(succeeded(name, amount=3, subject=("user", user)), refunded(name, 2, amount=3))
    assert balance(play, user) == (1, 0)


def test_a_lost_dispute_takes_all_back_and_a_won_one_gives_it_again(play: Play) -> None:
    user = new_user()
    name, _ = paid(play, user)
    play.send(disputed(name, "lost"))
    assert balance(play, user) == (0, 0)
    play.send(disputed(name, "won"), again(disputed(name, "won")))
    assert entries(play, user) == [("purchase", 100), ("reversal", -100), ("restoration", 100)]


def test_credits_that_were_spent_and_taken_back_are_a_debt_that_the_next_purchase_pays(play: Play) -> None:
    user = new_user()
    name, _ = paid(play, user)
    assert spend(play, user, 80, "picture-1")
    play.send(refunded(name, 2500))
    assert balance(play, user) == (0, 80)
    assert not spend(play, user, 1, "picture-2")
    paid(play, user)
    assert balance(play, user) == (20, 0)


def test_spending_wants_credits_and_spends_once_for_a_reference(play: Play) -> None:
    user = new_user()
    paid(play, user)
    assert [spend(play, user, 60, name) for name in ("a", "a", "b", "c")] == [True, True, False, False]
    assert spend(play, user, 40, "b")
    assert balance(play, user) == (0, 0)
    with pytest.raises(asyncpg.InvalidParameterValueError, match="spent on a already"):
        spend(play, user, 61, "a")
    for nothing in (0, -5):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            spend(play, user, nothing, "d")


async def test_two_who_spend_at_once_do_not_spend_the_same_credits(play: Play) -> None:
    user = new_user()
    paid(play, user)

    async def spender(number: int) -> bool:
        connection = await asyncpg.connect(play.database.superuser_url)
        try:
            claims = json.dumps({"role": "authenticated", "sub": user})
            await connection.execute(f"set role authenticated; set request.jwt.claims = '{claims}'")
            return await connection.fetchval("select public.spend_credits(30, $1)", f"at-once-{number}")
        finally:
            await connection.close()

    assert sorted(await asyncio.gather(*(spender(n) for n in range(5)))) == [False, False, True, True, True]
    assert balance(play, user) == (10, 0)


HISTORIES = {
    "refunds": (
        28,
        lambda name, whose: [
            completed(name, subject=whose),
            refunded(name, 700),
            refunded(name, 1800, 700),
            succeeded(name, subject=whose),
        ],
    ),
    "lost, then won": (
        100,
        lambda name, whose: [
            completed(name, subject=whose),
            disputed(name, "lost"),
            disputed(name, "won"),
            succeeded(name, subject=whose),
        ],
    ),
    "delayed, all back": (
        0,
        lambda name, whose: [
            completed(name, subject=whose, payment_status="unpaid"),
            completed(name, subject=whose, at=1_790_000_900, happened="checkout.session.async_payment_succeeded"),
            refunded(name, 2500),
        ],
    ),
}


@pytest.mark.parametrize("title", HISTORIES)
def test_every_order_of_a_history_leaves_the_same_credits(play: Play, title: str) -> None:
    credits, history = HISTORIES[title]
    places = list(itertools.permutations(range(len(history("", ("user", ""))))))
    for order_of in places:
        name = "-".join(map(str, order_of)) + title.replace(" ", "")
        whose = ("user", name)
        play.checkout(name, {"price_pack": 1}, subject=whose)
        told = history(name, whose)
        play.send(*(told[place] for place in order_of), again(told[order_of[-1]]))
    play.quiet()
    held = "select user_id, sum(change)::int as held from public.credit_ledger where user_id like $1 group by user_id"
    rows = play.rows(held, f"%{title.replace(' ', '')}")
    found = {row["user_id"]: row["held"] for row in rows if row["held"]}
    wanted = {"-".join(map(str, order_of)) + title.replace(" ", ""): credits for order_of in places if credits}
    assert found == wanted


def test_the_ledger_is_append_only_even_for_its_owner_and_weak_in_the_triggers_role(play: Play) -> None:
    paid(play, new_user())
    for statement in ("update public.credit_ledger set change = 1", "delete from public.credit_ledger"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            play.rows(statement)
    (allowed,) = play.rows(
        "select has_table_privilege('payments_trigger', 'public.credit_ledger', 'update, delete') as more,"
        " has_table_privilege('payments_trigger', 'public.credit_packs', 'insert, update, delete') as packs,"
        " has_table_privilege('authenticated', 'public.credit_ledger', 'insert, update, delete') as users,"
        " has_function_privilege('authenticated', 'public.spend_credits_of(text,text,bigint,text)', 'execute') as of,"
        " has_function_privilege('anon', 'public.spend_credits(bigint,text)', 'execute') as guests"
    )
    assert not any(allowed.values())


def test_users_see_their_own_credits_only(play: Play) -> None:
    ada, bob = new_user(), new_user()
    paid(play, ada)
    paid(play, bob)
    for table in ("public.credit_ledger", "public.credit_balances"):
        assert {row["user_id"] for row in play.as_user(ada, f"select user_id from {table}")} == {ada}
        assert play.as_user("o'brien", f"select * from {table}") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        sql(play.database, "select * from public.credit_ledger", role="anon")
