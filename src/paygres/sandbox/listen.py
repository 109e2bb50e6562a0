"""`stripe listen`: Stripe's CLI opens a session and a websocket; every event of its account goes through it, signed,
and the CLI forwards the bytes as they are. The websocket has a port of its own, opened when the first session is."""

import asyncio
import contextlib
import hashlib
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson

from paygres.sandbox import ids
from paygres.sandbox.deliveries import signature_header
from paygres.sandbox.spec.document import VERSION
from paygres.sandbox.world import World

if TYPE_CHECKING:
    from aiohttp import web  # a third of the sandbox's start, and few listen

SUBPROTOCOL = "stripecli-devproxy-v1"
# How often somebody who listens is told of new events; nobody pays for it while nobody listens.
LOOK_EVERY = 0.05
MOST_SESSIONS = 1000
# A CLI that listens does not keep the sandbox from ending.
SHUTDOWN_SECONDS = 0.2


_of_worlds: "WeakKeyDictionary[World, Listening]" = WeakKeyDictionary()


def listening_to(world: World) -> "Listening":
    """The one place where this sandbox's sessions are."""
    if world not in _of_worlds:
        _of_worlds[world] = Listening(world)
    return _of_worlds[world]


def signing_secret(account: str) -> str:
    """The same for every session of the account, as with Stripe's CLI: it may stay in a shop's settings."""
    return "whsec_" + hashlib.sha256(f"stripe listen {account}".encode()).hexdigest()


@dataclass(slots=True)
class Session:
    """One `stripe listen`. `again`: ids of events that were asked for once more."""

    id: str
    account: str
    told: int
    again: list[str] = field(default_factory=list)


class Listening:
    """The sessions of the CLI and the port their websockets connect to."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}
        self._port = 0
        self._serving: asyncio.Task[None] | None = None

    def open(self, account: str) -> tuple[str, str]:
        """(websocket id, websocket URL) of a new session; it hears what happens from now on."""
        if not self._port:
            host = self._world.settings.host
            listening = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
            self._port = listening.getsockname()[1]
            self._serving = asyncio.get_running_loop().create_task(self._serve(listening))
        session = Session(f"cliws_{ids.letters(24)}", account, self._last())
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[session.id] = session
        host = self._world.origin.partition("://")[2].rpartition(":")[0]
        return session.id, f"ws://{host}:{self._port}/subscribe/{session.account}"

    def repeat(self, account: str, event: str) -> None:
        """Tells the event to everybody who listens to the account, once more."""
        for session in self._sessions.values():
            if session.account == account:
                session.again.append(event)

    async def close(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self, listening: socket.socket) -> None:
        from aiohttp import web

        server = web.Server(self._connected)
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _connected(self, request: "web.BaseRequest") -> "web.StreamResponse":
        from aiohttp import web

        session = self._sessions.get(request.headers.get("Websocket-Id", ""))
        if session is None:
            return web.Response(status=401, text="No such session.\n")
        answer = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
        await answer.prepare(request)
        telling = asyncio.create_task(self._tell(session, answer))
        try:
            async for _ in answer:  # acknowledgements and the forwarded requests' answers; nothing depends on them
                pass
        finally:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await telling
        return answer

    async def _tell(self, session: Session, answer: "web.WebSocketResponse") -> None:
        while not answer.closed:
            for id in self._news(session):
                for version in (None, VERSION):  # the CLI takes one of the two: --latest the second
                    await answer.send_bytes(self._message(session, id, version))
            await asyncio.sleep(LOOK_EVERY)

    def _news(self, session: Session) -> list[str]:
        rows = self._world.store.run(
            "SELECT seq, id FROM objects WHERE seq > ? AND +account = ? AND +kind = 'event' ORDER BY seq",
            (session.told, session.account),
        ).fetchall()
        if rows:
            session.told = rows[-1][0]
        again, session.again = session.again, []
        return [*(id for _, id in rows), *again]

    def _message(self, session: Session, id: str, version: str | None) -> bytes:
        row = self._world.store.body(session.account, id)
        assert row is not None
        payload = row[1]
        signature = signature_header(payload, (signing_secret(session.account),), int(time.time()))
        message = {
            "type": "webhook_event",
            "endpoint": {"api_version": version},
            "event_payload": payload.decode(),
            "http_headers": {
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": signature,
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            },
            "webhook_conversation_id": f"wc_{ids.letters(24)}",
            "webhook_id": f"wh_{ids.letters(24)}",
        }
        return orjson.dumps(message)

    def _last(self) -> int:
        [last] = self._world.store.run("SELECT coalesce(max(seq), 0) FROM objects").fetchone()
        return last
