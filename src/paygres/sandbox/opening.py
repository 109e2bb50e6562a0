"""How the sandbox begins, at its start and at every reset: a world with an account, a clock, dials, webhook endpoints
and what a seed file says; and the application that serves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from paygres.sandbox.app import create_app
from paygres.sandbox.faults import Faults
from paygres.sandbox.moments import moment_of
from paygres.sandbox.objects import account as accounts
from paygres.sandbox.objects import checkout_sessions
from paygres.sandbox.seed_file.plant import plant, register
from paygres.sandbox.seed_file.shape import read
from paygres.sandbox.seed_file.text import SeedError, Text
from paygres.sandbox.settings import Settings
from paygres.sandbox.wire.authorization import new_account
from paygres.sandbox.world import World

Ready = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a beginning is made of. `seed`: a checked file. `clock`: Unix seconds, None: the machine's time.
    `account`: (id, key); None: a new one, or the state's."""

    seed: Text | None = None
    clock: float | None = None
    faults: Mapping[str, Any] = field(default_factory=lambda: {})
    webhooks: tuple[str, ...] = ()
    account: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """`ready` is what the sandbox prints: url, secretKey, accountId, and `webhooks` and `seeded` if there are any."""

    world: World
    app: ASGIApp
    ready: Ready


def opening_of(settings: Settings) -> Opening:
    """What the command line says; raises `SeedError` for a seed file that cannot be used. The file's own clock and
    dials give way to those of the command line."""
    seed = read_file(settings.seed) if settings.seed is not None else None
    return begin_with(Opening(clock=settings.clock, faults=settings.faults, webhooks=settings.webhooks), seed)


def begin_with(opening: Opening, seed: Text | None) -> Opening:
    """The opening with the file, and with the clock and the dials that it names."""
    if seed is None:
        return opening
    clock = opening.clock
    if clock is None and seed.values.get("clock") is not None:
        try:
            clock = moment_of(seed.values["clock"])
        except ValueError as problem:
            raise seed.wrong(("clock",), f"cannot be read: {problem}") from None
    faults = {**(seed.values.get("faults") or {}), **opening.faults}
    try:
        Faults().set(dict(faults))
    except (TypeError, ValueError) as problem:
        raise seed.wrong(("faults",), f"cannot be read: {problem}") from None
    return replace(opening, seed=seed, clock=clock, faults=faults)


def read_file(path: Path) -> Text:
    try:
        return read(str(path), path.read_text("utf-8"))
    except OSError as problem:
        raise SeedError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise SeedError(f"{path}: this is no UTF-8 text") from None


def open_sandbox(settings: Settings, opening: Opening, origin: str) -> Opened:
    """Raises `SeedError` when the seed cannot be planted, and leaves a state file closed."""
    world = World(replace(settings, clock=opening.clock, faults=opening.faults))
    try:
        world.origin = origin
        account, key = _account(world, opening)
        checkout_sessions.move_open_pages(world)
        ready: Ready = {"url": origin, "secretKey": key, "accountId": account}
        if opening.seed is not None:
            ready["seeded"] = plant(world, account, opening.seed)
        # Last, so that they hear what happens from now on.
        endpoints = [register(world, account, url) for url in opening.webhooks]
        if endpoints:
            ready["webhooks"] = endpoints
        return Opened(world, create_app(world), ready)
    except BaseException:
        world.store.close()
        raise


def _account(world: World, opening: Opening) -> tuple[str, str]:
    """(account id, secret key): made once, then kept in the state."""
    account, key = opening.account or (world.store.fact("account"), world.store.fact("secret_key"))
    if account is None or key is None:
        account, key = new_account(world.settings.account_seed)
    if world.store.fact("account") != account:
        with world.store.transaction():
            world.store.set_fact("account", account)
            world.store.set_fact("secret_key", key)
    with world.work(account) as work:
        accounts.ensure(work)
    return account, key
