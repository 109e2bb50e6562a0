"""The forms of the control page: what each of them does. Each answers the word of a sentence that says so, and the
number in it; a form that cannot be carried out raises `Refusal`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from paygres.sandbox import confirm, delayed_payments, renewals, timers
from paygres.sandbox.deliveries import Deliveries
from paygres.sandbox.faults import DIALS, Faults
from paygres.sandbox.moments import read_moment
from paygres.sandbox.objects import bank_debits, billing_portal_sessions, checkout_sessions
from paygres.sandbox.objects.cards import card_of
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import World

DAY = 86_400
CARDS = {"pay": "4242424242424242", "decline": "4000000000000002"}
IBAN = "AT611904300234573201"
SAID = {
    "asks": "The payment waits for an authentication: open its page.",
    "clock": "The clock was moved; what was due on the way has happened ({n} things).",
    "dials": "The dials are set.",
    "dials_off": "All dials are off.",
    "expired": "The checkout has expired.",
    "paid": "The checkout is paid.",
    "renewed": "The period is over.",
    "resent": "Sent again: {n}.",
    "retried": "The payment was tried again.",
    "switched": "That is what will happen.",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the forms work with."""

    world: World
    deliveries: Deliveries
    faults: Faults


@dataclass(frozen=True, slots=True)
class Done:
    """`said`: a word of SAID, or `to`: the address to go to instead."""

    said: str = ""
    n: int = 0
    to: str | None = None


Act = Callable[[Desk, str, dict[str, str]], Awaitable[Done]]


async def _resend(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    event = typed.get("event", "")
    if desk.world.store.account_of(event) != account:
        raise Refusal("There is no such event.", status=404)
    return Done("resent", desk.deliveries.resend(event, typed.get("endpoint") or None))


async def _resend_all(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    return Done("resent", desk.deliveries.resend_undelivered())


async def _clock(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    now = desk.world.time()
    days, to = typed.get("days", ""), typed.get("to", "")
    try:
        until = now + float(days) * DAY if days else read_moment(to)
    except ValueError as problem:
        raise Refusal(f"That is no time: {problem}.") from None
    return Done("clock", await timers.move(desk.world, until))


async def _switch(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    try:
        desk.world.switches.turn(account, typed.get("payment") or None)
        desk.world.switches.lose(account, min(max(int(typed.get("lost") or 0), 0), 1000))
    except ValueError as problem:
        raise Refusal(f"That cannot be: {problem}.") from None
    return Done("switched")


async def _dials(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    """Only what differs is turned: the seed begins the dice anew when it is named."""
    stand = desk.faults.shown()
    wanted: dict[str, object] = {}
    try:
        for dial in DIALS:
            if dial.kind == "switch":
                value: object = dial.name in typed
            elif dial.name not in typed:
                continue
            elif dial.kind == "list":
                value = orjson.loads(typed[dial.name] or "[]")
            else:
                value = dial.read(typed[dial.name].strip() or "0")
            if value != stand[dial.name]:
                wanted[dial.name] = value
        desk.faults.set(wanted)
    except (TypeError, ValueError) as problem:
        raise Refusal(str(problem)) from None
    return Done("dials")


async def _dials_off(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    desk.faults.turn_off()
    return Done("dials_off")


async def _pay(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    """As a buyer with a test card, who is not led anywhere."""
    with desk.world.work(account) as work:
        session = confirm.open_session(work, typed.get("session", ""))
        known = (session["customer_details"] or {}).get("email")
        buyer = Buyer(email=known or "buyer@example.com", name="Test Buyer")
        if typed.get("how") == "debit":
            debit = bank_debits.debit_of(IBAN)
            assert debit is not None
            outcome = delayed_payments.pay(work, session, debit, buyer)
        else:
            card = card_of(CARDS.get(typed.get("how", ""), CARDS["pay"]))
            outcome = confirm.confirm(work, session, card, buyer)
    return Done("paid" if outcome.completed else "asks")


async def _expire(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    with desk.world.work(account) as work:
        session = confirm.open_session(work, typed.get("session", ""))
        work.change(session, expires_at=work.now)
        checkout_sessions.expire_by_time(work, session["id"])
    return Done("expired")


async def _renew(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    with desk.world.work(account) as work:
        renewals.renew_now(work, typed.get("subscription", ""), failing=typed.get("how") == "fail")
    return Done("renewed")


async def _retry(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    with desk.world.work(account) as work:
        renewals.retry_invoice(work, work.find("invoice", typed.get("invoice", ""), "invoice")["id"])
    return Done("retried")


async def _portal(desk: Desk, account: str, typed: dict[str, str]) -> Done:
    with desk.world.work(account) as work:
        asked = {"customer": typed.get("customer", ""), "return_url": f"{desk.world.origin}/_sim?view=payments"}
        return Done(to=billing_portal_sessions.create(work, asked)["url"])


ACTS: dict[str, Act] = {
    "clock": _clock,
    "dials": _dials,
    "dials_off": _dials_off,
    "expire": _expire,
    "pay": _pay,
    "portal": _portal,
    "renew": _renew,
    "resend": _resend,
    "resend_all": _resend_all,
    "retry": _retry,
    "switch": _switch,
}
