"""Two promises of the architecture, read off the syntax tree: nothing is held while Stripe answers,
and connections are taken in one room only."""

import ast
from collections.abc import Iterable, Iterator

from checks.sources import Source, dotted

DOORS = frozenset({"as_caller", "as_service"})
# Waiting on any of these inside a transaction holds its locks for as long as the network likes.
SLOW = frozenset({"gateway", "httpx2", "aiohttp", "sleep"})


def stripe_inside_a_transaction(sources: Iterable[Source]) -> Iterator[str]:
    """Calls of the gateway (or of anything else on the network) inside `async with db.as_…`."""
    for source in sources:
        for block in ast.walk(source.tree):
            if isinstance(block, ast.AsyncWith) and any(_is_door(item) for item in block.items):
                for call in _calls(block.body):
                    for slow in SLOW.intersection(dotted(call.func)):
                        yield source.at(call, f"`{slow}` is called inside a transaction")


def acquire_outside_db(sources: Iterable[Source]) -> Iterator[str]:
    """`pool.acquire` anywhere but in server/db."""
    for source in sources:
        if "server/db/" in source.path.as_posix():
            continue
        for call in _calls([source.tree]):
            names = dotted(call.func)
            if names[-1:] == ["acquire"] and any("pool" in name for name in names):
                yield source.at(call, "connections are acquired in server/db only")


def _is_door(item: ast.withitem) -> bool:
    return bool(DOORS.intersection(dotted(item.context_expr)))


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                yield inner
