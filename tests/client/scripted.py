"""An HTTP server that answers what it is told to, and remembers what it was asked: for retries and broken answers."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RESET = "reset"
SESSION: dict[str, Any] = {
    "id": "6b1f0f5e-0000-4000-8000-000000000001",
    "environment": "test",
    "mode": "payment",
    "status": "open",
    "paymentStatus": "unpaid",
    "subjectType": None,
    "subjectId": None,
    "customerEmail": None,
    "checkoutSessionId": "cs_test_1",
    "customerId": None,
    "paymentIntentId": None,
    "subscriptionId": None,
    "url": "https://checkout.example.com/c/pay/cs_test_1",
    "lastError": None,
    "createdAt": "2026-05-01T09:00:00.000Z",
    "updatedAt": "2026-05-01T09:00:00.400Z",
}
CREATED: dict[str, Any] = {"checkoutSession": SESSION}
PORTAL: dict[str, Any] = {
    "customerPortalSession": {
        **{name: SESSION[name] for name in ("id", "environment", "customerId", "url", "lastError")},
        **{name: SESSION[name] for name in ("createdAt", "updatedAt")},
        "status": "created",
        "subjectType": "user",
        "subjectId": "u1",
        "returnUrl": None,
        "configuration": None,
    }
}


@dataclass
class Asked:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """`body` is sent as JSON unless it is bytes; `delay` in seconds comes before it."""

    status: int = 201
    body: Any = field(default_factory=lambda: CREATED)
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay: float = 0.0


@dataclass
class Scripted:
    """Gives its answers in turn, the last one for ever. `asked` is what came."""

    url: str
    answers: list[Answer | str] = field(default_factory=lambda: [Answer()])
    asked: list[Asked] = field(default_factory=list[Asked])

    def next(self) -> Answer | str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def scripted(*answers: Answer | str) -> Iterator[Scripted]:
    """Listens on this machine until the end of the block."""
    script = Scripted("")
    if answers:
        script.answers = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            sent = self.rfile.read(length)
            script.asked.append(
                Asked(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    json.loads(sent) if sent else None,
                )
            )
            answer = script.next()
            if isinstance(answer, str):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            time.sleep(answer.delay)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that went away, or a connection reset on purpose

    server = Quiet(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
