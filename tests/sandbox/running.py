"""The sandbox as a real process for tests, official clients whose every answer is checked against Stripe's published
schemas, and a small real webhook receiver."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import stripe

from paygres.sandbox.objects.catalog import UNPUBLISHED, find_route
from paygres.sandbox.spec.validation import answer_violations, violations

VERSION = "2026-05-27.dahlia"
FORM = {"email": "buyer@example.com", "card_number": "4242 4242 4242 4242", "exp": "12/34", "cvc": "123", "name": "Ada"}


class Sandbox:
    """`python -m paygres.sandbox`, started and ready. A context manager that stops it. `validate`: it checks every
    answer and event itself, and answers 500 for one that is not strictly what Stripe publishes."""

    def __init__(self, *arguments: str, validate: bool = True) -> None:
        quick = ("--settle-after", "0.05", "--retries", "0.1,0.2", *(["--validate"] if validate else []))
        command = [sys.executable, "-m", "paygres.sandbox", *quick, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the sandbox ended with {self.process.wait()} before it was ready"
        self.ready: dict[str, str] = json.loads(line)
        self.url = self.ready["url"]
        self.key = self.ready["secretKey"]
        self.stripe = official_client(self.url, self.key)
        self.http = RecordingClient(self.url, self.key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        self.http.close()
        self.process.terminate()
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def kill(self) -> None:
        self.http.close()
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    # what most tests begin with

    def price(self, amount: int = 1500, **more: Any) -> str:
        product = self.stripe.v1.products.create({"name": "Pocket notebook"})
        params: Any = {"product": product.id, "currency": "usd", "unit_amount": amount, **more}
        return self.stripe.v1.prices.create(params).id

    def session(self, price: str | None = None, **more: Any) -> Any:
        params: Any = {
            "mode": "payment",
            "line_items": [{"price": price or self.price(), "quantity": 1}],
            "success_url": "https://shop.example.com/thanks?id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example.com/cart",
            **more,
        }
        return self.stripe.v1.checkout.sessions.create(params)

    def pay(self, session: Any, **typed: str) -> httpx2.Response:
        return self.http.browser.post(session.url, data={**FORM, **typed})

    def event_types(self, **params: Any) -> list[str]:
        """All events, oldest first."""
        events = self.stripe.v1.events.list({"limit": 100, **params}).data
        return [event.type for event in reversed(events)]


class CheckingTransport(stripe.RequestsClient):
    """Stripe's own transport; every answer it carries is checked against the published schemas."""

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> tuple[bytes, int, Any]:
        content, status, answered = super().request(method, url, headers, post_data)
        check_answer(method, url, status, json.loads(content))
        return content, status, answered


def official_client(url: str, key: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key, base_addresses={"api": url}, stripe_version=VERSION, http_client=CheckingTransport()
    )


def check_answer(method: str, url: str, status: int, body: dict[str, Any]) -> None:
    if status >= 400:
        assert violations(body, strict=True) == []
        return
    operation, _, _ = find_route(method.upper(), urlsplit(url).path)
    if operation not in UNPUBLISHED:
        assert answer_violations(operation, body, strict=True) == []
    if body.get("object") == "list":
        assert violations(body, strict=True) == []


class RecordingClient:
    """Plain HTTP: `api` sends form bodies with the key, `browser` has none and follows no redirect."""

    def __init__(self, url: str, key: str) -> None:
        self.browser = httpx2.Client(base_url=url, timeout=20)
        self._api = httpx2.Client(base_url=url, timeout=20, headers={"Authorization": f"Bearer {key}"})

    def close(self) -> None:
        self.browser.close()
        self._api.close()

    def api(self, method: str, path: str, form: dict[str, str] | str = "", **headers: str) -> httpx2.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "GET":
            answer = self._api.get(path, params=form or None, headers=sent)
        elif isinstance(form, str):
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._api.request(method, path, content=form.encode(), headers=kind | sent)
        else:
            answer = self._api.request(method, path, data=form, headers=sent)
        check_answer(method, path, answer.status_code, answer.json())
        return answer

    def refused(self, method: str, path: str, form: dict[str, str] | str = "", **headers: str) -> dict[str, Any]:
        """The error object of a request that must fail."""
        answer = self.api(method, path, form, **headers)
        assert answer.status_code >= 400, answer.text
        return {"status": answer.status_code, **answer.json()["error"]}


@dataclass
class Received:
    type: str
    event: dict[str, Any]
    signature: str
    payload: bytes
    at: float


@dataclass
class Receiver:
    """A webhook endpoint. `answer` decides the status of each delivery; every signature is checked."""

    url: str = ""
    secret: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], int] = lambda _: 200

    def types(self) -> list[str]:
        return [one.type for one in self.received]

    def wait(self, type: str, count: int = 1, seconds: float = 8.0) -> Received:
        """The `count`th delivery of that type."""
        until = time.monotonic() + seconds
        while True:
            found = [one for one in self.received if one.type == type]
            if len(found) >= count:
                return found[count - 1]
            assert time.monotonic() < until, f"{type} did not come; there came {self.types()}"
            time.sleep(0.01)


class ReceiverServer:
    def __init__(self, *, validated: bool = True) -> None:
        """`validated`: events must be as Stripe publishes them, which it does for one API version."""
        receiver = self.receiver = Receiver()

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                signature = self.headers["Stripe-Signature"]
                event = json.loads(payload)
                # What an older version has is not in the schemas of this one.
                assert not validated or violations(event, strict=event["api_version"] == VERSION) == []
                if receiver.secret:
                    stripe.Webhook.construct_event(payload, signature, receiver.secret)
                one = Received(event["type"], event, signature, payload, time.time())
                status = receiver.answer(one)
                receiver.received.append(one)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
