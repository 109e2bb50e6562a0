"""Amounts and dates as people read them: `$15.00`, `¥1,500`, `KWD 1.500`, `3 May 2026`."""

from datetime import UTC, datetime

from paygres.sandbox.objects.fields import ZERO_DECIMAL
from paygres.sandbox.spec.complete import Object

THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
SYMBOLS = {
    "aud": "A$",
    "brl": "R$",
    "cad": "CA$",
    "eur": "€",
    "gbp": "£",
    "ils": "₪",
    "inr": "₹",
    "jpy": "¥",
    "krw": "₩",
    "mxn": "MX$",
    "nzd": "NZ$",
    "usd": "$",
    "vnd": "₫",
}


def decimals(currency: str) -> int:
    """How many digits of an amount in minor units are behind its point."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def money(minor: int, currency: str) -> str:
    """The amount with its currency's symbol, or with its code where a symbol would not be clear."""
    places = decimals(currency)
    number = f"{abs(minor) / 10**places:,.{places}f}"
    symbol = SYMBOLS.get(currency)
    shown = f"{symbol}{number}" if symbol else f"{currency.upper()} {number}"
    return f"−{shown}" if minor < 0 else shown


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}".lstrip("0")


def minute(moment: float) -> str:
    """`2026-05-03 14:07:09`, in UTC."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"


def per(price: Object) -> str:
    """`per month`, `every 3 months`."""
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"
