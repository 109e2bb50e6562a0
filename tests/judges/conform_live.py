"""`make conform-live`: plays the scenario against the real Stripe, in the test mode of an account of yours, and against
a sandbox, and prints where their answers differ. Needs STRIPE_CONFORM_KEY=sk_test_…; refuses every other key."""

import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import stripe

from tests.judges.drive_python import Player
from tests.judges.playing import SCENARIO, Placeholders, differences
from tests.sandbox.running import Sandbox

STRIPE = "https://api.stripe.com"
KEY = re.compile(r"sk_test_[A-Za-z0-9]{16,}")
# How long Stripe may take for what comes by itself: a dispute that is decided, a test clock on its way.
PATIENCE = 120.0
Chapters = dict[str, list[Any]]


def main(arguments: list[str]) -> int:
    key = os.environ.get("STRIPE_CONFORM_KEY", "")
    if not KEY.fullmatch(key):
        print("STRIPE_CONFORM_KEY must hold a secret test key, sk_test_…; nothing was sent.", file=sys.stderr)
        return 64
    print(f"In the test mode of the account of {key[:12]}…{key[-4:]} this will create\n  {to_be_created()}.")
    print("It deletes or deactivates what Stripe lets it delete; payments, refunds and invoices stay.")
    if arguments != ["--yes"] and input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        print("Nothing was sent.")
        return 1
    return conform(STRIPE, key, PATIENCE, print)


def to_be_created() -> str:
    """What the scenario creates, as a sentence would list it."""
    counts: Counter[str] = Counter()
    for chapter in SCENARIO["chapters"]:
        for step in chapter["steps"]:
            noun, _, verb = step.get("do", "").rpartition(".")
            if verb == "create" and not step.get("fails"):
                counts[noun.replace("_", " ").replace(".", " ")] += 1
    return ", ".join(f"{count} {noun}" for noun, count in sorted(counts.items()))


def conform(url: str, key: str, patience: float, say: Callable[[str], object]) -> int:
    """Plays the scenario at `url` and in a sandbox; says each difference, and answers 1 when there is one."""
    stripe.enable_telemetry = False
    run = secrets.token_hex(6)
    live = Player(url, key, run, live=True, patience=patience)
    try:
        there = live.play(SCENARIO)
    finally:
        for line in clean_up(url, key, live):
            say(line)
    with Sandbox("--validate") as sandbox:
        here = Player(sandbox.url, sandbox.key, run, live=True).play(SCENARIO)
    found = list(compared(there, here, run))
    for line in found:
        say(line)
    say(f"{len(found)} differences (left: {url}, right: the sandbox)" if found else "No differences.")
    return 1 if found else 0


def compared(there: Chapters, here: Chapters, run: str) -> Iterator[str]:
    left, right = Placeholders(run), Placeholders(run)
    for chapter in SCENARIO["chapters"]:
        name = chapter["name"]
        if name not in there:
            continue
        for place, step in enumerate(chapter["steps"]):
            # Each as it comes, since ids are numbered in their order.
            one, other = left.comparable(there[name][place]), right.comparable(here[name][place])
            what = step.get("do") or step.get("poll") or ("pay" if "pay" in step else step.get("wait"))
            for line in differences(one, other):
                yield f"{name} · {place + 1} {what} {line}"


def clean_up(url: str, key: str, player: Player) -> Iterator[str]:
    """Deletes what the run created, as far as that goes; says what it could not delete."""
    v1 = stripe.StripeClient(key, base_addresses={"api": url}).v1
    ways: dict[str, Callable[[str], object]] = {
        "test_helpers.test_clock": v1.test_helpers.test_clocks.delete,
        "customer": v1.customers.delete,
        "coupon": v1.coupons.delete,
        "price": lambda id: v1.prices.update(id, {"active": False}),
        "product": lambda id: v1.products.update(id, {"active": False}),
    }
    made = [one for one in player.known.values() if isinstance(one, dict) and not one.get("deleted")]
    for kind, remove in ways.items():
        for id in [one["id"] for one in made if one.get("object") == kind]:
            try:
                remove(id)
            except stripe.StripeError as problem:
                if problem.http_status != 404:
                    yield f"could not remove {id}: {problem.user_message}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
