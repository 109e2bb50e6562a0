"""A buyer with a browser, who notes what goes wrong in it and every request to somebody who has no part in it."""

from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tests.browser.visiting import CARD, MILLISECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Request


class Buyer:
    """A context manager; at its end it asserts that no error and no other host was seen."""

    def __init__(self, browser: "Browser", *hosts: str) -> None:
        self._context = browser.new_context()
        self._context.set_default_timeout(2 * MILLISECONDS)
        self._hosts = {urlsplit(host).netloc for host in hosts}
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self._context.on("request", self._noted)
        self.page = self._context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._context.close()
        if error is None:
            assert (self.errors, self.foreign) == ([], [])

    def open(self, url: str) -> None:
        """The page, when its script is done."""
        self.page.goto(url)
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector("body[data-ready]")

    def press(self, button: str, **typed: str) -> None:
        for name, text in typed.items():
            self.page.fill(f"#{name}", text)
        self.page.click(f"#{button}")

    def sees(self, place: str, text: str) -> None:
        """That text comes to stand there."""
        self.page.wait_for_selector(f'#{place}:text-is("{text}")', state="attached")

    def text(self, place: str) -> str:
        return self.page.text_content(f"#{place}") or ""

    def pay(self, **typed: str) -> None:
        """On the hosted page; returns when the shop's page is back and done."""
        self.page.wait_for_selector("#pay")
        fields = {**CARD, **typed}
        if self.page.locator("input#email").count():  # else the checkout knows it
            fields["email"] = "buyer@example.com"
        self.press("pay", **fields)
        self.ready()

    def cookies(self) -> dict[str, dict[str, object]]:
        """Every cookie of every site, by name."""
        return {one["name"]: dict(one) for one in self._context.cookies()}  # pyright: ignore[reportTypedDictNotRequiredAccess]

    def _noted(self, request: "Request") -> None:
        parts = urlsplit(request.url)
        self.asked.append((request.method, parts.path))
        if parts.scheme != "data" and parts.netloc not in self._hosts:
            self.foreign.append(request.url)

    def _heard(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} {message.location['url']}")
