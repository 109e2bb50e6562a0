"""`python -m tests.browser.screenshots`: the pictures of the pages in docs/images, of a phone and of a desktop."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.small_png import reduced
from tests.browser.visiting import Visitor
from tests.judges import installed
from tests.sandbox.running import ReceiverServer, Sandbox
from tests.sandbox.subscribing import plans, renew, subscribe, subscriber

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTHS = {"phone": 390, "desktop": 1200}
LARGEST = 120_000  # bytes


def main() -> int:
    """Answers 1 when a picture is larger than the docs want."""
    FOLDER.mkdir(exist_ok=True)
    server = ReceiverServer()
    with Sandbox("--account-seed", "docs") as sandbox, installed.browser() as browser:
        sandbox.stripe.v1.webhook_endpoints.create({"url": server.receiver.url, "enabled_events": ["*"]})
        for name, url in _addresses(sandbox, server).items():
            for device, width in WIDTHS.items():
                _take(browser, sandbox, url, FOLDER / f"{name}-{device}.png", width)
    server.close()
    sizes = {path.name: path.stat().st_size for path in sorted(FOLDER.glob("*.png"))}
    for name, size in sizes.items():
        print(f"{name}: {size // 1000} kB")
    return int(any(size >= LARGEST for size in sizes.values()))


def _take(browser: "Browser", sandbox: Sandbox, url: str, path: Path, width: int) -> None:
    with Visitor(browser, sandbox.url, script=False, width=width) as visitor:
        visitor.open(url)
        tall = visitor.page.evaluate("document.documentElement.scrollHeight")
        visitor.page.set_viewport_size({"width": width, "height": min(tall, 1000 if width > 500 else 1400)})
        path.write_bytes(reduced(visitor.page.screenshot()))


def _addresses(sandbox: Sandbox, server: ReceiverServer) -> dict[str, str]:
    product = sandbox.stripe.v1.products.create({"name": "Pocket notebook", "description": "Dotted, 96 pages"}).id
    price = sandbox.stripe.v1.prices.create({"product": product, "currency": "eur", "unit_amount": 1500}).id
    items: Any = [{"price": price, "quantity": 2}]
    checkout = sandbox.session(price, line_items=items, allow_promotion_codes=True)
    customer, [basic, _] = subscriber(sandbox), plans(sandbox, 2000, 5000)
    made = subscribe(sandbox, customer, basic)
    renew(sandbox, made["id"], fail=True)
    subscribe(sandbox, customer, plans(sandbox, 700)[0])
    server.receiver.answer = lambda one: 500 if one.type.startswith("charge.") else 200
    sandbox.pay(sandbox.session())
    server.receiver.wait("payment_intent.succeeded", 3)
    params: Any = {"customer": customer, "return_url": "https://shop.example.com/account"}
    portal = sandbox.stripe.v1.billing_portal.sessions.create(params).url
    return {
        "checkout": checkout.url,
        "portal": portal,
        "control-page": f"{sandbox.url}/_sim",
        "control-page-faults": f"{sandbox.url}/_sim?view=faults",
    }


if __name__ == "__main__":
    sys.exit(main())
