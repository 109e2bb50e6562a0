"""The composition root: settings in, a running application out. The only module that builds parts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from paygres.server.auth.admin import AdminSignIn
from paygres.server.auth.keys import Keys
from paygres.server.auth.passwords import Passwords
from paygres.server.auth.refresh_tokens import RefreshTokens
from paygres.server.auth.tokens import Tokens
from paygres.server.auth.vault import Vault
from paygres.server.db.database import Database, RoleNotTaken
from paygres.server.errors import Unavailable
from paygres.server.flows.check_secrets import SecretsCheck
from paygres.server.flows.connect_account import seed_from_environment, seed_webhook_secrets
from paygres.server.flows.connections import Connections
from paygres.server.flows.listeners import Listeners
from paygres.server.flows.load_signing_key import load_signing_key
from paygres.server.flows.parts import GuestLimits, Parts, SignInRules
from paygres.server.flows.read_backlog import Counted
from paygres.server.flows.register_listeners import register_listeners
from paygres.server.flows.seed_access_keys import seed_access_keys
from paygres.server.flows.wake import Wake
from paygres.server.flows.work import work
from paygres.server.http import absent, health
from paygres.server.http.edge import Edge
from paygres.server.http.openapi import openapi_route
from paygres.server.http.render_errors import log_bug
from paygres.server.http.routes import DOCUMENTED
from paygres.server.settings import Settings
from paygres.server.stripe_gateway.fetch_document import fetch_document
from paygres.server.stripe_gateway.gateway import StripeGateway
from paygres.server.tables import access, api_keys, installation, sweeps

_log = structlog.get_logger("paygres.app")
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
NOT_MIGRATED = "The database has no current Paygres schema; run `paygres db migrate` first."


class StartError(Exception):
    """The application cannot start; the text is one sentence for the operator, `exit_code` the process's."""

    def __init__(self, sentence: str, exit_code: int = 12) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def create_app(settings: Settings, *, worker: bool = True, listeners: Listeners | None = None) -> Starlette:
    """The ASGI application; its lifespan opens the database and raises StartError when it cannot.

    `worker=False` leaves retries and refetches to another process (`python -m paygres.server worker`). `listeners` are
    functions in a developer's Python (see library.py).
    """
    documented = [*DOCUMENTED, openapi_route(DOCUMENTED)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            try:
                parts = await opened.enter_async_context(running(settings, listeners))
            except Exception as error:
                app.state.start_error = error  # ASGI servers only log it; __main__ says it
                if not isinstance(error, StartError):
                    log_bug(error, part="start")
                raise
            app.state.parts = parts
            app.state.vitals = vitals = health.Vitals(
                partial(schema_state, parts.db),
                SecretsCheck(parts),
                parts.pulse,
                partial(sweeps.select_progress, parts.db),
            )
            app.state.counted = Counted()
            background = [asyncio.create_task(_seed(parts, settings))]
            if worker:
                background.append(asyncio.create_task(keep_working(parts, vitals)))
            try:
                yield
            finally:
                for task in background:
                    task.cancel()
                await asyncio.gather(*background, return_exceptions=True)

    class Application(Starlette):
        """All that goes wrong is answered at the edge, so there is nothing between it and the routes."""

        def build_middleware_stack(self) -> ASGIApp:
            return Edge(self.router, origins=settings.return_origins)

    app = Application(routes=[*(one.route() for one in documented), *absent.ROUTES], lifespan=lifespan)
    app.router.redirect_slashes = False  # to an absolute http:// address, whatever the proxy before us speaks
    return app


@asynccontextmanager
async def running(settings: Settings, listeners: Listeners | None = None) -> AsyncIterator[Parts]:
    """Everything a flow needs, closed again at the end. Raises StartError."""
    try:
        db = await Database.connect(settings.database_url, checkout_pool=settings.pool_size)
    except Exception as error:
        raise _cannot_connect(error) from error
    gateway = StripeGateway(api_base=settings.stripe_api_base, budget=settings.limits)
    try:
        try:
            parts = await _started(settings, db, gateway, listeners or Listeners())
        except Unavailable as error:
            raise StartError(error.message) from error
        try:
            yield parts
        finally:
            parts.passwords.close()
            await parts.errands.stop()  # while there is still a database to tell
    finally:
        await gateway.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await db.close()


async def _started(settings: Settings, db: Database, gateway: StripeGateway, listeners: Listeners) -> Parts:
    if await schema_state(db) != "current":
        raise StartError(NOT_MIGRATED)
    await _refuse_careless_roles(db)
    await _seed_access_keys(db, settings)
    parts = await _parts(settings, db, gateway, listeners)
    await register_listeners(parts)
    await seed_webhook_secrets(parts, settings.stripe_webhook_secrets)
    await access.set_grace(db, timedelta(days=settings.past_due_grace_days))
    return parts


async def schema_state(db: Database) -> str:
    """ "current" when every migration of this version is applied, else what to do about it."""
    return "current" if await installation.is_migrated(db) else "run `paygres db migrate`"


async def keep_working(parts: Parts, vitals: health.Vitals | None = None) -> None:
    """Run the worker until cancelled; after a crash start it again, ever more slowly up to 30 s."""
    pause = _FIRST_PAUSE
    while True:
        started = asyncio.get_running_loop().time()
        if vitals is not None:
            vitals.worker = "running"
        try:
            await work(parts)
        except Exception as error:
            log_bug(error, part="worker")
        if vitals is not None:
            vitals.worker = "restarting"
        lasted = asyncio.get_running_loop().time() - started
        pause = _FIRST_PAUSE if lasted > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
        await asyncio.sleep(pause)


async def _parts(settings: Settings, db: Database, gateway: StripeGateway, listeners: Listeners) -> Parts:
    vault = Vault(settings.encryption_key)
    return Parts(
        db=db,
        gateway=gateway,
        connections=Connections(db, vault),
        keys=Keys(partial(api_keys.select_live, db)),
        tokens=Tokens(
            settings.jwt_secret,
            own=partial(load_signing_key, db, vault),
            issuers=settings.jwt_issuers,
            fetch=fetch_document,
        ),
        refresh_tokens=RefreshTokens(settings.jwt_secret),
        passwords=Passwords(),
        sign_in_rules=SignInRules(
            own=settings.auth == "own",
            sign_ups=settings.sign_ups,
            password_least=settings.password_length,
            per_minute=settings.sign_ins_per_minute,
            limits=settings.limits,
        ),
        wake=Wake(),
        installation_id=await installation.select_id(db),
        api_base_url=settings.api_base_url,
        guest_limits=GuestLimits(enabled=settings.limits, allowed=settings.guest_checkouts),
        return_origins=settings.return_origins,
        admin_username=settings.admin_username,
        admin_password=settings.admin_password,
        trust_proxy=settings.trust_proxy,
        metrics_token=settings.metrics_token,
        listeners=listeners,
        sign_in=AdminSignIn(settings.admin_username, settings.admin_password),
    )


async def _refuse_careless_roles(db: Database) -> None:
    """Row-level security must bind the roles of callers; a strong login role is only worth a warning."""
    for role, is_login in await installation.select_careless_roles(db):
        if not is_login:
            raise StartError(
                f"Role {role} is not bound by row-level security;"
                f" run ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS as a superuser."
            )
        _log.warning("login_role_too_strong", role=role, hint="Give the server a login role of its own.")


async def _seed_access_keys(db: Database, settings: Settings) -> None:
    holds = await seed_access_keys(db, api_key=settings.api_key, anon_key=settings.anon_key)
    if not holds and not settings.admin_password:
        raise StartError(
            "Nobody could administer this server: set ACCESS_API_KEY (e.g. ik_ and `openssl rand -hex 32`)"
            " or ROOT_ADMIN_PASSWORD.",
            exit_code=64,
        )


async def _seed(parts: Parts, settings: Settings) -> None:
    """Our signing key and Stripe keys of the environment, while requests are already answered (F37)."""
    try:
        await parts.tokens.own_key()
        await parts.gateway.warm()  # or the first checkout would wait for the library's import
        await seed_from_environment(
            parts, secret_keys=settings.stripe_secret_keys, webhook_secrets=settings.stripe_webhook_secrets
        )
    except Exception as error:
        log_bug(error, part="stripe seed")


def _cannot_connect(error: Exception) -> StartError:
    if isinstance(error, RoleNotTaken):
        return StartError("The pooler at DATABASE_URL drops start-up parameters: connect to PostgreSQL directly.")
    sqlstate = getattr(error, "sqlstate", None) or ""
    if sqlstate in ("22023", "42501", "0LP01"):  # the service role is missing, or not ours to take
        return StartError(NOT_MIGRATED)
    if sqlstate.startswith("28"):
        return StartError("PostgreSQL refuses the user or password of DATABASE_URL.")
    if sqlstate == "3D000":
        return StartError("The database named by DATABASE_URL does not exist.")
    return StartError(f"PostgreSQL at DATABASE_URL cannot be reached ({type(error).__name__}).")
