"""The functions of a developer's program that run inside an event's transaction, found by importing its modules."""

import importlib
from collections.abc import Sequence

from paygres.server.flows.listeners import Listeners
from paygres.server.library import Payments


def load_listeners(modules: Sequence[str]) -> Listeners:
    """Those of every Payments object in the named modules. Raises ImportError, LookupError when there is none."""
    found: list[Listeners] = []
    for name in modules:
        here = [one.listeners for one in vars(importlib.import_module(name)).values() if isinstance(one, Payments)]
        if not here:
            raise LookupError(f"module {name} has no Payments object")
        found += here
    together = Listeners()
    for one in {id(each): each for each in found}.values():
        for listener in one.all():
            together.add(listener.call, listener.types, listener.environment, listener.name)
    return together
