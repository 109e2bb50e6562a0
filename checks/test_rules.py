"""Tests are facts about rows and responses: none is skipped, and our own code is never replaced by a mock."""

import ast
from collections.abc import Iterable, Iterator

from checks.sources import Source, dotted

SKIPS = frozenset({"skip", "skipif", "importorskip"})


def skips_and_mocks(sources: Iterable[Source]) -> Iterator[str]:
    """pytest's ways to skip, and every import of a mocking library."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr in SKIPS and dotted(node)[:1] == ["pytest"]:
                yield source.at(node, f"pytest {node.attr}: a test that does not run proves nothing")
            if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in _imported(node):
                yield source.at(node, "a mock: start the real thing instead")


def _imported(node: ast.Import | ast.ImportFrom) -> str:
    return " ".join([getattr(node, "module", None) or "", *(alias.name for alias in node.names)])
