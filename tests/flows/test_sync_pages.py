"""Windows of a list: read page by page, cut while they are read, carried on where they ended."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from paygres.server.flows.parts import Parts
from paygres.server.flows.sync_environment import Progress, Wanted, resume_syncs, sync_environment
from paygres.server.flows.sync_pages import advance, from_its_last_second, query
from paygres.server.flows.sync_plan import BY_KEY
from paygres.server.stripe_gateway.gateway import Page
from paygres.server.tables.syncs import Window
from tests.flows.running_parts import Sandbox, parts_on, rows, sandbox_process
from tests.flows.syncing import connected, dial
from tests.fresh_database import FreshDatabase

CUSTOMERS = Wanted(("customers",))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


def listed(*created: int, has_more: bool = True) -> Page:
    return Page([{"id": f"cus_{at}", "created": at} for at in created], has_more, as_of=5000)


def test_a_page_moves_its_window_to_the_last_object() -> None:
    fetched, moved = advance(Window("customers", 0), listed(900, 800))
    assert [row["created"] for row in fetched] == [900, 800]
    assert (moved.last_id, moved.reached, moved.seen, moved.pages, moved.done) == ("cus_800", 800, 2, 1, False)


def test_a_page_that_runs_over_a_window_cut_short_meanwhile_ends_it() -> None:
    fetched, moved = advance(Window("customers", 0, created_from=850), listed(900, 800))
    assert [row["created"] for row in fetched] == [900]
    assert (moved.seen, moved.done) == (1, True)


def test_an_empty_page_ends_a_window() -> None:
    _, moved = advance(Window("customers", 3, created_from=10, created_to=20), listed(has_more=False))
    assert (moved.seen, moved.pages, moved.done, moved.as_of) == (0, 1, True, 5000)


def test_a_window_asks_for_its_stretch_of_the_list() -> None:
    window = Window("archived_prices", 1, created_from=10, created_to=20, last_id="price_1")
    assert query(BY_KEY["archived_prices"], window) == {
        "active": "false",
        "created": {"gte": 10, "lt": 20},
        "starting_after": "price_1",
    }


def test_when_the_object_to_begin_after_is_gone_its_second_is_read_again() -> None:
    _, moved = advance(Window("customers", 0), listed(900, 800))
    again = from_its_last_second(moved)
    assert query(BY_KEY["customers"], again)["created"] == {"lt": 801}
    assert (again.last_id, again.seen) == (None, 2)


async def test_a_long_list_is_read_by_several_lanes_and_every_object_once(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    told: list[Progress] = []
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=1234)
        result = await sync_environment(parts, "test", CUSTOMERS, on_progress=told.append)
        windows = await rows(database, "select * from payments.sync_windows where listing = 'customers'")
    assert result["sync"]["counts"] == {"customers": 1234}
    assert len(windows) > 1
    assert all(window["done"] for window in windows)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert (told[-1].name, told[-1].done) == ("customers", 1234)
    [kept] = await rows(database, "select count(*), count(distinct provider_customer_id) from payments.customers")
    assert kept == {"count": 1234}
    [snapshots] = await rows(database, "select count(*) from payments.stripe_snapshots where object_type = 'customer'")
    assert snapshots == {"count": 1234}


async def broken_off(parts: Parts, database: FreshDatabase, wanted: Wanted = CUSTOMERS, after: int = 3) -> None:
    """A sync whose process ends (in order) when it has told of so many pages."""
    enough = asyncio.Event()
    pages = 0

    def count(_: Progress) -> None:
        nonlocal pages
        pages += 1
        if pages == after:
            enough.set()

    task = parts.errands.start(sync_environment(parts, "test", wanted, on_progress=count))
    await enough.wait()
    await parts.errands.stop()
    assert task.cancelled()
    [left] = await rows(database, "select status, finished_at from payments.syncs where status = 'running'")
    assert left == {"status": "running", "finished_at": None}


async def progress(database: FreshDatabase) -> dict[str, Any]:
    [found] = await rows(database, "select sum(pages)::int as pages, sum(seen)::int as seen from payments.sync_windows")
    return found


async def test_the_next_sync_goes_on_where_the_last_one_was_broken_off(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=900)
        await broken_off(parts, database)
        before = await progress(database)
        told: list[Progress] = []
        result = await sync_environment(parts, "test", CUSTOMERS, on_progress=told.append)
    assert before["pages"] >= 3
    assert min(one.pages for one in told) > before["pages"]
    assert result["sync"]["counts"] == {"customers": 900}
    [ended] = await rows(database, "select status, counts from payments.syncs where objects = '{customers}'")
    assert ended["status"] == "succeeded"
    assert await rows(database, "select from payments.customers having count(*) <> 900") == []


async def test_the_worker_carries_a_broken_off_sync_on(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=700)
        await broken_off(parts, database)
        await resume_syncs(parts)
        for _ in range(400):
            ended = await rows(database, "select status from payments.syncs where objects = '{customers}'")
            if ended == [{"status": "succeeded"}]:
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("not carried on")
        await resume_syncs(parts)
    assert await rows(database, "select from payments.customers having count(*) <> 700") == []


async def test_a_sync_broken_off_an_hour_ago_or_for_other_objects_begins_anew(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=600)
        await broken_off(parts, database)
        await rows(database, "update payments.syncs set started_at = started_at - interval '61 minutes'")
        await broken_off(parts, database)
        await sync_environment(parts, "test", Wanted(("products",)))
    ended = await rows(database, "select objects, status, error from payments.syncs order by started_at desc limit 3")
    given_up = "It was broken off, and another sync began"
    assert [(one["objects"], one["status"], one["error"]) for one in ended] == [
        (["products"], "succeeded", None),
        (["customers"], "failed", given_up),
        (["customers"], "failed", given_up),
    ]


async def test_a_run_that_was_thought_dead_cannot_write_any_more(database: FreshDatabase, sandbox: Sandbox) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, customers=2000)
        begun = asyncio.Event()
        lost = asyncio.create_task(sync_environment(parts, "test", CUSTOMERS, on_progress=lambda _: begun.set()))
        await begun.wait()  # and now as if this process slept through its lease, and another went on
        await rows(database, "update payments.syncs set holder = gen_random_uuid() where status = 'running'")
        result = await lost
    assert result["sync"]["error"] == "Another process carries this sync on"
    assert (result["subscriptions"], result["connection"]["status"]) == (None, "connected")
    [left] = await rows(database, "select status from payments.syncs where objects = '{customers}'")
    assert left == {"status": "running"}


async def test_a_list_the_key_may_not_read_fails_the_sync_and_the_others_are_read(
    database: FreshDatabase, sandbox: Sandbox
) -> None:
    async with parts_on(database, sandbox.url, limits=False) as parts:
        await connected(parts, sandbox, products=2, customers=3)
        dial(sandbox, "faults", answers=[{"status": 403, "path": "/v1/customers", "count": 1}])
        result = await sync_environment(parts, "test")
    assert result["connection"]["lastSyncStatus"] == "failed"
    assert result["connection"]["lastSyncError"].startswith("customers: ")
    assert result["subscriptions"] is None
    assert result["sync"]["counts"]["products"] == 2
    assert await rows(database, "select from payments.stripe_products having count(*) <> 2") == []
