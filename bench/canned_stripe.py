"""`python -m bench.canned_stripe`: the least that looks like Stripe to a checkout, in a process of its own.

It answers a creation with a session of real size that echoes metadata and reference, at once or after
`--latency` seconds, and knows the few other calls a server makes when it is given a key. It checks nothing.
"""

import argparse
import asyncio
import itertools
import json
import signal
import time
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
import uvloop

from bench.objects import full
from tests.histories import session

_ids = itertools.count(1)
_RUN = f"{int(time.time()):x}"


class CannedStripe(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
        if not found or len(body) < length:
            return
        self._received = body[length:]
        method, target, _ = lines[0].split(" ")
        creates = method == "POST" and target == "/v1/checkout/sessions"
        wire = _wire(_created(body[:length]) if creates else _answer(method, target))
        if creates and self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, wire)
        else:
            self._transport.write(wire)


def _created(form: bytes) -> dict[str, Any]:
    fields = dict(parse_qsl(form.decode()))
    metadata = {name[9:-1]: value for name, value in fields.items() if name.startswith("metadata[")}
    now = int(time.time())
    name = f"{_RUN}{next(_ids):010d}"
    return full(
        session(
            name,
            mode=fields["mode"],
            metadata=metadata,
            client_reference_id=fields.get("client_reference_id"),
            customer_email=fields.get("customer_email"),
            success_url=fields["success_url"],
            cancel_url=fields["cancel_url"],
            created=now,
            expires_at=now + 86400,
            url=f"https://pay.example.com/c/pay/cs_test_{name}#" + "fidkdWxOYHwnPyd1blpxYHZxWjA0" * 12,
        )
    )


def _answer(method: str, target: str) -> dict[str, Any]:
    path = target.partition("?")[0]
    if path == "/v1/account":
        return {"id": "acct_1Bench", "object": "account", "email": "shop@example.com", "livemode": False}
    if method == "POST":
        secret = "whsec_canned000000000000000000000000"
        return {"id": f"we_{next(_ids)}", "object": "webhook_endpoint", "secret": secret, "metadata": {}}
    if method == "DELETE":
        return {"id": path.rpartition("/")[2], "deleted": True}
    return {"object": "list", "data": [], "has_more": False, "url": path}


def _wire(body: dict[str, Any]) -> bytes:
    content = orjson.dumps(body)
    head = (
        f"HTTP/1.1 200 OK\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nRequest-Id: req_{next(_ids)}\r\n\r\n"
    )
    return head.encode() + content


async def serve(latency: float) -> None:
    """One JSON line with the address, then until SIGTERM."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: CannedStripe(latency), "127.0.0.1", 0, backlog=512)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    await asked.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    uvloop.run(serve(parser.parse_args().latency))
