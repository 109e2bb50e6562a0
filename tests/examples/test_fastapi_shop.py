"""The FastAPI example: an order is paid through the hosted page and marked by the signed message, once."""

from collections.abc import Iterator

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.examples.running import beside_a_server, example, new_port, until
from tests.flows.checkouts import Shop


@pytest.fixture(scope="module")
def running(postgres: Urls) -> Iterator[tuple[Shop, httpx2.Client]]:
    port = new_port()
    with (
        beside_a_server(postgres, port, "/hooks/paygres") as (server, env),
        example("fastapi_shop", "app:app", port, env) as client,
    ):
        yield server, client


@pytest.mark.parametrize("user", [None, "user_ada"])
def test_an_order_is_paid(running: tuple[Shop, httpx2.Client], user: str | None) -> None:
    server, client = running
    headers = {"x-user": user} if user else {}
    order = client.post("/orders", headers=headers).json()["id"]
    sent = client.post(f"/orders/{order}/checkout", headers=headers)
    assert sent.status_code == 303, sent.text
    again = client.post(f"/orders/{order}/checkout", headers=headers)
    assert again.headers["location"] == sent.headers["location"]
    session = sent.headers["location"].rpartition("/")[2].partition("?")[0]
    server.sim("pay", session=session)
    came_back = client.get(f"/checkouts/{session}")
    if user is None:
        assert came_back.json() == {"settled": True, "paymentStatus": "paid"}
    else:  # the session is the user's, and nobody is signed in here
        assert (came_back.status_code, came_back.json()["error"]) == (404, "PAYMENT_NOT_FOUND")
    until(lambda: client.get(f"/orders/{order}").json()["status"] == "paid")


def test_what_the_server_refuses_is_answered_as_the_server_does(running: tuple[Shop, httpx2.Client]) -> None:
    _, client = running
    answer = client.get("/checkouts/cs_test_unknown")
    assert answer.status_code == 404
    assert answer.json()["error"] == "PAYMENT_NOT_FOUND"
    assert answer.json()["requestId"].startswith("req_")


def test_a_message_that_nobody_signed_is_refused(running: tuple[Shop, httpx2.Client]) -> None:
    _, client = running
    headers = {"webhook-id": "1", "webhook-timestamp": "1790000000", "webhook-signature": "v1,AAAA"}
    assert client.post("/hooks/paygres", content=b"{}", headers=headers).status_code == 400
    assert client.post("/hooks/paygres", content=b"{}").status_code == 400
