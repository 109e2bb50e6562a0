"""Operators' routes for fulfillments, and reversals that no event's transaction saw to."""

from typing import Any

import httpx2
import pytest

from paygres.server import Payments, StripeEvent, Transaction
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.settle_reversals import settle_reversals
from tests.flows.listening import FULFILLING, anew, ask, execute, opened, payments_on, told
from tests.flows.running_parts import parts_on
from tests.fresh_database import FreshDatabase
from tests.histories import START, charge, event, session

PATH = "/api/paygres/test/fulfillments"
TAKE_BACK = """
create function public.take_back() returns trigger language plpgsql as $$ begin
    insert into public.seen (what, role) values ('kept ' || new.amount_kept, current_user);
    {more}
    return null;
end $$;
create trigger take_back after update of amount_kept on payments.fulfillments for each row
    when (old.amount_kept <> new.amount_kept) execute function public.take_back();
"""


@pytest.fixture
def shop(emptied: FreshDatabase) -> FreshDatabase:
    """Orders, and nothing of the test before."""
    return anew(emptied)


def selling(database: FreshDatabase, *, broken: bool = False) -> Payments:
    payments = payments_on(database, worker=False)

    @payments.on(*FULFILLING, name="shop.sell")
    async def sell(event: StripeEvent, tx: Transaction) -> None:
        order = await tx.fetchrow("select * from public.orders where id = $1", event.object["metadata"]["order_id"])
        if broken:
            raise LookupError("the shelf")
        if await event.fulfill(tx, "orders", key=order["id"], amount=order["amount"], currency=order["currency"]):
            await tx.execute("update public.orders set paid = paid + 1 where id = $1", order["id"])

    return payments


def paid(name: str, order: str) -> dict[str, Any]:
    stamped = {"order_id": order, "insforge_subject_type": "user", "insforge_subject_id": name}
    bought = session(name, status="complete", payment_status="paid", payment_intent=f"pi_{name}", metadata=stamped)
    return event("checkout.session.completed", START, bought)


async def listed(client: httpx2.AsyncClient, **query: str) -> list[str]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [one["paymentKey"] for one in answer.json()["fulfillments"]]


async def one_of(client: httpx2.AsyncClient, **query: str) -> dict[str, Any]:
    (found,) = (await client.get(PATH, params=query)).json()["fulfillments"]
    return found


async def test_fulfillments_are_listed_by_status_rule_key_subject_and_payment(shop: FreshDatabase) -> None:
    async with opened(selling(shop)) as client:
        for name, order in (("a", "o1"), ("b", "dear"), ("c", "o1")):
            await told(client, paid(name, order))
        assert await listed(client) == ["pi_c", "pi_b", "pi_a"]
        assert await listed(client, sort="created") == ["pi_a", "pi_b", "pi_c"]
        assert await listed(client, status="quarantined") == ["pi_c", "pi_b"]
        assert await listed(client, status="granted", rule="orders", key="o1") == ["pi_a"]
        assert await listed(client, rule="credits") == []
        assert await listed(client, subjectType="user", subjectId="b") == ["pi_b"]
        assert await listed(client, payment="pi_c") == await listed(client, payment="cs_test_c") == ["pi_c"]
        first = (await client.get(PATH, params={"limit": "2"})).json()
        second = (await client.get(PATH, params={"limit": "2", "cursor": first["nextCursor"]})).json()
        assert [one["paymentKey"] for one in (*first["fulfillments"], *second["fulfillments"])] == [
            "pi_c",
            "pi_b",
            "pi_a",
        ]
        assert second["nextCursor"] is None
        csv = await client.get(PATH, params={"format": "csv", "status": "granted"})
        assert csv.text.count("\r\n") == 2
        shown = await one_of(client, key="dear")
        assert (await client.get(f"{PATH}/{shown['id']}")).json() == {"fulfillment": shown}
        assert (shown["amount"], shown["expectedAmount"], shown["status"]) == (2500, 99900, "quarantined")
        for unknown in ("nothing", "11111111-1111-4111-8111-111111111111"):
            answer = await client.get(f"{PATH}/{unknown}")
            assert (answer.status_code, answer.json()["error"]) == (404, "FULFILLMENT_NOT_FOUND")
        assert (await client.get(f"/api/paygres/live/fulfillments/{shown['id']}")).status_code == 404
        assert (await client.get(PATH, headers={"x-api-key": "ik_wrong"})).status_code == 401


