"""`settings.PAYGRES`: BASE_URL, ANON_KEY, JWT_SECRET, WEBHOOK_SECRET, ENVIRONMENT, TIMEOUT; and clients made of it."""

import asyncio
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

import paygres

NAMES = frozenset({"BASE_URL", "ANON_KEY", "JWT_SECRET", "WEBHOOK_SECRET", "ENVIRONMENT", "TIMEOUT"})

# An async client belongs to its event loop; under WSGI every async view has one of its own.
_of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, paygres.AsyncClient]" = WeakKeyDictionary()


def option(name: str) -> Any:
    """One of NAMES, None when it is not set."""
    return getattr(settings, "PAYGRES", {}).get(name)


@cache
def client() -> paygres.Client:
    """The client of this process, for guests; users are clones of it."""
    return paygres.create_client(option("BASE_URL"), option("ANON_KEY"), **_timeout())


def async_client() -> paygres.AsyncClient:
    """The client of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = paygres.create_async_client(option("BASE_URL"), option("ANON_KEY"), **_timeout())
        _of_loops[loop] = found
    return found


def _timeout() -> dict[str, Any]:
    seconds = option("TIMEOUT")
    return {} if seconds is None else {"timeout": seconds}


@receiver(setting_changed)
def forget(*, setting: str, **_: Any) -> None:
    """Tests change settings; the next client is made of the new ones."""
    if setting == "PAYGRES":
        client.cache_clear()
        _of_loops.clear()
