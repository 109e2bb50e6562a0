"""The server as a library in a developer's own program: the routes, the worker, and functions of theirs that run in an
event's transaction or after its commit. `from paygres.server import Payments`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from paygres.server.app import create_app
from paygres.server.flows.listeners import AfterCommit, Environment, Listen, Listeners, Message, StripeEvent
from paygres.server.flows.transaction import Transaction
from paygres.server.settings import Settings, load

__all__ = ["Message", "NotStarted", "Payments", "StripeEvent", "Transaction"]

_L = TypeVar("_L", bound=Listen)
_A = TypeVar("_A", bound=AfterCommit)


class NotStarted(RuntimeError):
    """A request came and the database is not open: the lifespan was forgotten."""


class Payments:
    """One Paygres in this process. `worker=False` leaves retries, and events that wait for a listener, to others: then
    one process that has the listeners must run a worker."""

    def __init__(self, settings: Settings, *, worker: bool = True) -> None:
        self._listeners = Listeners()
        self._started = False
        self._app = create_app(settings, worker=worker, listeners=self._listeners)

    @classmethod
    def from_env(cls, *, worker: bool = True) -> "Payments":
        """Settings from the environment; raises SettingsError with every fault at once."""
        return cls(load(), worker=worker)

    @property
    def listeners(self) -> Listeners:
        """What is registered so far."""
        return self._listeners

    def on(
        self, *event_types: str, environment: Environment | None = None, name: str | None = None
    ) -> Callable[[_L], _L]:
        """Decorates `async def f(event, tx)`, which runs inside the transaction that marks the event processed.

        What it writes with `tx` commits with the event or not at all; when it raises, or takes longer than 1.5 seconds
        in a webhook and 10 in the worker, the event is `failed` with the reason and is tried again. No network calls:
        they would hold the payment's locks, and happen again at every attempt. `environment` None: both. `name` is how
        other processes know it, by default its module and name. Raises ValueError for a type that is not subscribed to.
        """

        def register(call: _L) -> _L:
            self._refuse_late(call)
            self._listeners.add(call, event_types, environment, name)
            return call

        return register

    def after_commit(
        self, *message_types: str, environment: Environment | None = None, name: str | None = None
    ) -> Callable[[_A], _A]:
        """Decorates `async def f(message)`, called after the commit that changed a fulfillment, for mail and other
        effects outside the database. At least once: `message.id` is the same at every attempt. It is tried for about
        three days while it raises or takes longer than 60 seconds. Types: fulfillment.granted, .reversed, .restored,
        .quarantined."""

        def register(call: _A) -> _A:
            self._refuse_late(call)
            self._listeners.add_after_commit(call, message_types, environment, name)
            return call

        return register

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Opens the database, makes the listeners known and runs the worker, until the block ends. Give it to your own
        application, `FastAPI(lifespan=payments.lifespan)`: mounted applications have none. Raises StartError."""
        self._started = True
        async with self._app.router.lifespan_context(self._app):
            yield

    def asgi_app(self) -> ASGIApp:
        """The routes, to be mounted at the origin's root behind your own: `app.mount("/", payments.asgi_app())`."""
        return self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not hasattr(self._app.state, "parts"):
            raise NotStarted(
                "Paygres was not started: pass lifespan=payments.lifespan to your application, or enter"
                " `async with payments.lifespan():` in its own lifespan. A mounted application gets none by itself."
            )
        await self._app(scope, receive, send)

    def _refuse_late(self, call: Callable[..., Any]) -> None:
        if self._started:
            raise RuntimeError(
                f"{call.__qualname__}: register before the lifespan begins; other processes must know it"
            )
