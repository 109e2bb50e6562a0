"""Messages about fulfillments: signed, at least once under one id, given up in the end, and never a secret shown."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from paygres.server import Message, Payments, StripeEvent, Transaction
from tests.flows.listening import FULFILLING, anew, ask, due, opened, payments_on, soon, told
from tests.flows.receiving import Receiver, receiver, verified
from tests.fresh_database import FreshDatabase
from tests.histories import START, charge, event, session

DESTINATIONS = "/api/paygres/test/destinations"


@pytest.fixture
def shop(emptied: FreshDatabase) -> FreshDatabase:
    """Orders, and nothing of the test before."""
    return anew(emptied)


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    with receiver() as opened_receiver:
        yield opened_receiver


def selling(database: FreshDatabase) -> Payments:
    """Everything costs 2500 usd; what costs something else is quarantined."""
    payments = payments_on(database)

    @payments.on(*FULFILLING, name="shop.sell")
    async def sell(event: StripeEvent, tx: Transaction) -> None:
        await event.fulfill(tx, "orders", key=event.object["metadata"]["order_id"], amount=2500, currency="usd")

    return payments


def paid(name: str, amount: int = 2500) -> dict[str, Any]:
    told_of = session(
        name,
        status="complete",
        payment_status="paid",
        payment_intent=f"pi_{name}",
        metadata={"order_id": name},
        amount_subtotal=amount,
        amount_total=amount,
    )
    return event("checkout.session.completed", START, told_of)


async def made(client: httpx2.AsyncClient, url: str, **more: Any) -> tuple[str, str]:
    """(id, secret) of a new destination."""
    answer = await client.post(DESTINATIONS, json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["destination"]["id"], answer.json()["secret"]


async def messages(client: httpx2.AsyncClient, destination: str, **query: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{DESTINATIONS}/{destination}/messages", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["messages"]


async def test_a_receiver_that_failed_gets_the_same_message_again_with_a_good_signature(
    shop: FreshDatabase, inbox: Receiver
) -> None:
    inbox.answers = [500]
    async with opened(selling(shop)) as client:
        destination, secret = await made(client, inbox.url)
        await told(client, paid("a"))
        failed = await soon(client, lambda: _with(client, destination, attempts=1))
        assert (failed["status"], failed["lastError"]) == ("pending", "it answered HTTP 500")
        await due(shop)
        done = await soon(client, lambda: _with(client, destination, attempts=2))
        assert (done["status"], done["lastError"], done["nextAttemptAt"]) == ("delivered", None, None)
    (first, body), (second, again) = inbox.received
    assert first["webhook-id"] == second["webhook-id"] == done["id"]
    assert body == again
    assert verified(secret, first, body)
    assert verified(secret, second, again)
    assert not verified(secret, second, again + b" ")
    assert documented_check()(secret, first, body)
    assert not documented_check()(secret, first, b" " + body)
    (content, _) = inbox.bodies
    assert sorted(content) == ["createdAt", "environment", "fulfillment", "id", "type"]
    assert (content["id"], content["type"], content["environment"]) == (done["id"], "fulfillment.granted", "test")
    (row,) = await ask(shop, "select id::text, payment_key, key from payments.fulfillments")
    shown = content["fulfillment"]
    assert (shown["id"], shown["paymentKey"], shown["key"]) == (row["id"], row["payment_key"], row["key"])
    assert (shown["amountPaid"], shown["amountKept"], shown["shareKept"]) == (2500, 2500, 1)


def documented_check() -> Callable[[str, dict[str, str], bytes], bool]:
    """What the documentation tells receivers to do."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "outgoing-webhooks.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0], names)
    return names["is_ours"]


async def _with(client: httpx2.AsyncClient, destination: str, **wanted: Any) -> dict[str, Any] | None:
    found = await messages(client, destination)
    return next((one for one in found if wanted.items() <= one.items()), None)


