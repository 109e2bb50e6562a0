"""A real HTTP server that gives recorded answers of the reference's backend and remembers what it was asked."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def fields(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass
class Answer:
    """`body` is sent as JSON, or as it is when it is text of another `kind`."""

    body: Any = field(default_factory=dict[str, Any])
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])


class CannedBackend:
    """`answers` by method and target; anything else is 404 without a body. A context manager."""

    def __init__(self) -> None:
        backend = self
        self.answers: dict[tuple[str, str], Answer] = {}
        self.asked: list[Asked] = []

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                backend.asked.append(Asked(self.command, self.path, headers, self.rfile.read(length).decode()))
                said = backend.answers.get((self.command, self.path), Answer("", 404, "text/plain"))
                wire = (said.body if isinstance(said.body, str) else json.dumps(said.body)).encode()
                self.send_response(said.status)
                sent = {"Content-Type": said.kind, "Content-Length": str(len(wire)), **said.headers}
                for name, value in sent.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(wire)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def say(self, method: str, target: str, body: Any, status: int = 200, **more: Any) -> None:
        self.answers[method, target] = Answer(body, status, **more)

    def forget(self) -> None:
        self.answers.clear()
        self.asked.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