async def test_a_released_payment_is_given_once_and_recorded(shop: FreshDatabase) -> None:
    async with opened(selling(shop)) as client:
        await told(client, paid("b", "dear"))
        held = await one_of(client)
        path = f"{PATH}/{held['id']}/release"
        assert (await client.post(path, json={})).status_code == 400
        answer = await client.post(path, json={"reason": "a discount by phone"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["outcome"], answer.json()["error"]) == ("processed", None)
        assert answer.json()["fulfillment"]["status"] == "granted"
        assert (await client.get("/api/paygres/test/attention", params={"open": "true"})).json()["attention"] == []
        again = await client.post(path, json={"reason": "once more"})
        assert (again.status_code, again.json()["error"]) == (409, "FULFILLMENT_NOT_QUARANTINED")
    assert await ask(shop, "select paid from public.orders where id = 'dear'") == [{"paid": 1}]
    recorded = "select actor, action, target, reason from system.audit_log where action like 'fulfillment.%'"
    assert await ask(shop, recorded) == [
        {
            "actor": "api-key",
            "action": "fulfillment.release",
            "target": held["id"],
            "reason": "a discount by phone",
        }
    ]


async def test_a_payment_whose_money_is_back_is_granted_again_once_no_other_stands(shop: FreshDatabase) -> None:
    """It was granted and charged back; another payment fulfilled the order; then the dispute was won."""
    async with opened(selling(shop)) as client:
        await told(client, paid("a", "o1"))
        first = await one_of(client)
        kept = "update payments.fulfillments set amount_kept = $1, status = $2 where payment_key = $3"
        await ask(shop, kept, 0, "reversed", "pi_a")
        await told(client, paid("c", "o1"))
        assert (await one_of(client, status="granted"))["paymentKey"] == "pi_c"
        await ask(shop, kept, 2500, "quarantined", "pi_a")
        path = f"{PATH}/{first['id']}/release"
        refused = await client.post(path, json={"reason": "both shall stand"})
        assert (refused.status_code, "refund one of the two" in refused.json()["message"]) == (409, True)
        await ask(shop, kept, 0, "reversed", "pi_c")
        answer = (await client.post(path, json={"reason": "the other one went back"})).json()
        assert (answer["outcome"], answer["error"]) == ("granted", None)
        assert (answer["fulfillment"]["status"], answer["fulfillment"]["reason"]) == ("granted", None)
        assert (await client.get("/api/paygres/test/attention", params={"open": "true"})).json()["attention"] == []
        assert (await client.post(path, json={"reason": "once more"})).status_code == 409


async def test_a_release_whose_listener_fails_says_so_and_stays_released(shop: FreshDatabase) -> None:
    async with opened(selling(shop)) as client:
        await told(client, paid("b", "dear"))
    async with opened(selling(shop, broken=True)) as client:
        held = await one_of(client)
        answer = (await client.post(f"{PATH}/{held['id']}/release", json={"reason": "yes"})).json()
        assert (answer["outcome"], answer["error"]) == ("failed", "listener shop.sell: LookupError the shelf")
        assert answer["fulfillment"]["status"] == "released"
    assert await ask(shop, "select paid from public.orders where id = 'dear'") == [{"paid": 0}]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_refund_that_an_api_read_tells_of_is_taken_back_by_the_worker(shop: FreshDatabase, fails: bool) -> None:
    await execute(shop, TAKE_BACK.format(more="perform 1 / 0;" if fails else ""))
    async with opened(selling(shop)) as client:
        await told(client, paid("a", "o1"))
        await told(client, event("charge.succeeded", START, charge("a")))
    async with parts_on(shop, "http://127.0.0.1:9") as parts:
        connection = Connection("test", "", "sk_test_x", (), 0)
        back = charge("a", amount_refunded=1500)
        await apply_reads(parts.db, connection, [back], START + 100)
        assert await ask(shop, "select amount_kept from payments.fulfillments") == [{"amount_kept": 2500}]
        assert await settle_reversals(parts) == 1
        assert await settle_reversals(parts) == 0
        if fails:
            (row,) = await ask(
                shop,
                "select attempts, last_error, next_attempt_at > now() + interval '3 s' as later, leased_until"
                " from payments.reversal_queue",
            )
            assert row == {
                "attempts": 1,
                "last_error": "division by zero (22012)",
                "later": True,
                "leased_until": None,
            }
            assert await ask(shop, "select from public.seen") == []
            await execute(shop, "drop trigger take_back on payments.fulfillments; drop function public.take_back")
            await execute(shop, TAKE_BACK.format(more=""))
            await ask(shop, "update payments.reversal_queue set next_attempt_at = now()")
            assert await settle_reversals(parts) == 1
    assert await ask(shop, "select amount_kept, status from payments.fulfillments") == [
        {"amount_kept": 1000, "status": "granted"}
    ]
    assert await ask(shop, "select what, role from public.seen") == [{"what": "kept 1000", "role": "payments_trigger"}]
    assert await ask(shop, "select from payments.reversal_queue") == []
