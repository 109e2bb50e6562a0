"""The ASGI application of the process: the sandbox as it is now, and the controls that begin it anew. Whatever a
sandbox keeps in memory goes with its application, so a reset leaves nothing behind."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paygres.sandbox.faults import Faults
from paygres.sandbox.moments import moment_of
from paygres.sandbox.opening import Opened, Opening, Ready, begin_with, open_sandbox
from paygres.sandbox.pages import same_site
from paygres.sandbox.pages.controls import Control, answer_json, asked_object, guarded
from paygres.sandbox.seed_file.plant import plant
from paygres.sandbox.seed_file.shape import read
from paygres.sandbox.seed_file.text import SeedError, Text
from paygres.sandbox.settings import Settings
from paygres.sandbox.wire.authorization import new_account
from paygres.sandbox.wire.errors import Refusal

# How long a reset waits for requests that are being answered, in seconds: the payment page may hold one for longer.
PATIENCE = 1.0
KNOWN = {"account", "seed", "clock", "faults"}


class Stage:
    """`ready` is what the present sandbox printed, or would."""

    def __init__(self, settings: Settings, opening: Opening, origin: str) -> None:
        self._settings = settings
        self._first = opening
        self._opened: Opened = open_sandbox(settings, opening, origin)
        self._app = self._opened.app
        self._life = Life(self._app)
        self._origin = origin
        self._answering = 0
        self._idle = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._resetting = asyncio.Lock()
        self._controls: dict[tuple[str, str], Control] = {
            ("GET", "/_sim/account"): guarded(self.account),
            ("POST", "/_sim/reset"): guarded(self.reset),
            ("POST", "/_sim/seed_file"): guarded(self.seed_file),
        }

    @property
    def ready(self) -> Ready:
        return self._opened.ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["path"][:6] == "/_sim/" and (scope.get("method"), scope["path"]) in self._controls:
            control = self._controls[scope["method"], scope["path"]]
            answer = await control(Request(scope, receive))
            await answer(scope, receive, send)
            return
        if not self._open.is_set():
            await self._open.wait()
        self._answering += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def account(self, request: Request) -> Response:
        """What the sandbox printed when it was ready: `{"url", "secretKey", "accountId", …}`."""
        if why := same_site.refusal(request, self._settings.host):
            raise Refusal(why, status=403)
        return answer_json(self.ready)

    async def seed_file(self, request: Request) -> Response:
        """`{"name", "text", "account"?}`: plants a seed file beside what is there -> section -> name -> id. Its dials
        are turned; its clock counts for a beginning only."""
        asked = await asked_object(request)
        file = _seed(asked)
        account = str(asked.get("account") or self.ready["accountId"])
        try:
            begin_with(Opening(), file)
            planted = plant(self._opened.world, account, file)
        except SeedError as problem:
            raise Refusal(str(problem)) from None
        return answer_json(planted)

    async def reset(self, request: Request) -> Response:
        """`{"account": "new"?, "seed": {"name", "text"}?, "clock"?, "faults"?}`: begins anew, with nothing of what
        was; as the command line says where the request does not. Answers what `/_sim/account` does. `new` gives
        another account and key, so that whoever still has the old one disturbs nobody."""
        asked = await asked_object(request)
        opening = self._opening(asked)
        async with self._resetting:
            self._open.clear()
            try:
                await self._leave()
                try:
                    opened = open_sandbox(self._settings, opening, self._origin)
                except SeedError as problem:
                    empty = replace(opening, seed=None)
                    await self._enter(open_sandbox(self._settings, empty, self._origin))
                    raise Refusal(f"{problem} The sandbox is empty now.") from None
                await self._enter(opened)
            finally:
                self._open.set()
        return answer_json(self.ready)

    def _opening(self, asked: dict[str, Any]) -> Opening:
        unknown = asked.keys() - KNOWN
        if unknown:
            raise Refusal(f"A reset does not know `{sorted(unknown)[0]}`; it knows {', '.join(sorted(KNOWN))}.")
        first = self._first
        if asked.get("account", "same") not in ("same", "new"):
            raise Refusal("`account` is `same` or `new`.")
        same = (str(self.ready["accountId"]), str(self.ready["secretKey"]))
        account = new_account(None) if asked.get("account") == "new" else same
        try:
            clock = moment_of(asked["clock"]) if asked.get("clock") is not None else None
            faults = dict(asked.get("faults") or {})
            Faults().set(dict(faults))
        except (TypeError, ValueError) as problem:
            raise Refusal(f"{problem}.") from None
        if asked.get("seed") is None:
            began = replace(first, clock=first.clock if clock is None else clock, faults={**first.faults, **faults})
            return replace(began, account=account)
        told = Opening(
            clock=self._settings.clock if clock is None else clock,
            faults={**self._settings.faults, **faults},
            webhooks=first.webhooks,
            account=account,
        )
        try:
            return begin_with(told, _seed(asked["seed"]))
        except SeedError as problem:
            raise Refusal(str(problem)) from None

    async def _leave(self) -> None:
        """Ends the present sandbox; its deliveries stop, and its state is gone."""
        self._idle.clear()
        if self._answering:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._idle.wait()
        await self._life.stop()
        if self._settings.state is not None:
            for end in ("", "-wal", "-shm"):
                self._settings.state.with_name(self._settings.state.name + end).unlink(missing_ok=True)

    async def _enter(self, opened: Opened) -> None:
        self._opened, self._app = opened, opened.app
        self._life = Life(opened.app)
        await self._life.start()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._life.start()
        except Exception as problem:
            await send({"type": "lifespan.startup.failed", "message": str(problem)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._life.stop()
        await send({"type": "lifespan.shutdown.complete"})


class Life:
    """One run of an application's lifespan, which starts and ends what runs beside its requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises RuntimeError with what the application says when it cannot start."""
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._running = asyncio.create_task(self._run(scope))
        await self._tell("startup")

    async def stop(self) -> None:
        await self._tell("shutdown")
        if self._running is not None:
            await self._running

    async def _run(self, scope: Scope) -> None:
        await self._app(scope, self._told.get, self._said.put)

    async def _tell(self, phase: str) -> None:
        await self._told.put({"type": f"lifespan.{phase}"})
        said = await self._said.get()
        if said["type"] != f"lifespan.{phase}.complete":
            raise RuntimeError(str(said.get("message")))


def _seed(asked: Any) -> Text:
    """A checked seed file from `{"name", "text"}`."""
    if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
        raise Refusal('A seed is `{"name": "shop.yaml", "text": "…"}`.')
    try:
        return read(str(asked.get("name") or "seed"), asked["text"])
    except SeedError as problem:
        raise Refusal(str(problem)) from None
