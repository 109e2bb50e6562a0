"""Names and sizes: words that say nothing are banned, every module says what it is for and stays small."""

import ast
import re
from collections.abc import Iterable, Iterator

from checks.sources import Source

# A thing that needs one of these words has no room of its own yet.
BANNED = frozenset(
    (
        "service",
        "manager",
        "handler",
        "helper",
        "util",
        "provider",
        "processor",
        "data",
        "info",
        "common",
        "base",
    )
)
REVIEW = 200
LIMIT = 400


def banned_names(sources: Iterable[Source]) -> Iterator[str]:
    """Module and class names made of a banned word, in the singular or the plural."""
    for source in sources:
        for word in _words(source.path.stem) & BANNED:
            yield source.at(None, f"module name contains the banned word `{word}`")
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                for word in _words(node.name) & BANNED:
                    yield source.at(node, f"class {node.name} contains the banned word `{word}`")


def missing_docstrings(sources: Iterable[Source]) -> Iterator[str]:
    """Modules that do not say what they are for."""
    for source in sources:
        if source.tree.body and not ast.get_docstring(source.tree):
            yield source.at(None, "the module has no docstring")


def too_long(sources: Iterable[Source]) -> Iterator[str]:
    """Modules over the hard limit."""
    for source in sources:
        if source.lines > LIMIT:
            yield source.at(None, f"{source.lines} lines; the limit is {LIMIT}")


def _words(name: str) -> set[str]:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    words = {part.lower() for part in parts}
    return words | {word.removesuffix("s") for word in words}