async def test_a_rotated_secret_and_the_one_before_both_verify(shop: FreshDatabase, inbox: Receiver) -> None:
    async with opened(selling(shop)) as client:
        destination, old = await made(client, inbox.url, name="till", types=["fulfillment.granted"])
        rotated = await client.patch(f"{DESTINATIONS}/{destination}", json={"rotateSecret": True})
        new = rotated.json()["secret"]
        await told(client, paid("a"))
        await soon(client, lambda: _with(client, destination, status="delivered"))
        ((headers, body),) = inbox.received
        assert verified(old, headers, body)
        assert verified(new, headers, body)
        assert len(headers["webhook-signature"].split(" ")) == 2
        await ask(shop, "update system.secrets set expires_at = now() - interval '1 s' where expires_at is not null")
        (message,) = await messages(client, destination)
        resent = await client.post(f"{DESTINATIONS}/{destination}/messages/{message['id']}/resend")
        assert resent.json()["message"]["status"] == "pending"
        await soon(client, lambda: _received(inbox, 2))
        headers, body = inbox.received[1]
        assert headers["webhook-id"] == message["id"]
        assert (verified(old, headers, body), verified(new, headers, body)) == (False, True)
    await _assert_secrets_are_nowhere(shop, old, new)


async def _received(inbox: Receiver, count: int) -> bool:
    return len(inbox.received) >= count


async def _assert_secrets_are_nowhere(database: FreshDatabase, *values: str) -> None:
    """Neither in plain text in any row, nor in the record of who did what."""
    for table in ("system.secrets", "system.audit_log", "payments.destinations", "payments.outbox"):
        kept = " ".join(str(row) for row in await ask(database, f"select t::text from {table} t"))
        assert not [value for value in values if value in kept or value.removeprefix("whsec_") in kept], table


async def test_reversals_and_quarantines_are_told_to_those_who_asked(shop: FreshDatabase, inbox: Receiver) -> None:
    async with opened(selling(shop)) as client:
        _, _ = await made(client, f"{inbox.url}/reversed", types=["fulfillment.reversed"])
        _, _ = await made(client, f"{inbox.url}/quarantined", types=["fulfillment.quarantined"])
        await told(client, paid("a"))
        await told(client, paid("cheap", 100))
        back = charge("a", amount_refunded=2500, refunded=True)
        await told(client, event("charge.refunded", START + 60, back, {"amount_refunded": 0, "refunded": False}))
        await soon(client, lambda: _received(inbox, 2))
    found = {one["type"]: one["fulfillment"] for one in inbox.bodies}
    assert sorted(found) == ["fulfillment.quarantined", "fulfillment.reversed"]
    assert (found["fulfillment.reversed"]["key"], found["fulfillment.reversed"]["amountKept"]) == ("a", 0)
    assert found["fulfillment.quarantined"]["reason"] == "100 usd was bought where 2500 usd was expected"


async def test_a_redirect_is_not_followed_and_the_last_attempt_tells_an_operator(
    shop: FreshDatabase, inbox: Receiver
) -> None:
    inbox.answers = [302]
    async with opened(selling(shop)) as client:
        destination, _ = await made(client, inbox.url, name="till")
        inactive = await client.patch(f"{DESTINATIONS}/{destination}", json={"active": False})
        assert inactive.json()["destination"]["active"] is False
        await told(client, paid("unheard"))
        await client.patch(f"{DESTINATIONS}/{destination}", json={"active": True})
        await told(client, paid("a"))
        await soon(client, lambda: _with(client, destination, attempts=1))
        await ask(shop, "update payments.outbox set attempts = 23, next_attempt_at = now()")
        inbox.answers = [302]
        gone = await soon(client, lambda: _with(client, destination, status="given_up"))
        assert gone["lastError"] == "it answered HTTP 302, and redirects are not followed"
        assert [one["status"] for one in await messages(client, destination, status="given_up")] == ["given_up"]
        notices = (await client.get("/api/paygres/test/attention")).json()["attention"]
        (notice,) = (one for one in notices if one["reason"] == "message_undelivered")
        assert notice["message"].startswith("fulfillment.granted could not be delivered to till in 24 attempts")
        await client.post(f"{DESTINATIONS}/{destination}/messages/{gone['id']}/resend")
        await soon(client, lambda: _with(client, destination, status="delivered"))
    assert len(inbox.received) == 3
    assert {headers["webhook-id"] for headers, _ in inbox.received} == {gone["id"]}


