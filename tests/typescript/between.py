"""A proxy before the server that can fail on purpose, and remembers what was asked."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx2

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "content-encoding"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came by, and the status it was answered with."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path


class Between:
    """`url` is the proxy's; `instead` holds statuses that the next requests get without reaching the server; `late` is
    how many seconds each request waits."""

    def __init__(self, server: str) -> None:
        self.asked: list[Asked] = []
        self.instead: list[int] = []
        self.late = 0.0
        between = self

        class Passing(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                between._pass(self, server)

            do_GET = do_POST = do_OPTIONS = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def statuses(self, path_end: str) -> list[int]:
        """What requests for paths that end so were answered, in order."""
        return [one.status for one in self.asked if one.path.endswith(path_end)]

    def _pass(self, request: BaseHTTPRequestHandler, server: str) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self.late:
            time.sleep(self.late)
        if self.instead:
            status, headers, content = self.instead.pop(0), [], b"on purpose"
        else:
            sent = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
            answer = httpx2.request(request.command, server + request.path, headers=sent, content=body, timeout=40)
            status, headers, content = answer.status_code, answer.headers.multi_items(), answer.content
        names = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.command, request.path, names, body, status))
        try:
            request.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP:
                    request.send_header(name, value)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except ConnectionError:
            request.close_connection = True


@contextmanager
def between(server: str) -> Iterator[Between]:
    """Runs until the end of the block."""
    proxy = Between(server)
    thread = threading.Thread(target=proxy.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.http.shutdown()
        proxy.http.server_close()
        thread.join()
