"""Everything under /v1, and the refusal of /v2: one plain ASGI road from bytes to an answer in Stripe's shape.
Authentication, idempotency, parameter checks, the endpoint, expansion, headers."""

import sys
import traceback
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from paygres.sandbox import faults, ids, request_faults, versions
from paygres.sandbox.limits import Limits
from paygres.sandbox.objects import account as accounts
from paygres.sandbox.objects.catalog import INCLUDED, UNPUBLISHED, find_route
from paygres.sandbox.objects.routes import Answer, Params, Route
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.spec.document import VERSION
from paygres.sandbox.spec.expansion import expand
from paygres.sandbox.spec.parameters import checker
from paygres.sandbox.wire import form
from paygres.sandbox.wire.authorization import authorize, check_account
from paygres.sandbox.wire.broken_connections import break_off
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.wire.idempotency import IdempotencyKeys, Replay, fingerprint
from paygres.sandbox.wire.lists import Page
from paygres.sandbox.wire.restricted_keys import RestrictedKeys
from paygres.sandbox.world import Work, World

MAX_BODY = 1_000_000
JSON = (b"content-type", b"application/json")
Headers = list[tuple[bytes, bytes]]


class Api:
    """The ASGI application of /v1."""

    def __init__(self, world: World, dials: faults.Faults, limits: Limits, restricted: RestrictedKeys) -> None:
        self._world = world
        self._faults = dials
        self._limits = limits
        self._restricted = restricted
        self._keys = IdempotencyKeys(world.store, world.time())
        self._known_accounts: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = dict(scope["headers"])
        request_id = ids.new("request")
        headers: Headers = [
            JSON,
            (b"request-id", request_id.encode()),
        ]
        key = sent.get(b"idempotency-key", b"").decode("latin-1") if scope["method"] == "POST" else ""
        if key:
            headers.append((b"idempotency-key", key.encode("latin-1")))
        in_flight: tuple[str, str] | None = None
        version, broken_off = VERSION, ""
        status, body = 0, b""
        try:
            encoded = await _body(receive)
            if encoded is None:
                return
            version = versions.of_request(_header(sent, b"stripe-version"))
            secret, account = authorize(_header(sent, b"authorization"))
            check_account(_header(sent, b"stripe-account"), secret, account)
            self._restricted.check(secret, account, scope["method"], scope["path"])
            self._limits.admit(account, lambda: _endpoint(scope["method"], scope["path"]))
            if scope["method"] == "POST" and encoded:
                form.check_content_type(_header(sent, b"content-type") or "")
            plan = request_faults.plan(
                self._faults, scope["method"], scope["path"], lambda: _endpoint(scope["method"], scope["path"]), encoded
            )
            await plan.before()
            status, body, in_flight = self._answer(scope, account, encoded, key, request_id, headers, version)
            await plan.after()
        except request_faults.BrokenOff as fault:
            broken_off = fault.how
        except Refusal as refusal:
            status, body = refusal.status, _error_body(refusal, request_id)
            headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
        finally:
            if in_flight:
                self._keys.end(*in_flight)
        headers.append((b"stripe-version", version.encode()))
        headers.append((b"content-length", str(len(body)).encode()))
        if broken_off:
            await break_off(broken_off, send, receive, status, headers, body)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(
        self, scope: Scope, account: str, encoded: bytes, key: str, request_id: str, headers: Headers, version: str
    ) -> tuple[int, bytes, tuple[str, str] | None]:
        """(status, body, the idempotency key that is in flight until the answer is sent)."""
        method, path = scope["method"], scope["path"]
        operation, route, path_ids = find_route(method, path)
        given = form.decode(encoded if method == "POST" else encoded or scope["query_string"])
        if method == "POST" and scope["query_string"]:
            given = {**form.decode(scope["query_string"]), **given}
        self._limits.admit_object(operation, path_ids, given)
        print_of_request = fingerprint(path, given) if key else b""
        if key:
            replay = self._keys.begin(account, key, print_of_request, self._world.time())
            if replay is not None:
                headers.append((b"idempotent-replayed", b"true"))
                headers.append((b"original-request", replay.request_id.encode()))
                return replay.status, replay.body, None
        try:
            status, body = self._work(
                operation, route, path_ids, given, account, key, request_id, print_of_request, version
            )
        except BaseException:
            if key:
                self._keys.end(account, key)
            raise
        return status, body, (account, key) if key else None

    def _work(
        self,
        operation: str,
        route: Route,
        path_ids: list[str],
        given: form.Form,
        account: str,
        key: str,
        request_id: str,
        print_of_request: bytes,
        version: str,
    ) -> tuple[int, bytes]:
        if version != VERSION:
            given = versions.newer_form(version, operation, given)
        params: Params = given if operation in UNPUBLISHED else checker(operation)(given, "")
        paths = params.pop("expand", ()) or ()
        if isinstance(paths, dict):
            paths = list(paths.values())
        world = self._world
        now = world.time()
        self._know(account)
        try:
            if operation.startswith("GET "):
                work = Work(world, account, int(now))
                return 200, self._rendered(work, operation, route(work, params, *path_ids), paths, version)
            with world.work(account, request_id=request_id, idempotency_key=key or None) as work:
                body = self._rendered(work, operation, route(work, params, *path_ids), paths, version)
                if key:
                    self._keys.keep(account, key, print_of_request, now, operation, Replay(200, body, request_id))
            return 200, body
        except Refusal as refusal:
            status, body, stored = refusal.status, _error_body(refusal, request_id), refusal.stored
        except Exception:
            traceback.print_exc(file=sys.stderr)
            refusal = Refusal("The sandbox failed; its log says how.", status=500, type="api_error")
            status, body, stored = 500, _error_body(refusal, request_id), True
        if key and stored:
            self._keys.keep(account, key, print_of_request, now, operation, Replay(status, body, request_id))
        return status, body

    def _rendered(self, work: Work, operation: str, answer: Answer, paths: Iterable[str], version: str) -> bytes:
        if isinstance(answer, Page):
            if not paths and not work.world.settings.validate and version == VERSION:
                return answer.as_json()
            listed = answer.as_object()
            _expand(work, listed["data"], paths, listed=True)
            self._check(operation, listed)
            return orjson.dumps(versions.older(version, listed, work.get) if version != VERSION else listed)
        shown: Object = orjson.loads(orjson.dumps(answer)) if paths or version != VERSION else answer
        _expand(work, [shown], paths, listed=False)
        self._check(operation, shown)
        return orjson.dumps(versions.older(version, shown, work.get) if version != VERSION else shown)

    def _check(self, operation: str, answer: Object) -> None:
        if self._world.settings.validate and operation not in UNPUBLISHED:
            from paygres.sandbox.spec.validation import answer_violations

            problems = answer_violations(operation, answer, strict=True)
            if problems:
                raise AssertionError(f"{operation} differs from Stripe's schema: {problems}")

    def _know(self, account: str) -> None:
        if account not in self._known_accounts:
            with self._world.work(account) as work:
                accounts.ensure(work)
            self._known_accounts.add(account)


def _expand(work: Work, items: list[Object], paths: Iterable[str], *, listed: bool) -> None:
    def include(item: Object, name: str) -> Object | None:
        maker = INCLUDED.get((item["object"], name))
        return maker(work, item) if maker else None

    expand(items, paths, listed=listed, fetch=work.get, include=include)


def _header(sent: dict[bytes, bytes], name: bytes) -> str | None:
    value = sent.get(name)
    return None if value is None else value.decode("latin-1")


def _endpoint(method: str, path: str) -> str:
    """What Stripe counts as one endpoint."""
    try:
        return find_route(method, path)[0]
    except Refusal:
        return f"{method} {path}"


def _error_body(refusal: Refusal, request_id: str) -> bytes:
    error: dict[str, Any] = {**refusal.error}
    error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return orjson.dumps({"error": error})


async def _body(receive: Receive) -> bytes | None:
    """The request's body, None when the client is gone; raises `Refusal` when it is too long."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise Refusal("The request body is too long.", status=413, stored=False)
        if not message.get("more_body"):
            return body