async def test_a_function_after_the_commit_is_called_until_it_succeeds(shop: FreshDatabase) -> None:
    payments = selling(shop)
    calls: list[Message] = []

    @payments.after_commit("fulfillment.granted", environment="test", name="shop.mail")
    async def mail(message: Message) -> None:
        calls.append(message)
        if len(calls) == 1:
            raise ConnectionError("the mail server is away")

    async with opened(payments) as client:
        body = paid("a")
        await told(client, body)
        await soon(client, lambda: _called(calls, 1))
        (destination,) = (await client.get(DESTINATIONS)).json()["destinations"]
        assert (destination["kind"], destination["name"]) == ("after_commit", "shop.mail")
        failed = await soon(client, lambda: _with(client, destination["id"], attempts=1))
        assert failed["lastError"] == "shop.mail: ConnectionError the mail server is away"
        await due(shop)
        await soon(client, lambda: _with(client, destination["id"], status="delivered"))
    first, second = calls
    assert first == second
    assert (first.type, first.environment, first.fulfillment["key"]) == ("fulfillment.granted", "test", "a")
    async with opened(payments_on(shop)) as plain:  # a process without the function leaves its messages
        await ask(shop, "update payments.outbox set next_attempt_at = now(), delivered_at = null, attempts = 0")
        other = (await plain.get("/metrics")).text
        assert 'paygres_messages_undelivered{environment="test"} 1.0' in other
    assert len(calls) == 2


async def _called(calls: list[Message], count: int) -> bool:
    return len(calls) >= count


async def test_a_silent_receiver_keeps_no_other_waiting(shop: FreshDatabase, inbox: Receiver) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with_nothing_to_say = asyncio.Event()
        hung.append(with_nothing_to_say)
        await with_nothing_to_say.wait()
        writer.close()

    hung: list[asyncio.Event] = []
    silent = await asyncio.start_server(silence, "127.0.0.1", 0)
    async with silent, opened(selling(shop)) as client:
        port = silent.sockets[0].getsockname()[1]
        await made(client, f"http://127.0.0.1:{port}/", name="silent")
        destination, _ = await made(client, inbox.url, name="till")
        for name in ("a", "b"):
            await told(client, paid(name))
            await soon(client, lambda name=name: _delivered_key(client, destination, name))
        for one in hung:
            one.set()
    assert len(inbox.received) == 2


async def _delivered_key(client: httpx2.AsyncClient, destination: str, key: str) -> bool:
    found = await messages(client, destination, status="delivered")
    return any(one["content"]["key"] == key for one in found)


async def test_what_cannot_be_a_destination_is_refused(shop: FreshDatabase, inbox: Receiver) -> None:
    async with opened(payments_on(shop, worker=False)) as client:

        async def refused(status: int, url: str, environment: str = "test", **more: Any) -> str:
            answer = await client.post(f"/api/paygres/{environment}/destinations", json={"url": url, **more})
            assert answer.status_code == status, answer.text
            return answer.json()["message"]

        assert "https" in await refused(400, "ftp://a.example.com/")
        assert "user name" in await refused(400, "https://ada:secret@a.example.com/")
        assert "only https" in await refused(400, "http://a.example.com/", "live")
        await refused(400, "https://a.example.com/", types=["fulfillment.sold"])
        await refused(400, "https://a.example.com:port/")
        for url in ("http://127.0.0.1:9/x", "http://localhost:9/", "https://a.example.com/"):
            await _accepted(client, url)
        assert "named" in await refused(409, "https://a.example.com/")
        (one, *_) = (await client.get("/api/paygres/live/destinations")).json()["destinations"]
        path = f"/api/paygres/live/destinations/{one['id']}"
        assert (await client.patch(path, json={})).status_code == 400
        assert (await client.patch(f"{DESTINATIONS}/{one['id']}", json={"active": True})).status_code == 404
        assert (await client.patch(path, json={"name": "https://a.example.com/"})).status_code == 409
        assert (await client.get(f"{path}/messages")).json() == {"messages": [], "nextCursor": None}
        assert (await client.post(f"{path}/messages/{one['id']}/resend")).status_code == 404
        assert (await client.delete(path)).json() == {"deleted": True}
        assert (await client.delete(path)).status_code == 404
        guest = {"x-api-key": "ik_wrong"}
        assert (await client.get(DESTINATIONS, headers=guest)).status_code == 401
    actions = [row["action"] for row in await ask(shop, "select action from system.audit_log order by seq")]
    assert actions.count("destination.create") == 4
    assert actions[-1] == "destination.delete"
    assert await ask(shop, "select is_active from system.secrets where key like 'DESTINATION_%' and not is_active") == [
        {"is_active": False}
    ]


async def _accepted(client: httpx2.AsyncClient, url: str) -> None:
    for environment in ("live", "test") if url.startswith("https") else ("live",):
        answer = await client.post(f"/api/paygres/{environment}/destinations", json={"url": url})
        assert answer.status_code == 201, answer.text
        assert answer.json()["secret"].startswith("whsec_")
        listed = (await client.get(f"/api/paygres/{environment}/destinations")).text
        assert "whsec_" not in listed
