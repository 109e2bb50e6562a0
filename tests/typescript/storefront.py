"""The shop that a buyer visits: its page, and its own server, which makes orders for who is signed in at the API."""

import json
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.http.running import ANON_KEY
from tests.judges import installed
from tests.typescript.selling import Stall

PAGE = Path(__file__).parent / "page"


def bundled() -> bytes:
    """The page's script with the SDK in it, as any bundler makes it."""
    # Node's `crypto` is only asked for where there is no `window`.
    options = ("--bundle", "--format=esm", "--external:crypto", "--log-level=warning")
    command = [*installed.bundler(), "shop.js", *options]
    env = {"PATH": os.environ["PATH"], "NODE_PATH": str(installed.npm_packages())}
    return subprocess.run(command, cwd=PAGE, env=env, check=True, stdout=subprocess.PIPE).stdout


class Storefront:
    """`url` is the page's origin; `api` the API's, another one of the same site, as cookies want it."""

    def __init__(self, stall: Stall, port: int) -> None:
        self.api = by_name(stall.url)
        settings = {"api": self.api, "anonKey": ANON_KEY, "price": stall.price, "plan": stall.plan}
        files = {
            "/": ("text/html; charset=utf-8", (PAGE / "index.html").read_bytes()),
            "/shop.js": ("text/javascript", bundled()),
            "/settings.json": ("application/json", json.dumps(settings).encode()),
        }
        files["/thanks"] = files["/"]

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path.startswith("/orders/"):
                    self._say(*_read(stall, _user(stall.url, self.headers), path.rpartition("/")[2]))
                else:
                    self._say(*files[path])

            def do_POST(self) -> None:
                self._say("application/json", json.dumps({"id": stall.order(_user(stall.url, self.headers))}).encode())

            def _say(self, kind: str, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Answering)
        self.http.daemon_threads = True
        self.url = f"http://localhost:{port}"


def by_name(url: str) -> str:
    """The same address under the name that browsers keep cookies of by plain HTTP."""
    return url.replace("127.0.0.1", "localhost")


def _user(api: str, headers: Any) -> str | None:
    """Who asks, as the API says; None for a guest."""
    told = httpx2.get(f"{api}/api/auth/sessions/current", headers={"authorization": headers["authorization"]})
    return told.json()["user"]["id"] if told.status_code == 200 else None


def _read(stall: Stall, user: str | None, order: str) -> tuple[str, bytes]:
    statement = "select status from public.orders where id = $1 and user_id is not distinct from $2"
    status = stall.owner(statement, uuid.UUID(order), user)
    return "application/json", json.dumps({"status": status}).encode()


@contextmanager
def storefront(stall: Stall, port: int) -> Iterator[Storefront]:
    """Open until the end of the block."""
    opened = Storefront(stall, port)
    thread = threading.Thread(target=opened.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        opened.http.shutdown()
        opened.http.server_close()
        thread.join()
