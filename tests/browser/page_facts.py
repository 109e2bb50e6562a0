"""What can be read off a page in the browser: what overflows, which field has no label, whose contrast is too low; and
off its source: which tags are not closed."""

from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
# Ratios of WCAG 2.2, level AA: of text, of large text, of the edges of fields.
LEAST = {"text": 4.5, "large": 3.0, "edge": 3.0}

SCRIPT = Path(__file__).with_name("page_facts.js").read_text("utf-8").rstrip()


def overflow(page: "Page") -> int:
    """By how many CSS pixels the page is wider than its window."""
    return _ask(page, "overflow")


def unlabeled(page: "Page") -> list[str]:
    return _ask(page, "unlabeled")


def dangling(page: "Page") -> list[str]:
    """Ids that are referred to and do not exist, and those that exist twice."""
    return _ask(page, "dangling")


def low_contrasts(page: "Page") -> list[Any]:
    """[kind, element, ratio] of what is below the least ratio of its kind."""
    return [one for one in _ask(page, "contrasts") if one[2] < LEAST[one[0]]]


def tab_stops(page: "Page", most: int = 60) -> list[str]:
    """The ids (or texts) of what the Tab key reaches, in its order."""
    found: list[str] = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate("(document.activeElement.id || document.activeElement.textContent.trim()).slice(0, 60)")
        if page.evaluate("document.activeElement === document.body") or (found and name == found[0]):
            break
        found.append(name)
    return found


def _ask(page: "Page", question: str) -> Any:
    return page.evaluate(f"({SCRIPT}).{question}()")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.wrong += [f"{name} twice in <{tag}>" for name in set(names) if names.count(name) > 1]
        if tag == "form" and "form" in self.open:
            self.wrong.append("a form in a form")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> after <{self.open[-1] if self.open else ''}>, line {self.getpos()[0]}")
        if tag in self.open:
            while self.open.pop() != tag:
                continue


def broken_tags(source: str) -> list[str]:
    """What a browser would have to guess."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return [*reader.wrong, *(f"<{tag}> is not closed" for tag in reader.open)]
