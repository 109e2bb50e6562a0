"""`paygres chaos` finds every planted fault by its kind, and nothing in code that has none."""

from pathlib import Path

import pytest

from paygres.server.db.embedded import Urls
from tests.chaos.playing import ORDER, RECIPES, SQL, planted, report

PURCHASE = ("--metadata", "order_id=o1", "--subject", "user:u1", "--price", "price_1=2500")
PLAN = ("--subject", "user:u1", "--plan", "price_plan=900")

# The fault's file, what is played beside the first history, and all that is found in these: kind and history.
FAULTS = [
    (
        "never_looks_at_payment_status",
        PURCHASE,
        "delayed_payment_pending delayed_payment_fails",
        {("unpaid_grant", "delayed_payment_pending"), ("unpaid_grant", "delayed_payment_fails")},
    ),
    ("grants_at_every_run", PURCHASE, "card_purchase", {("double_grant", "card_purchase")}),
    (
        "keyed_by_the_event",
        PURCHASE,
        "card_purchase money_told_by_two_events",
        {("double_grant", "money_told_by_two_events")},
    ),
    ("keyed_by_the_object", PURCHASE, "card_purchase abandoned", {("double_grant", "card_purchase")}),
    ("adds_for_intent_and_checkout", PURCHASE, "card_purchase abandoned", {("double_grant", "card_purchase")}),
    ("stretches_a_deadline", PURCHASE, "card_purchase", {("double_grant", "card_purchase")}),
    (
        "last_event_wins",
        PURCHASE,
        "refunded declined_then_paid",
        {("order_dependent", "refunded"), ("double_grant", "refunded")},
    ),
    (
        "never_hears_of_late_money",
        PURCHASE,
        "delayed_payment_succeeds delayed_payment_fails",
        {("lost_async_success", "delayed_payment_succeeds")},
    ),
    (
        "never_compares_the_amount",
        PURCHASE,
        "card_purchase cheap_price_for_this_order delayed_payment_succeeds",
        {("mispriced_grant", "cheap_price_for_this_order")},
    ),
    ("raises_at_repeats", PURCHASE, "card_purchase", {("failing", "card_purchase")}),
    ("only_for_inserts", PURCHASE, "card_purchase declined_then_paid", {("nothing_granted", "card_purchase")}),
    (
        "keeps_what_was_refunded",
        PURCHASE,
        "refunded dispute_lost dispute_won second_payment",
        {("kept_after_return", "refunded"), ("kept_after_return", "dispute_lost")},
    ),
    (
        "extends_at_each_invoice_event",
        PLAN,
        "subscribed renewed",
        {("double_grant", "subscribed"), ("double_grant", "renewed")},
    ),
    (
        "status_from_the_payload",
        PLAN,
        "canceled first_payment_fails",
        {
            ("order_dependent", "canceled"),
            ("double_grant", "canceled"),
            ("unpaid_grant", "first_payment_fails"),
        },
    ),
]


@pytest.mark.parametrize(("fault", "sold", "played", "found"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_planted_fault_is_found_by_its_kind_and_nothing_else_is(
    postgres: Urls, fault: str, sold: tuple[str, ...], played: str, found: set[tuple[str, str]]
) -> None:
    told = report(postgres, *planted(fault), *sold, "--scenarios", *played.split(), "--runs", "3", "--seed", "1")
    assert {(one.kind, one.scenario) for one in told.findings} == found


def test_every_fault_has_its_file_and_every_file_its_test() -> None:
    beside = {"shop", "with_a_log", "orders.setup", "credits.setup", "entitlements.setup", "team-billing.setup"}
    assert {file.stem for file in SQL.glob("*.sql")} - beside == {fault[0] for fault in FAULTS}


@pytest.mark.parametrize(
    ("recipe", "sold"),
    [
        ("orders", ("--metadata", f"order_id={ORDER}", "--scenarios", "card_purchase", "abandoned", "refunded")),
        ("orders", ("--metadata", f"order_id={ORDER}", "--price", "price_1=2500", "--subject", "user:u1")),
        ("credits", ("--subject", "user:u1", "--price", "price_1=2500")),
        ("entitlements", ("--subject", "user:u1", "--price", "price_1=2500", "--plan", "price_plan=900")),
        ("team-billing", ("--subject", "team:t1", "--plan", "price_plan=900")),
    ],
    ids=["orders-of-guests", "orders-of-users", "credits", "entitlements", "team-billing"],
)
def test_a_recipe_has_no_finding_and_no_warning(postgres: Urls, recipe: str, sold: tuple[str, ...]) -> None:
    migration, rows = RECIPES / f"{recipe}.sql", SQL / f"{recipe}.setup.sql"
    told = report(postgres, "--sql", str(migration), "--setup", str(rows), *sold, "--runs", "4", "--seed", "2")
    assert told.findings == []


def test_a_log_a_random_token_and_a_clock_are_no_state(postgres: Urls) -> None:
    assert report(postgres, *planted("with_a_log"), *PURCHASE, "--runs", "4", "--seed", "3").findings == []


def test_a_table_that_is_ignored_is_not_looked_at(postgres: Urls) -> None:
    words = (*planted("grants_at_every_run"), *PURCHASE, "--scenarios", "declined_then_paid", "--runs", "1")
    told = report(postgres, *words, "--ignore", "public.grants")
    assert told.tables == ["public.orders"]
    assert told.findings == []


def test_a_finding_names_the_events_the_row_and_what_it_was(postgres: Urls) -> None:
    words = (*planted("never_compares_the_amount"), *PURCHASE, "--scenarios", "cheap_price_for_this_order")
    (finding,) = report(postgres, *words).findings
    assert finding.events == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    (change,) = finding.changes
    assert (change.table, change.key, change.column) == ("public.orders", ("o1",), "status")
    assert (change.before, change.after) == ("pending", "paid")


def test_what_only_a_clock_that_stands_still_would_show_is_not_reported(postgres: Urls, tmp_path: Path) -> None:
    code = tmp_path / "by_time.sql"
    code.write_text(
        # Right in life, where no two events commit in the same microsecond: the second of them finds the first's row.
        "create table public.visits (at timestamptz primary key default now(), order_id text);"
        "grant select, insert on public.visits to payments_trigger;"
        "create function public.visit() returns trigger language plpgsql set search_path = '' as $$ begin"
        " if not exists (select from public.visits where at < now()) then"
        " insert into public.visits (order_id) values ('o1'); end if; return null; end $$;"
        "create trigger visit after update on payments.webhook_events for each row"
        " when (new.processing_status = 'processed') execute function public.visit()"
    )
    told = report(postgres, "--sql", str(code), *PURCHASE, "--scenarios", "card_purchase", "--runs", "1")
    assert told.findings == []
