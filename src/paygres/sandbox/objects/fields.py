"""Small readings of parameters that several objects share: unset values, currencies, amounts, email addresses."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from paygres.sandbox.spec.parameters import UNSET
from paygres.sandbox.wire.errors import Refusal, bad_parameter
from paygres.sandbox.world import Work

EMAIL = re.compile(r"[^@\s]{1,250}@[^@\s.]+(\.[^@\s.]+)+\Z")
MAX_AMOUNT = 99_999_999

# In the order in which Stripe lists them.
CURRENCIES = Path(__file__).with_name("currencies.txt").read_text("ascii").split()
ZERO_DECIMAL = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)


def given(params: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The named parameters that were sent; what was sent empty is unset, that is null."""
    return {name: None if params[name] == UNSET else params[name] for name in names if name in params}


def currency(value: str, param: str) -> str:
    code = value.lower()
    if code not in CURRENCIES:
        raise bad_parameter(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(CURRENCIES)}", param
        )
    return code


def amount(value: int, param: str) -> int:
    """Minor units, never negative."""
    if value < 0:
        raise bad_parameter("Invalid non-negative integer", param, "parameter_invalid_integer")
    if value > MAX_AMOUNT:
        raise Refusal(f"Amount must be no more than {money(MAX_AMOUNT, 'usd')}", code="amount_too_large", param=param)
    return value


def email(value: str, param: str) -> str:
    if not EMAIL.match(value):
        raise Refusal(f"Invalid email address: {value}", code="email_invalid", param=param)
    return value


def money(minor: int, code: str) -> str:
    """An amount as Stripe's texts write it: `$0.50 usd` style, with the code for other currencies."""
    number = f"{minor:,}" if code in ZERO_DECIMAL else f"{minor / 100:,.2f}"
    return f"${number}" if code == "usd" else f"{number} {code}"


def address(value: Mapping[str, Any]) -> dict[str, Any]:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: value.get(name) or None for name in names}


def shipping(value: Any) -> dict[str, Any] | None:
    """A shipping address with the name of who receives there, as objects show it."""
    if not value:
        return None
    names = ("carrier", "name", "phone", "tracking_number")
    return {"address": address(value["address"]), **{name: value.get(name) or None for name in names}}


def outside_test_clocks(work: Work, kind: str) -> list[tuple[str, Any]]:
    """The condition under which a list leaves out what belongs to a test clock, as Stripe's lists do that ask for no
    clock."""
    if work.account not in work.world.clock.accounts_with_test_clocks():
        return []
    return [("seq NOT IN (SELECT seq FROM links WHERE name = ?)", f"{kind}.test_clock")]
