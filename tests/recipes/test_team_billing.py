"""The recipe for team billing: one row a team, computed from its subscriptions as they are, whatever told of them."""

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.flows.webhooks import deliver, sql
from tests.histories import START, Event
from tests.recipes.played import Play, again
from tests.recipes.subscribing import changed, ended, first_invoice_paid, started, subscribed_at_checkout
from tests.subscription_histories import DAY

FAR = 4_000_000_000


def new_team() -> str:
    return uuid.uuid4().hex


def billing(play: Play, team: str, *columns: str) -> tuple[Any, ...] | None:
    """Status, plan, seats and whether it has access; or the columns asked for. None without a row."""
    names = columns or ("status", "plan", "seats", "has_access")
    found = play.rows(f"select {', '.join(names)} from public.team_billing_status where team_id = $1", team)
    return tuple(found[0].values()) if found else None


def test_a_subscription_shows_its_plan_seats_and_period(play: Play) -> None:
    team = new_team()
    assert billing(play, team) is None
    play.send(started(team, ("team", team), "price_pro", seats=5))
    assert billing(play, team) == ("active", "pro", 5, True)
    assert billing(play, team, "current_period_end", "cancel_at", "access_until", "subscription_id", "customer_id") == (
        datetime.fromtimestamp(START + 30 * DAY, UTC),
        None,
        None,
        f"sub_{team}",
        f"cus_{team}",
    )


def test_a_change_of_plan_and_seats_shows_and_so_does_the_end(play: Play) -> None:
    team = new_team()
    whose = ("team", team)
    play.send(started(team, whose, "price_basic"), changed(team, whose, "price_pro", 1, seats=9))
    assert billing(play, team) == ("active", "pro", 9, True)
    play.send(changed(team, whose, "price_pro", 2, seats=9, cancel_at=FAR))
    end = datetime.fromtimestamp(FAR, UTC)
    assert billing(play, team, "has_access", "cancel_at", "access_until") == (True, end, end)
    play.send(ended(team, whose, "price_pro", 3, seats=9))
    assert billing(play, team) == ("canceled", "pro", 9, False)


@pytest.mark.parametrize(
    ("status", "access"),
    [("trialing", True), ("unpaid", False), ("paused", False), ("incomplete", False), ("incomplete_expired", False)],
)
def test_only_what_is_paid_or_tried_gives_access(play: Play, status: str, access: bool) -> None:
    team = new_team()
    play.send(started(team, ("team", team), "price_pro", status=status))
    assert billing(play, team) == (status, "pro", 1, access)


def test_a_price_that_is_no_plan_gives_none(play: Play) -> None:
    team = new_team()
    play.send(started(team, ("team", team), "price_of_something"), first_invoice_paid(team))
    assert billing(play, team) == ("active", None, 0, False)


def test_a_users_subscription_is_no_teams(play: Play) -> None:
    play.send(started(new_team(), ("user", "ada"), "price_pro"))
    assert billing(play, "ada") is None


def test_the_subscription_that_gives_access_counts_however_old_it_is(play: Play) -> None:
    team, other = new_team(), new_team()
    whose = ("team", team)
    later = {"status": "incomplete", "created": START + 500, "customer": f"cus_{team}"}
    play.send(started(team, whose, "price_basic"), started(other, whose, "price_pro", **later))
    assert billing(play, team) == ("active", "basic", 1, True)
    play.send(changed(other, whose, "price_pro", 1, **{**later, "status": "active"}))
    assert billing(play, team) == ("active", "pro", 1, True)
    play.send(ended(other, whose, "price_pro", 2, **{k: v for k, v in later.items() if k != "status"}))
    assert billing(play, team) == ("active", "basic", 1, True)


def test_a_late_event_is_only_a_hint(play: Play) -> None:
    team = new_team()
    whose = ("team", team)
    told = started(team, whose, "price_basic")
    play.send(changed(team, whose, "price_pro", 5, status="past_due"), told, again(told), first_invoice_paid(team))
    assert deliver(play.server, told).status_code == 200
    assert billing(play, team, "status", "plan") == ("past_due", "pro")


def test_a_checkout_that_tells_whose_customer_it_is_gives_the_team_its_row(play: Play) -> None:
    team = new_team()
    play.send(started(team, None, "price_pro"))
    assert billing(play, team) is None
    play.send(subscribed_at_checkout(team, ("team", team)))
    assert billing(play, team) == ("active", "pro", 1, True)


def test_a_subscription_that_becomes_another_teams_moves(play: Play) -> None:
    first, second = new_team(), new_team()
    play.send(started(first, ("team", first), "price_pro"), changed(first, ("team", second), "price_pro", 1))
    assert (billing(play, first), billing(play, second)) == (None, ("active", "pro", 1, True))


def life(team: str) -> list[Event]:
    whose = ("team", team)
    return [
        subscribed_at_checkout(team, whose),
        started(team, None, "price_basic", status="incomplete"),
        changed(team, None, "price_basic", 1),
        changed(team, None, "price_pro", 2, seats=4, cancel_at=FAR),
    ]


def end(team: str) -> list[Event]:
    whose = ("team", team)
    return [
        subscribed_at_checkout(team, whose),
        started(team, whose, "price_pro"),
        changed(team, whose, "price_pro", 3, status="past_due"),
        ended(team, whose, "price_pro", 9),
    ]


@pytest.mark.parametrize(
    ("history", "left"),
    [(life, ("active", "pro", 4, True)), (end, ("canceled", "pro", 1, False))],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_order_of_a_history_leaves_the_same_row(
    play: Play, history: Callable[[str], list[Event]], left: tuple[Any, ...]
) -> None:
    places = list(itertools.permutations(range(len(history("")))))
    teams = [f"{history.__name__}-{''.join(map(str, order_of))}" for order_of in places]
    for team, order_of in zip(teams, places, strict=True):
        told = history(team)
        play.send(*(told[place] for place in order_of), again(told[order_of[-1]]))
    play.quiet()
    rows = play.rows(
        "select team_id, status, plan, seats, has_access, current_period_end, cancel_at, access_until"
        " from public.team_billing_status where team_id like $1",
        f"{history.__name__}-%",
    )
    names = ("status", "plan", "seats", "has_access")
    assert {row["team_id"]: tuple(row[n] for n in names) for row in rows} == dict.fromkeys(teams, left)
    assert len({(row["current_period_end"], row["cancel_at"], row["access_until"]) for row in rows}) == 1


def test_members_see_their_team_and_nobody_writes(play: Play) -> None:
    team, other = new_team(), new_team()
    play.send(started(team, ("team", team), "price_pro"), started(other, ("team", other), "price_pro"))
    play.rows("insert into public.team_members values ($1, 'ada') returning team_id", team)
    seen = "select team_id from public.team_billing_status"
    assert play.as_user("ada", seen) == [{"team_id": team}]
    assert play.as_user("o'brien", seen) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        play.as_user("ada", "update public.team_billing_status set plan = 'pro'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        sql(play.database, "insert into public.team_plans values ('p', 'pro')", role="payments_trigger")
