"""A visitor of the sandbox's pages: a browser of its own, which notes errors in its console and every request that
leaves the sandbox. The shop that pages lead back to is the sandbox under another name, so another origin."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Request

PHONE, TABLET, DESKTOP = 360, 768, 1440
MILLISECONDS = 8000
CARD = {"card_number": "4242 4242 4242 4242", "exp": "12/34", "cvc": "123", "name": "Ada Lovelace"}


def shop_of(sandbox: str) -> str:
    """The address of the shop."""
    return sandbox.replace("127.0.0.1", "localhost")


class Visitor:
    """A context manager; at its end it asserts that nothing went wrong in the browser."""

    def __init__(
        self, browser: "Browser", home: str, *, script: bool = True, width: int = PHONE, scheme: str = "light"
    ) -> None:
        settings: Any = {"color_scheme": scheme, "java_script_enabled": script, "reduced_motion": "reduce"}
        self._context = browser.new_context(viewport={"width": width, "height": 800}, **settings)
        self._context.set_default_timeout(MILLISECONDS)
        self._home, self._shop = urlsplit(home).netloc, urlsplit(shop_of(home)).netloc
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._context.on("request", self._asked)
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
            assert self.foreign == []
            assert self.errors == []

    def open(self, url: str) -> None:
        self.page.goto(url)

    def fill(self, **typed: str) -> None:
        for name, text in typed.items():
            self.page.fill(f"#{name}", text)

    def press(self, name: str) -> None:
        """The button or link of that id; what it leads to is there then."""
        self.page.click(f"#{name}")

    def find(self, selector: str) -> "Locator":
        return self.page.locator(selector)

    def text(self, selector: str) -> str:
        """What is written there, spaces made one."""
        return " ".join((self.page.text_content(selector) or "").split())

    @property
    def place(self) -> str:
        """The path and the query of the address, after the word `shop` where it is the shop's."""
        parts = urlsplit(self.page.url)
        where = {self._home: "", self._shop: "shop"}[parts.netloc]
        return where + parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def focused(self) -> str:
        """The id of what has the focus."""
        return self.page.evaluate("document.activeElement.id")

    def _asked(self, request: "Request") -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc not in (self._home, self._shop):
            self.foreign.append(request.url)

    def _heard(self, message: "ConsoleMessage") -> None:
        # Chromium calls every page an error that is answered with 4xx; the form that was wrong is one.
        answered = "Failed to load resource: the server responded with a status of 4" in message.text
        if message.type == "error" and not (answered and message.location["url"] == self.page.url):
            self.errors.append(message.text)
