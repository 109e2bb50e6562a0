"""Plays a scenario with whichever stripe-python this process imports, and answers in JSON what the library made of it.

`drive_python.py play URL KEY RUN` · `drive_python.py verify < deliveries.json`. Needs nothing of this repository.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import stripe

VERSION = "2026-05-27.dahlia"
SCENARIO = Path(__file__).with_name("scenario.json")
# What a card's number is called where only tokens may be sent.
TOKENS = {
    "4242424242424242": "tok_visa",
    "5555555555554444": "tok_mastercard",
    "4000000000000002": "tok_chargeDeclined",
}
Step = dict[str, Any]


class Unexpected(Exception):
    """A step went otherwise than the scenario says."""


class Player:
    """One run: the client, and what the steps so far were called. `live`: pays as Stripe's CLI does, since only the
    sandbox has test controls. `patience`: how long to wait for what comes by itself, in seconds."""

    def __init__(self, url: str, key: str, run: str, *, live: bool = False, patience: float = 10.0) -> None:
        self._url, self._run, self._live, self._patience = url, run, live, patience
        # Stripe counts requests; the sandbox need not be asked politely.
        self._pause = patience / 500 if patience < 30 else 1.0
        self._client = stripe.StripeClient(key, base_addresses={"api": url}, stripe_version=VERSION)
        self.known: dict[str, Any] = {}

    def play(self, scenario: dict[str, Any]) -> dict[str, list[Any]]:
        """Chapter -> what its steps gave."""
        return {
            chapter["name"]: [self.step(step) for step in chapter["steps"]]
            for chapter in scenario["chapters"]
            if not (self._live and chapter.get("only") == "sandbox")
        }

    def step(self, step: Step) -> Any:
        """What the step gave. `surprise` says why, where it went otherwise than the scenario expects."""
        try:
            if "pay" in step:
                return self._pay(step)
            if "wait" in step:
                return self._wait(step)
            given = self._poll(step) if "poll" in step else self._call(step["do"], step)
        except stripe.StripeError as error:
            told = error.json_body["error"]
            shown = {name: told.get(name) for name in ("type", "code", "param", "message", "decline_code")}
            surprise = {} if step.get("fails") else {"surprise": "refused"}
            return {"class": type(error).__name__, "status": error.http_status, **shown, **surprise}
        except Unexpected as problem:
            return {"surprise": f"Error: {problem}"[:300]}
        if step.get("fails"):
            return {"surprise": "should have been refused"}
        if "as" in step:
            self.known[step["as"]] = given
        for name in step.get("leave_out", ()):
            given.pop(name)
        return given

    def _call(self, path: str, step: Step) -> Any:
        found: Any = self._client.v1
        for name in path.split("."):
            found = getattr(found, name)
        options = {"idempotency_key": self._filled(step["key"])} if "key" in step else None
        answer = found(*self._filled(step.get("on", [])), self._filled(step.get("with", {})), options)
        if "pages" in step:
            values = [plain(one).get(step["pages"]) for one in answer.auto_paging_iter()]
            return sorted(values) if step.get("sorted") else values
        return plain(answer)

    def _poll(self, step: Step) -> Any:
        until = time.monotonic() + self._patience
        while True:
            given = self._call(step["poll"], step)
            if all(dig(given, path) == wanted for path, wanted in step["until"].items()):
                return given
            if time.monotonic() > until:
                raise Unexpected(f"{step['until']} did not come: {given}")
            time.sleep(self._pause)

    def _wait(self, step: Step) -> Any:
        """The object of the first event of that type about that object."""
        name = "object" if "object" in step else "invoice"
        wanted = self._filled(step[name])
        until = time.monotonic() + self._patience
        while True:
            for event in plain(self._client.v1.events.list({"type": step["wait"], "limit": 100}))["data"]:
                item = event["data"]["object"]
                if item["id" if name == "object" else name] == wanted:
                    return item
            if time.monotonic() > until:
                raise Unexpected(f"{step['wait']} did not come")
            time.sleep(self._pause)

    def _pay(self, step: Step) -> Any:
        """On the hosted page; what counts is what the session is afterwards, so this gives only whether it went."""
        session = self._filled(step["pay"])
        if not self._live:
            how = {name: step[name] for name in ("card", "iban", "authenticate") if name in step}
            body = {"session": session, "email": f"buyer-{self._run}@example.com", "name": "Ada", **how}
            request = urllib.request.Request(self._url + "/_sim/pay", json.dumps(body).encode())
            try:
                urllib.request.urlopen(request).close()
            except urllib.error.HTTPError as refused:
                return paid_or_not(step, refused.read().decode())
        else:
            method = self._raw("/v1/payment_methods", **method_params(step))
            amount = {"expected_amount": str(step["amount"])} if "amount" in step else {}
            try:
                self._raw(f"/v1/payment_pages/{session}/confirm", payment_method=method["id"], **amount)
            except stripe.CardError as refused:
                return paid_or_not(step, str(refused))
        return paid_or_not(step, "")

    def _raw(self, path: str, **params: str) -> Any:
        return self._client.raw_request("post", path, **params).data

    def _filled(self, value: Any) -> Any:
        """The value with `$name.path` and `$run` replaced by what they stand for."""
        if isinstance(value, dict):
            return {name: self._filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if isinstance(value, str) and value.startswith("$") and not value.startswith("$run"):
            name, _, path = value[1:].partition(".")
            if name not in self.known:
                raise Unexpected(f"nothing is called {name}")
            return dig(self.known[name], path)
        return value.replace("$run", self._run) if isinstance(value, str) else value


def method_params(step: Step) -> dict[str, str]:
    """The payment method of a step for those who may not send card numbers."""
    if "card" in step:
        return {"type": "card", "card[token]": TOKENS[step["card"]]}
    owner = {"billing_details[email]": "ada@example.com", "billing_details[name]": "Ada"}
    return {"type": "sepa_debit", "sepa_debit[iban]": step["iban"], **owner}


def paid_or_not(step: Step, refused: str) -> str:
    if bool(refused) != bool(step.get("declined")):
        raise Unexpected(refused or "should have been declined")
    return "declined" if refused else "paid"


def plain(answer: Any) -> Any:
    """Stripe's object as JSON would have it."""
    return json.loads(json.dumps(answer.to_dict(), default=decimal))


def decimal(value: Any) -> str:
    assert isinstance(value, Decimal)
    return str(value)


def dig(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = (value[int(name)] if int(name) < len(value) else None) if isinstance(value, list) else value[name]
        if value is None:
            return None
    return value


def verdicts(deliveries: list[dict[str, str]]) -> Iterator[list[bool]]:
    """For each delivery: is it accepted as it came, with a changed body, with another secret?"""
    for one in deliveries:
        payload, signature, secret = one["payload"], one["signature"], one["secret"]
        yield [
            accepts(payload, signature, secret),
            accepts(payload.replace('"livemode":false', '"livemode":true', 1), signature, secret),
            accepts(payload, signature, secret[:-1]),
        ]


def accepts(payload: str, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(payload, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
        event = stripe.Webhook.construct_event(payload, signature, secret)
    except stripe.SignatureVerificationError:
        return False
    return event.id == json.loads(payload)["id"]


def main(arguments: list[str]) -> Any:
    if arguments[0] == "verify":
        return list(verdicts(json.load(sys.stdin)))
    url, key, run = arguments[1:4]
    return Player(url, key, run).play(json.loads(SCENARIO.read_text("utf-8")))


if __name__ == "__main__":
    stripe.enable_telemetry = False
    json.dump({"version": stripe.VERSION, "answer": main(sys.argv[1:])}, sys.stdout)
