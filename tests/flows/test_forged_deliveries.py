"""A sandbox that signs first tries with another secret, or with an old time: none is believed, nothing is lost."""

from tests.flows.checkouts import Shop

FORGED = {"wrong_signature": 1.0, "seed": 11}
HONEST = {"wrong_signature": 0.0}


def test_deliveries_that_are_signed_wrongly_are_refused_and_come_again(open_shop: Shop) -> None:
    open_shop.sim("faults", **FORGED)
    try:
        session = open_shop.buy()
        open_shop.pay(session)
        open_shop.wait(lambda: open_shop.row(session["id"])["status"] == "completed")
        open_shop.wait(lambda: not counts(open_shop)["pending"])
    finally:
        open_shop.sim("faults", **HONEST)
    told = counts(open_shop)
    assert told["wrong_signature"] > 0, told
    assert told["wrong_signature_accepted"] == 0
    paid = open_shop.row(session["id"])["checkout_session_id"]
    (once,) = open_shop.sql(
        "select count(*) as times from payments.stripe_snapshots"
        " where object_id = $1 and event_type = 'checkout.session.completed'",
        paid,
    )
    assert once["times"] == 1


def counts(shop: Shop) -> dict[str, int]:
    return shop.sandbox.http.browser.get("/_sim/deliveries/counts").json()
