"""Tests are facts about rows and responses: none is skipped, and our own code is never replaced by a mock.
The one exception is written in one place: programs of others that judge ours may be missing on a machine."""

import ast
from collections.abc import Iterable, Iterator

from checks.sources import Source, dotted

SKIPS = frozenset({"skip", "skipif", "importorskip"})
# What comes from npm or apt is optional on a developer's machine and required in CI; this module decides which.
MAY_SKIP = "tests/judges/installed.py"


def skips_and_mocks(sources: Iterable[Source]) -> Iterator[str]:
    """pytest's ways to skip, and every import of a mocking library."""
    for source in sources:
        may_skip = source.path.as_posix().endswith(MAY_SKIP)
        for node in ast.walk(source.tree):
            if (
                not may_skip
                and isinstance(node, ast.Attribute)
                and node.attr in SKIPS
                and dotted(node)[:1] == ["pytest"]
            ):
                yield source.at(node, f"pytest {node.attr}: a test that does not run proves nothing")
            if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in _imported(node):
                yield source.at(node, "a mock: start the real thing instead")


def _imported(node: ast.Import | ast.ImportFrom) -> str:
    return " ".join([getattr(node, "module", None) or "", *(alias.name for alias in node.names)])
