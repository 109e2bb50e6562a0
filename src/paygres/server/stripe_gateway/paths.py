"""Paths at Stripe, safe for ids that people typed."""

from urllib.parse import quote


def path_of(collection: str, ident: str) -> str:
    """The path of one object below its collection's (`/v1/refunds`), the id percent-encoded."""
    return f"{collection}/{quote(ident, safe='')}"
