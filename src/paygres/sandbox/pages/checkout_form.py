"""What a buyer typed into the payment page: who they are, what they pay with, and what is wrong with it."""

from dataclasses import dataclass, replace

import orjson

from paygres.sandbox.objects import bank_debits, checkout_fields, fields
from paygres.sandbox.objects.bank_debits import Debit
from paygres.sandbox.objects.cards import Card, card_of, digits
from paygres.sandbox.objects.payment_methods import Buyer, card_behind
from paygres.sandbox.pages.replies import Problem
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work

MOST_SAVED = 10
# What the buttons of the test cards fill in where nothing was typed.
FILLED_IN = {"email": "buyer@example.com", "phone": "+1 555 0100", "exp": "12/34", "cvc": "123"}
ADDRESS = {"line1": "1 Test Street", "postal_code": "10001", "city": "New York", "country": "US"}


@dataclass(frozen=True, slots=True)
class Told:
    """The buyer, and one means of payment: a card (with `saved`, the payment method that it is) or a bank account;
    neither for what costs nothing. `problem`: why it cannot be used."""

    buyer: Buyer
    card: Card | None = None
    debit: Debit | None = None
    saved: Object | None = None
    problem: Problem | None = None


def read(work: Work, session: Object, typed: dict[str, str]) -> Told:
    buyer = _buyer(session, typed)
    if not fields.EMAIL.match(buyer.email or ""):
        return Told(buyer, problem=Problem("Your email is incomplete.", "email"))
    if asks_phone(session) and len(digits(buyer.phone or "")) < 5:
        return Told(buyer, problem=Problem("Your phone number is incomplete.", "phone"))
    told = Told(buyer) if is_free(session) else _means(work, session, typed, buyer)
    if told.problem is None and asks_address(session):
        told = replace(told, problem=_address_problem(buyer.address))
    _, wrong = checkout_fields.filled(session, typed)
    if told.problem is None and wrong is not None:
        return replace(told, problem=Problem(wrong[0], f"custom_{wrong[1]}"))
    return told


def with_test_choice(typed: dict[str, str]) -> dict[str, str]:
    """The form as the button of a test card or test account sends it: completed with test values."""
    card, iban = typed.get("test_card"), typed.get("test_iban")
    if not (card or iban):
        return typed
    filled = {**FILLED_IN, **ADDRESS, "account_name": "Test Buyer"}
    typed = filled | {name: value for name, value in typed.items() if value.strip()}
    if card:
        return typed | {"method": "card", "card_number": card}
    return typed | {"method": bank_debits.TYPE, "iban": iban or ""}


def is_free(session: Object) -> bool:
    return session["payment_status"] == "no_payment_required" and session["mode"] == "payment"


def asks_phone(session: Object) -> bool:
    return bool((session["phone_number_collection"] or {}).get("enabled"))


def asks_address(session: Object) -> bool:
    return session["billing_address_collection"] == "required"


def offers_saving(session: Object) -> bool:
    options = session["saved_payment_method_options"] or {}
    return session["mode"] == "payment" and options.get("payment_method_save") == "enabled"


def fixed_email(session: Object) -> str | None:
    """The email that the session knows already; a buyer cannot type another one."""
    return (session["customer_details"] or {}).get("email")


def saved_cards(work: Work, session: Object) -> list[Object]:
    """The customer's saved cards that its checkouts may show again, newest first."""
    if session["customer"] is None or session["mode"] == "setup":
        return []
    options = session["saved_payment_method_options"] or {}
    filters = options.get("allow_redisplay_filters") or ["always"]
    links = {"customer": session["customer"], "type": "card"}
    found = work.store.page(work.account, "payment_method", links=links, limit=MOST_SAVED)
    return [one for one in map(orjson.loads, found) if one["allow_redisplay"] in filters]


def read_card(buyer: Buyer, typed: dict[str, str], now: int) -> tuple[Buyer, Card | None, Problem | None]:
    """The card that was typed and the buyer with its expiry, or what is wrong with them."""
    card = card_of(digits(typed.get("card_number", "")))
    if card is None:
        return buyer, None, Problem("Your card number is incorrect.", "card_number")
    expiry = _expiry(typed.get("exp", ""), now)
    if expiry is None:
        return buyer, card, Problem("Your card's expiration date is incomplete or in the past.", "exp")
    if len(digits(typed.get("cvc", ""))) not in (3, 4):
        return buyer, card, Problem("Your card's security code is incomplete.", "cvc")
    return replace(buyer, exp_month=expiry[0], exp_year=expiry[1]), card, None


def _means(work: Work, session: Object, typed: dict[str, str], buyer: Buyer) -> Told:
    chosen = typed.get("method", "card")
    if chosen == bank_debits.TYPE:
        return _debit(typed, buyer)
    if chosen != "card":
        saved = next((one for one in saved_cards(work, session) if one["id"] == chosen), None)
        if saved is None:
            return Told(buyer, problem=Problem("Choose a card or another way to pay.", "method_card"))
        return Told(buyer, card_behind(work, saved), saved=saved)
    buyer, card, problem = read_card(buyer, typed, work.now)
    return Told(buyer, card, problem=problem)


def _debit(typed: dict[str, str], buyer: Buyer) -> Told:
    debit = bank_debits.debit_of(typed.get("iban", ""))
    if debit is None:
        return Told(buyer, problem=Problem("Your IBAN is none of the test IBANs.", "iban"))
    buyer = replace(buyer, name=typed.get("account_name", "").strip()[:200] or buyer.name)
    if buyer.name is None:
        return Told(buyer, problem=Problem("The name on the account is incomplete.", "account_name"))
    return Told(buyer, debit=debit)


def _buyer(session: Object, typed: dict[str, str]) -> Buyer:
    email = fixed_email(session) or typed.get("email", "").strip()
    address = {name: typed.get(name, "").strip()[:200] or None for name in ADDRESS} if asks_address(session) else {}
    phone = typed.get("phone", "").strip()[:40] if asks_phone(session) else ""
    return Buyer(email=email, name=typed.get("name", "").strip()[:200] or None, phone=phone or None, address=address)


def _address_problem(address: Object) -> Problem | None:
    for name, message in (
        ("line1", "Your address is incomplete."),
        ("postal_code", "Your postal code is incomplete."),
        ("city", "Your city is missing."),
    ):
        if not address.get(name):
            return Problem(message, name)
    country: str = address.get("country") or ""
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        return Problem("Your country must be two letters, as in US.", "country")
    address["country"] = country.upper()
    return None


def _expiry(text: str, now: int) -> tuple[int, int] | None:
    """(month, year) of `12/34`, `1234` or `12 / 2034`, when it is not in the past."""
    signs = digits(text)
    if len(signs) not in (4, 6):
        return None
    month, year = int(signs[:2]), int(signs[2:])
    year += 2000 if len(signs) == 4 else 0
    this_month = 1970 * 12 + now // 2_629_746
    return (month, year) if 1 <= month <= 12 and year * 12 + month - 1 >= this_month else None
