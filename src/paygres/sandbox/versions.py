"""Older API versions: what changed for the objects that the sandbox sends, from basil on, one entry per breaking
change; and how a request and an answer of an older version are turned into ours and back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from paygres.sandbox.spec.document import VERSION, operations
from paygres.sandbox.wire.errors import Refusal, bad_parameter

Object = dict[str, Any]
# Finds a whole object by its id.
Fetch = Callable[[str], Object | None]

OLDEST = "2025-03-31.basil"
FORM = re.compile(r"\d{4}-\d\d-\d\d(\.[a-z]+)?\Z")
UI_MODES = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


@dataclass(frozen=True, slots=True)
class Change:
    """`since`: the first version with the new shape. `older` gives an object of that kind (its `object`) the shape it
    had before; `request` gives a form for an endpoint the shape it has since."""

    since: str
    kind: str
    older: Callable[[Object, Fetch], None]
    requests: Mapping[str, Callable[[Object], None]]


def _older_ui_mode(session: Object, fetch: Fetch) -> None:
    if "ui_mode" in session:
        session["ui_mode"] = UI_MODES.get(session["ui_mode"], session["ui_mode"])


def _newer_ui_mode(form: Object) -> None:
    newer = {older: newer for newer, older in UI_MODES.items()}
    if form.get("ui_mode") in newer:
        form["ui_mode"] = newer[form["ui_mode"]]


def _older_discount(discount: Object, fetch: Fetch) -> None:
    if "source" in discount:
        discount["coupon"] = _whole((discount.pop("source") or {}).get("coupon"), fetch)


def _older_promotion_code(code: Object, fetch: Fetch) -> None:
    if "promotion" in code:
        code["coupon"] = _whole((code.pop("promotion") or {}).get("coupon"), fetch)


def _newer_promotion_code(form: Object) -> None:
    if "coupon" in form:
        form["promotion"] = {"type": "coupon", "coupon": form.pop("coupon")}


def _whole(coupon: Any, fetch: Fetch) -> Any:
    """The older shapes hold the coupon itself, not its id."""
    return (fetch(coupon) or coupon) if isinstance(coupon, str) else coupon


# The newest first. Each is in Stripe's changelog (docs.stripe.com/changelog), and each is a difference between the
# types of stripe-python 12.0.0, generated from basil's specification, and those of 15.2.1, generated from ours. The
# other differences between them for these objects are additions, which Stripe counts as compatible and sends in every
# version.
CHANGES = (
    Change(
        # "Renames ui_mode values": hosted, embedded and custom have other names.
        "2026-03-25.dahlia",
        "checkout.session",
        _older_ui_mode,
        {"POST /v1/checkout/sessions": _newer_ui_mode},
    ),
    # Discount.coupon became Discount.source.coupon, which can be expanded.
    Change("2025-09-30.clover", "discount", _older_discount, {}),
    # PromotionCode.coupon became PromotionCode.promotion.coupon, and so did the parameter.
    Change(
        "2025-09-30.clover",
        "promotion_code",
        _older_promotion_code,
        {"POST /v1/promotion_codes": _newer_promotion_code},
    ),
)


@cache
def supported() -> tuple[str, ...]:
    """The versions that the sandbox speaks, oldest first."""
    known: list[str] = operations()["POST /v1/webhook_endpoints"]["body"]["properties"]["api_version"]["enum"]
    return tuple(version for version in known if OLDEST <= version <= VERSION)


def of_request(header: str | None) -> str:
    """The version that a request with this Stripe-Version header is answered in. A newer one than ours is answered in
    ours; raises `Refusal` for one that is none, or too old."""
    if header is None or header == VERSION:
        return VERSION
    if not FORM.match(header):
        raise Refusal(f"Invalid Stripe API version: {header}", stored=False)
    if header > VERSION:
        return VERSION
    if header not in supported():
        raise Refusal(
            f"Invalid Stripe API version: {header}. This sandbox speaks those from {OLDEST} to {VERSION}.",
            stored=False,
        )
    return header


def check_of_endpoint(version: str | None) -> None:
    """Raises `Refusal` for an endpoint's version that events cannot be sent in."""
    if version is not None and version not in supported():
        listed = ", ".join(supported()[:-1])
        raise bad_parameter(f"Invalid api_version: must be one of {listed}, or {VERSION}", "api_version")


def newer_form(version: str, operation: str, form: Object) -> Object:
    """A decoded form of an older version, in ours (changed in place)."""
    for change in _changes_after(version):
        newer = change.requests.get(operation)
        if newer is not None:
            newer(form)
    return form


def older(version: str, item: Any, fetch: Fetch) -> Any:
    """An answer of ours in an older version (changed in place). The objects of events stay as they are: those are in
    the event's version."""
    changes = {change.kind: change.older for change in _changes_after(version)}
    if changes:
        _descend(item, item, changes, fetch)
    return item


def event_in(version: str, event: Object, fetch: Fetch) -> Object:
    """An event of ours as an endpoint of that version gets it (changed in place)."""
    changes = {change.kind: change.older for change in _changes_after(version)}
    contents = event["data"]
    event["api_version"] = version
    if changes:
        if "previous_attributes" in contents:
            _descend(contents["previous_attributes"], contents["object"], changes, fetch)
        _descend(contents["object"], contents["object"], changes, fetch)
    return event


def _changes_after(version: str) -> tuple[Change, ...]:
    return tuple(change for change in CHANGES if version < change.since)


def _descend(value: Any, like: Any, changes: Mapping[str, Callable[[Object, Fetch], None]], fetch: Fetch) -> None:
    """`like`: the whole of which `value` may be a part, as previous attributes are; it knows the kinds of objects."""
    if isinstance(value, list):
        for one in value:
            _descend(one, one, changes, fetch)
    elif isinstance(value, dict):
        whole = like if isinstance(like, dict) else {}
        kind = str(value.get("object") or whole.get("object"))
        if kind == "event":
            return
        for name, one in value.items():
            _descend(one, one if isinstance(one, list) else whole.get(name), changes, fetch)
        if kind in changes:
            changes[kind](value, fetch)
