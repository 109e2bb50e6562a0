"""The sandbox as one object: started or found, begun anew, and everything that a test does with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from paygres.contrib.payments_sandbox.checkouts import Checkout
from paygres.contrib.payments_sandbox.clock import Clock
from paygres.contrib.payments_sandbox.deliveries import Deliveries
from paygres.contrib.payments_sandbox.errors import SandboxError
from paygres.contrib.payments_sandbox.events import Events
from paygres.contrib.payments_sandbox.faults import Faults
from paygres.contrib.payments_sandbox.process import Process
from paygres.contrib.payments_sandbox.subscriptions import Subscription
from paygres.contrib.payments_sandbox.wire import Wire, refuse_live

# A seed file's path, or what would be in it. A moment: a datetime (UTC without a zone), ISO 8601, or Unix seconds.
Seed = str | Path | Mapping[str, Any]
Moment = datetime | str | float
# Seconds between the tries of a delivery. The command's own are made for people who watch.
RETRIES = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint, and the secret that its deliveries are signed with."""

    id: str
    url: str
    secret: str


class Sandbox:
    """Made by `Sandbox.start` or `Sandbox.at`. A context manager that stops what it started."""

    def __init__(self, ready: Mapping[str, Any], process: Process | None) -> None:
        self._process = process
        self._wire = Wire(ready["url"], ready["secretKey"], self._log)
        self._take(ready)
        self.deliveries = Deliveries(self._wire)
        self.events = Events(self._wire, self.deliveries, lambda: self.account_id)
        self.clock = Clock(self._wire, self.deliveries)
        self.faults = Faults(self._wire)

    @classmethod
    def start(
        cls,
        *,
        seed: Seed | None = None,
        clock: Moment | None = None,
        faults: Mapping[str, Any] | None = None,
        webhooks: Sequence[str] = (),
        state: str | Path | None = None,
        port: int = 0,
        validate: bool = False,
        retries: Sequence[float] = RETRIES,
        options: Sequence[str] = (),
        timeout: float = 30.0,
    ) -> Self:
        """A sandbox of one's own, ready to use; it takes about half a second.

        `seed`: what exists at the beginning. `clock`: where its clock begins. `faults`: dials that are turned.
        `webhooks`: addresses that get every event. `state`: a file that keeps it; else it forgets. `port`: 0 takes any
        free one. `validate`: every answer is checked against Stripe's schemas. `retries`: seconds between the tries of
        a delivery. `options`: more of what `paygres sandbox --help` lists. `timeout`: how long it may take, in
        seconds. Raises `SandboxError` with its own words when it does not start.
        """
        arguments = ["--port", str(port), "--retries", ",".join(f"{wait:g}" for wait in retries)]
        arguments += [word for url in webhooks for word in ("--webhook", url)]
        arguments += ["--clock", _moment(clock)] if clock is not None else []
        arguments += ["--state", str(state)] if state is not None else []
        arguments += ["--validate"] if validate else []
        turned = {name: value for name, value in (faults or {}).items() if name != "answers"}
        for name, value in turned.items():
            arguments += ["--fault", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
        if isinstance(seed, str | Path):
            arguments += ["--seed", str(seed)]
        process = Process([*arguments, *options], timeout=timeout, seed=seed if isinstance(seed, Mapping) else None)
        sandbox = cls(process.ready, process)
        if faults and "answers" in faults:
            sandbox.faults.set(answers=faults["answers"])
        return sandbox

    @classmethod
    def at(cls, url: str, *, secret_key: str | None = None) -> Self:
        """One that runs already, and goes on afterwards. `secret_key`: a test key of the account to look at; else its
        own."""
        refuse_live(secret_key or "")
        wire = Wire(url, "", lambda: "")
        try:
            ready = wire.get("/_sim/account")
        finally:
            wire.close()
        if secret_key is not None:
            probe = Wire(url, secret_key, lambda: "")
            try:
                account = probe.stripe("GET", "/v1/account", {})["id"]
            finally:
                probe.close()
            ready = {"url": ready["url"], "secretKey": secret_key, "accountId": account}
        return cls({**ready, "url": url}, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the process, if it is ours. A second time does nothing."""
        self._wire.close()
        if self._process is not None:
            self._process.stop()

    def reset(
        self,
        *,
        seed: Seed | None = None,
        clock: Moment | None = None,
        faults: Mapping[str, Any] | None = None,
        new_account: bool = False,
    ) -> None:
        """Begins anew, with nothing of what was: as it was started, except for what is given here. `new_account`: with
        another account and key, so that a server that still has the old one disturbs nobody."""
        self._take(
            self._wire.post(
                "/_sim/reset",
                account="new" if new_account else None,
                seed=_seed(seed),
                clock=_moment(clock) if clock is not None else None,
                faults=dict(faults) if faults else None,
            )
        )

    def seed(self, seed: Seed) -> dict[str, dict[str, Any]]:
        """Plants a seed file beside what is there; what it names and is there already stays as it is. Answers section
        -> name -> id (of webhooks: id, url, secret)."""
        file = _seed(seed)
        assert file is not None
        planted = self._wire.post("/_sim/seed_file", account=self.account_id, **file)
        for section, names in planted.items():
            self.seeded.setdefault(section, {}).update(names)
        return planted

    def environ(self) -> dict[str, str]:
        """What a server needs in its environment: where Stripe is, and its test key under the names that Paygres, the
        Stripe CLI and most projects read."""
        names = ("STRIPE_TEST_SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_API_KEY")
        return {"STRIPE_API_BASE": self.url, **dict.fromkeys(names, self.secret_key)}

    def webhook(self, url: str, events: Sequence[str] = ("*",)) -> Webhook:
        """Registers an endpoint for these types of events, from now on."""
        made = self.request("POST", "/v1/webhook_endpoints", {"url": url, "enabled_events": list(events)})
        return Webhook(made["id"], made["url"], made["secret"])

    def checkout(self, id_or_url: str) -> Checkout:
        """A checkout session by its id, or by the address where its buyer was sent."""
        return Checkout(self._wire, id_or_url)

    def subscriptions(self, id: str) -> Subscription:
        """A subscription by its id."""
        return Subscription(self._wire, id)

    def fail_next(self, outcome: str = "declined") -> None:
        """So the account's next payment ends, whatever its card: `declined`, declined with a code of Stripe's such as
        `insufficient_funds` or `expired_card`, `asks` (for authentication), or `disputed` (paid first)."""
        self._wire.post("/_sim/next_payment", outcome=outcome, account=self.account_id)

    def request(self, method: str, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Stripe's API as a backend uses it, for what a test arranges: `request("POST", "/v1/customers", {"email":
        "ada@example.com"})`. Raises `SandboxError` with Stripe's own words."""
        return self._wire.stripe(method, path, params or {})

    def _take(self, ready: Mapping[str, Any]) -> None:
        self.url: str = self._wire.url
        self.secret_key: str = ready["secretKey"]
        self.account_id: str = ready["accountId"]
        self.seeded: dict[str, dict[str, Any]] = ready.get("seeded") or {}
        self.webhooks = [Webhook(**one) for one in ready.get("webhooks") or ()]
        self._wire.secret_key = self.secret_key

    def _log(self) -> str:
        return self._process.log() if self._process is not None else ""


def _moment(moment: Moment) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else str(moment)


def _seed(seed: Seed | None) -> dict[str, str] | None:
    """As the sandbox takes it over HTTP."""
    if seed is None:
        return None
    if isinstance(seed, Mapping):
        import json  # JSON is YAML

        return {"name": "seed", "text": json.dumps(seed, default=str)}
    try:
        return {"name": str(seed), "text": Path(seed).read_text(encoding="utf-8")}
    except OSError as problem:
        raise SandboxError(f"The seed file {seed} cannot be read: {problem.strerror}.") from None
