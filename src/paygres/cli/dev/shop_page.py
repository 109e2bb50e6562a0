"""Where a buyer returns to in the sample shop: one page that reads the order from the database."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

from paygres.cli.dev.database import order_status, work

PAGE = """<!doctype html><meta charset="utf-8"><title>Sample shop</title>
<body style="font: 1.1rem/1.5 system-ui; max-width: 32rem; margin: 4rem auto">
<h1>{title}</h1><p>{text}</p>"""


class ShopPage:
    """Serves /orders/{id} on a free loopback port from a thread of its own, until our process ends."""

    def __init__(self, owner_url: str) -> None:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = _page(owner_url, self.path)
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Quiet: the screen is for the person."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"


def _page(owner_url: str, path: str) -> tuple[int, str]:
    name, _, order_id = path.split("?")[0].strip("/").partition("/")
    status = None
    with contextlib.suppress(ValueError):
        status = work(order_status(owner_url, str(UUID(order_id)))) if name == "orders" else None
    if status is None:
        return 404, PAGE.format(title="Sample shop", text="There is no such order.")
    text = {
        "paid": "Paid. The trigger on payments.webhook_events granted it in the event's own transaction.",
        "partially_refunded": "Paid, and some of the money has gone back.",
        "refunded": "The money has gone back.",
    }.get(status, "Not paid yet. The webhook decides, not this page's address; reload to look again.")
    return 200, PAGE.format(title=f"Your order is {status.replace('_', ' ')}", text=text)
