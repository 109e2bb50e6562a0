"""Amounts as people read them, by Stripe's own minor units."""

# Stripe's lists, not ISO 4217's: Stripe takes ISK, UGX and HUF in hundredths.
_WHOLE = {
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
}
_THOUSANDTHS = {"BHD", "JOD", "KWD", "OMR", "TND"}


def amount(minor: int | None, currency: str | None) -> str:
    """`19.99 USD`, `500 JPY`, `1.250 KWD`; `-` when the amount or the currency is unknown."""
    if minor is None or not currency:
        return "-"
    name = currency.upper()
    digits = 0 if name in _WHOLE else 3 if name in _THOUSANDTHS else 2
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{part:0{digits}} {name}" if digits else f"{sign}{whole} {name}"
