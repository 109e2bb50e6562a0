"""Ask Stripe what a key may do before it is stored: whose account it is and, for a restricted key, what it lacks.

A read is tried with a list of one object, a write with an id that no object has: nothing is created or changed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from paygres.server import errors
from paygres.server.flows.parts import Parts
from paygres.server.flows.sync_plan import LISTINGS
from paygres.server.stripe_gateway.answer import Answer
from paygres.server.stripe_gateway.keys import is_restricted, missing_permission

_NOBODY = "paygresPermissionCheck"
_NEXT = (
    "In the Stripe dashboard, under Developers, API keys, give the key these permissions (write includes read) and "
    "save it here again, or save a secret key."
)


@dataclass(frozen=True, slots=True)
class _Permission:
    """Something we do with a key, and a request that Stripe refuses with 403 when the key may not do it."""

    what: str
    path: str
    method: Literal["get", "post"] = "get"
    params: Mapping[str, Any] | None = None


_LISTED = {listing.name: listing.path for listing in LISTINGS}  # whatever a sync reads
_ACCOUNT = _Permission("read the account", "/v1/account")
_NEEDED = (
    *(_Permission(f"read {noun.replace('_', ' ')}", path, params={"limit": 1}) for noun, path in _LISTED.items()),
    _Permission("read events", "/v1/events", params={"limit": 1}),
    _Permission("read webhook endpoints", "/v1/webhook_endpoints", params={"limit": 1}),
    _Permission("write checkout sessions", f"/v1/checkout/sessions/cs_{_NOBODY}/expire", "post"),
    _Permission(
        "write customer portal sessions", "/v1/billing_portal/sessions", "post", {"customer": f"cus_{_NOBODY}"}
    ),
    _Permission("write webhook endpoints", f"/v1/webhook_endpoints/we_{_NOBODY}", "post"),
)


async def verify_key(parts: Parts, key: str) -> Answer:
    """The account of `key`, which may do all that this server needs.

    A refusal is the caller's fault here, not ours (contract 0.2): raises `NotConfigured` (400
    `PAYMENT_CONFIG_INVALID`) with every missing permission by Stripe's name, and the gateway's errors when
    Stripe cannot be asked.
    """
    account = await _asked(parts, key, _ACCOUNT)
    if isinstance(account, errors.Upstream) and not (is_restricted(key) and missing_permission(account.message)):
        raise errors.NotConfigured(
            account.message, next_actions="Check the key in the Stripe dashboard, under Developers, API keys."
        )
    if is_restricted(key):
        answers = await asyncio.gather(*(_asked(parts, key, one) for one in _NEEDED))
        refused = [
            (one, answer)
            for one, answer in zip((_ACCOUNT, *_NEEDED), (account, *answers), strict=True)
            if isinstance(answer, errors.Upstream)
        ]
        if refused:
            raise _lacking(refused)
    if not isinstance(account, Answer) or not isinstance(account.object.get("id"), str):
        raise errors.Upstream("Stripe's answer about the account of this key has no id")
    return account


async def _asked(parts: Parts, key: str, wanted: _Permission) -> "Answer | errors.Upstream | None":
    """The answer; the refusal when the key may not ask; None when it may and Stripe has another objection."""
    try:
        return await parts.gateway.request(key, wanted.method, wanted.path, wanted.params, priority="portal")
    except errors.Upstream as error:
        if error.code == "PAYMENT_CONFIG_INVALID":
            return error
        if wanted is _ACCOUNT or not error.definite:
            raise
        return None


def _lacking(refused: list[tuple[_Permission, errors.Upstream]]) -> errors.NotConfigured:
    """Every permission once, by Stripe's name when it gave one, with what it is for."""
    uses: dict[str, list[str]] = {}
    for one, refusal in refused:
        uses.setdefault(missing_permission(refusal.message) or "", []).append(one.what)
    written = {name.removesuffix("_write") for name in uses if name.endswith("_write")}
    named = [
        f"{name} ({', '.join(whats)})" if name else ", ".join(whats)
        for name, whats in uses.items()
        if not (name.endswith("_read") and name.removesuffix("_read") in written)  # write includes read
    ]
    what = "a permission" if len(named) == 1 else "permissions"
    return errors.NotConfigured(f"This restricted key lacks {what}: {', '.join(named)}", next_actions=_NEXT)
