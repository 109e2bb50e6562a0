"""`paygres chaos` as a command: exit codes, JSON, listeners, and whose databases it leaves alone."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.chaos.playing import planted
from tests.cli.running import Ran, clean_environment, spawn
from tests.fresh_database import FreshDatabase, in_its_own_loop
from tests.http.running import environment
from tests.system.processes import end, family, gone, wait_until

ORDER = ("--metadata", "order_id=o1", "--subject", "user:u1")
LISTENER = """
from paygres.server import Payments, StripeEvent, Transaction

payments = Payments.from_env()

@payments.on("checkout.session.completed", "checkout.session.async_payment_succeeded")
async def pay(event: StripeEvent, tx: Transaction) -> None:
    order = event.object["metadata"]["order_id"]
    if {asks}:
        await tx.execute("insert into public.grants (order_id, credits) values ($1, 100)", order)
"""


def chaos(*words: str, cwd: Path | None = None, **variables: str) -> Ran:
    return spawn("chaos", *words, cwd=cwd, **variables)


def databases(database: FreshDatabase) -> set[str]:
    """Of its whole server."""
    return set(rows(database, "select datname from pg_database"))


def relations(database: FreshDatabase) -> list[str]:
    return rows(database, "select oid::regclass::text from pg_class order by 1")


def rows(database: FreshDatabase, statement: str) -> list[str]:
    async def ask() -> list[str]:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            return [row[0] for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return in_its_own_loop(ask())


def test_an_embedded_postgres_is_started_and_the_report_is_json() -> None:
    words = (*planted("never_compares_the_amount"), *ORDER, "--scenarios", "cheap_price_for_this_order", "--seed", "7")
    ran = chaos(*words, "--json", DATABASE_URL="postgresql://nobody@127.0.0.1:1/never_opened")
    told = json.loads(ran.out)
    assert (ran.code, ran.errors) == (10, "")
    (finding,) = told["findings"]
    assert (finding["kind"], finding["severity"]) == ("mispriced_grant", "error")
    assert finding["changes"] == [
        {"table": "public.orders", "key": ["o1"], "column": "status", "before": "pending", "after": "paid"}
    ]
    assert (told["seed"], told["tables"]) == (7, ["public.grants", "public.orders"])


def test_the_database_of_a_given_server_is_left_alone_and_its_copies_go(database: FreshDatabase) -> None:
    before, tables = databases(database), relations(database)
    words = (*planted("keeps_what_was_refunded"), *ORDER, "--scenarios", "refunded", "--runs", "2", "--on-server")
    ran = chaos(*words, DATABASE_URL=database.superuser_url)
    assert ran.code == 0, ran.errors  # a warning does not fail a build
    assert "warning kept_after_return in refunded" in ran.out
    assert (databases(database), relations(database)) == (before, tables)


@pytest.mark.parametrize("later", [0, 0.05, 0.2, 0.8])
def test_a_run_that_is_stopped_leaves_no_database(database: FreshDatabase, later: float) -> None:
    assert stopped_on_server(database, later) == (130, "")


@pytest.mark.parametrize("later", [0.8, 0.85, 0.9, 0.95])
def test_a_signal_while_an_answer_is_read_is_no_error(database: FreshDatabase, tmp_path: Path, later: float) -> None:
    """PostgreSQL sends without an end, so the signal falls into the reading half of the time."""
    endless = tmp_path / "endless.sql"
    endless.write_text("do $$ begin loop raise notice 'go on'; end loop; end $$")
    assert stopped_on_server(database, later, "--sql", str(endless)) == (130, "")


def test_a_run_in_the_background_of_a_script_is_stopped_too(database: FreshDatabase) -> None:
    """There the shell has SIGINT ignored, which what it starts inherits."""
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert stopped_on_server(database, 0.2) == (130, "")
    finally:
        signal.signal(signal.SIGINT, former)


def stopped_on_server(database: FreshDatabase, later: float, *words: str) -> tuple[int, str]:
    """Stopped so many seconds after its first database is there."""
    before = databases(database)
    process = start_chaos(*words, "--on-server", DATABASE_URL=database.superuser_url)
    wait_until(lambda: databases(database) - before, "a throw-away database is there")
    time.sleep(later)
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert databases(database) == before
    return process.returncode, said


@pytest.mark.parametrize("program", ["initdb", "postgres"])
def test_a_run_that_is_stopped_while_its_own_postgres_begins_leaves_nothing(program: str) -> None:
    process = start_chaos()
    children = psutil.Process(process.pid).children
    begun = wait_until(lambda: [p for p in children() if p.name() == program], f"{program} runs")[0]
    words = begun.cmdline()
    folder = Path(words[words.index("-D") + 1]).parent
    assert folder.is_dir()
    everyone = family(process)
    assert (end(process), gone(everyone), folder.exists()) == (130, True, False)


def start_chaos(*words: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "paygres.cli.main", "chaos", *planted("keeps_what_was_refunded"), *words]
    environment = clean_environment(**variables)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_role_that_may_not_create_databases_is_told_so(database: FreshDatabase) -> None:
    ran = chaos(*planted("keeps_what_was_refunded"), "--on-server", DATABASE_URL=database.owner_url)
    assert ran.code == 12
    assert "permission denied to create database" in ran.errors


def test_sql_that_does_not_run_is_named(database: FreshDatabase, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text("create table public.orders (id nonsense)")
    ran = chaos("--sql", str(broken), "--on-server", DATABASE_URL=database.superuser_url)
    assert (ran.code, ran.out) == (64, "")
    assert 'broken.sql: type "nonsense" does not exist' in ran.errors


def test_arguments_that_make_no_sense_are_refused_in_one_sentence() -> None:
    for words, sentence in (
        (("--scenarios", "card_purchase"), "nothing to look at"),
        ((*planted("shop"), "--scenarios", "cards"), "--scenarios cards: there is none here"),
        ((*planted("shop"), "--price", "price_1=25.00"), "a whole number of minor units"),
        ((*planted("shop"), "--metadata", "insforge_subject_id=u1"), "are the server's"),
    ):
        ran = chaos(*words)
        assert (ran.code, ran.out, ran.errors.count("\n")) == (64, "", 1)
        assert sentence in ran.errors


def test_listeners_in_python_are_played_like_triggers(database: FreshDatabase, tmp_path: Path) -> None:
    settings = environment(database.superuser_url)
    shop = ("--sql", planted("shop")[1], *ORDER, "--runs", "2", "--on-server", "--json")
    names = ("delayed_payment_pending",)
    found: dict[str, set[tuple[str, str]]] = {}
    for module, asks in (
        ("careless", 'event.object["payment_status"] != "void"'),
        ("careful", 'await event.fulfill(tx, "orders", key=order, amount=2500, currency="usd")'),
    ):
        (tmp_path / f"{module}.py").write_text(LISTENER.format(asks=asks))
        ran = chaos(*shop, "--listeners", module, "--scenarios", *names, cwd=tmp_path, **settings)
        found[module] = {(f["kind"], f["scenario"]) for f in json.loads(ran.out)["findings"]}
    assert found["careful"] == set()
    assert found["careless"] == {
        ("double_grant", "delayed_payment_pending"),
        ("unpaid_grant", "delayed_payment_pending"),
    }
