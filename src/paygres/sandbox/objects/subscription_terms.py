"""The terms of a subscription: how its period and its trial run, when it is to end, and what is due next."""

from typing import Any

import orjson

from paygres.sandbox.objects.periods import DAY
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, bad_parameter
from paygres.sandbox.world import Work

ENDED = ("canceled", "incomplete_expired")
WARNED_BEFORE = 3 * DAY
# Stripe's setting unless the account chooses another; periods that are not longer have no invoice.upcoming.
UPCOMING_BEFORE = 7 * DAY
LONGEST_TRIAL_DAYS = 730
# How long a subscription waits for its first payment.
INCOMPLETE_FOR = 23 * 3600


def period_end(subscription: Object) -> int:
    """When the next item is due."""
    return min(item["current_period_end"] for item in subscription["items"]["data"])


def period(subscription: Object) -> tuple[int, int]:
    """(start, end) of the period that ends first."""
    item = min(subscription["items"]["data"], key=lambda one: one["current_period_end"])
    return item["current_period_start"], item["current_period_end"]


def living_of(work: Work, customer: str) -> list[Object]:
    """The customer's subscriptions that have not ended, newest first."""
    bodies = work.store.page(work.account, "subscription", links={"customer": customer}, limit=100)
    found: list[Object] = [orjson.loads(body) for body in bodies]
    return [one for one in found if one["status"] not in ENDED]


def schedule(work: Work, subscription: Object) -> None:
    """Sets the timers for what this subscription does by itself next. One that a later change makes pointless finds
    nothing to do."""
    end = period_end(subscription)
    due = end if subscription["cancel_at"] is None else min(end, subscription["cancel_at"])
    work.at(due, "subscription_due", subscription["id"])
    if end - UPCOMING_BEFORE > work.now:
        work.at(end - UPCOMING_BEFORE, "upcoming_invoice", subscription["id"])


def warn_of_trial(work: Work, subscription: Object) -> None:
    """customer.subscription.trial_will_end: three days before, or at once when the trial is shorter."""
    work.at(max(work.now, subscription["trial_end"] - WARNED_BEFORE), "trial_will_end", subscription["id"])


def announce_trial_end(work: Work, id: str) -> None:
    """The timer of `warn_of_trial`."""
    subscription = work.get(id)
    if subscription is not None and subscription["status"] == "trialing":
        work.emit("customer.subscription.trial_will_end", subscription, automatic=True)


def read_trial_end(work: Work, params: Params, prefix: str = "") -> int | None:
    """The end of the trial that the parameters ask for; None for none, or for one that ends now."""
    days = params.get("trial_period_days")
    if days is not None:
        if "trial_end" in params:
            raise Refusal(
                "You may only specify one of these parameters: trial_end, trial_period_days.",
                code="parameters_exclusive",
                param="trial_end",
            )
        if days < 1 or days > LONGEST_TRIAL_DAYS:
            bound = "at least 1" if days < 1 else f"at most {LONGEST_TRIAL_DAYS}"
            raise bad_parameter(f"The trial period must be {bound} days.", "trial_period_days")
        return work.now + days * DAY
    end = params.get("trial_end")
    if end is None or end == "now":
        return None
    if end <= work.now:
        param = f"{prefix}[trial_end]" if prefix else "trial_end"
        raise bad_parameter("Invalid timestamp: must be an integer Unix timestamp in the future.", param)
    return end


def read_anchor(work: Work, params: Params, end: int) -> int | None:
    """When the first whole period begins, if a new subscription is told that. `end`: when it would."""
    anchor = params.get("billing_cycle_anchor")
    if anchor is None:
        return None
    if anchor <= work.now:
        raise bad_parameter(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", "billing_cycle_anchor"
        )
    if "trial_end" in params or "trial_period_days" in params:
        raise Refusal(
            "The sandbox does not simulate `billing_cycle_anchor` together with a trial.", param="billing_cycle_anchor"
        )
    if anchor > end:
        raise Refusal(
            f"billing_cycle_anchor cannot be later than next natural billing date ({end}) for plan",
            param="billing_cycle_anchor",
        )
    return anchor


def ending(work: Work, subscription: Object, params: Params) -> dict[str, Any]:
    """The fields that `cancel_at_period_end`, `cancel_at` and `cancellation_details` of a request change."""
    changes: dict[str, Any] = {}
    if "cancel_at" in params and params.get("cancel_at_period_end"):
        raise Refusal(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
            code="parameters_exclusive",
            param="cancel_at",
        )
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"]
        if ends != subscription["cancel_at_period_end"] or (not ends and subscription["cancel_at"] is not None):
            at = period_end(subscription) if ends else None
            changes = end_at(work, subscription, at, by_period_end=ends)
    if "cancel_at" in params:
        at = _moment(subscription, params["cancel_at"])
        if at is not None and at <= work.now:
            raise bad_parameter("Invalid timestamp: must be an integer Unix timestamp in the future.", "cancel_at")
        if at != subscription["cancel_at"]:
            changes = end_at(work, subscription, at, by_period_end=False)
    if "cancellation_details" in params:
        changes["cancellation_details"] = {
            **(changes.get("cancellation_details") or subscription["cancellation_details"] or {}),
            **{name: value or None for name, value in params["cancellation_details"].items()},
        }
    return changes


def end_at(work: Work, subscription: Object, at: int | None, *, by_period_end: bool) -> dict[str, Any]:
    """The fields of a subscription that is to end at `at` (None: it goes on). `by_period_end`: said as "at the period's
    end", which moves with the period."""
    details = subscription["cancellation_details"] or {}
    kept = {} if at is None else {"comment": details.get("comment"), "feedback": details.get("feedback")}
    return {
        "cancel_at": at,
        "cancel_at_period_end": by_period_end and at is not None,
        "canceled_at": None if at is None else (subscription["canceled_at"] or work.now),
        "cancellation_details": {**kept, "reason": None if at is None else "cancellation_requested"},
    }


def is_ending(subscription: Object) -> bool:
    return subscription["status"] not in ENDED and subscription["cancel_at"] is not None


def _moment(subscription: Object, given: int | str) -> int | None:
    if given == "":
        return None
    if isinstance(given, int):
        return given
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    return min(ends) if given == "min_period_end" else max(ends)
