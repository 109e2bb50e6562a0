"""The order of `paygres dev`: start the parts, prove them, tell where they are, serve, stop."""

import contextlib
import os
import signal
import time
from dataclasses import replace
from types import FrameType
from typing import Any

from paygres.cli.dev import database, parts
from paygres.cli.dev.api import Api, connect
from paygres.cli.dev.catalog import Catalog, seed_catalog
from paygres.cli.dev.database import Place, work
from paygres.cli.dev.demo import Demo
from paygres.cli.dev.errors import DevError, Stop
from paygres.cli.dev.home import Home
from paygres.cli.dev.keys import load_or_make
from paygres.cli.dev.options import DEFAULT_PORT, Options
from paygres.cli.dev.processes import Child, end_leftovers
from paygres.cli.dev.screen import Screen
from paygres.cli.dev.shop_page import ShopPage
from paygres.cli.dev.tell import Running

STOP_ORDER = ("API", "sandbox", "PostgreSQL")


def present(options: Options) -> int:
    """Runs until SIGTERM or Ctrl-C (or, with --once, until the proof). Raises DevError, Stop."""
    os.umask(0o077)  # everything we and our parts write is for this user alone
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _leave)
    stage = Stage(options)
    try:
        return stage.run()
    finally:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_IGN)
        stage.close()


def _leave(signum: int, frame: FrameType | None) -> None:
    raise Stop


class Stage:
    """What is running now."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.screen = Screen(json=options.json)
        self.children: list[Child] = []
        self.apis: list[Api] = []

    def run(self) -> int:
        """The whole play; returns 0, or raises."""
        options, screen = self.options, self.screen
        own = database.own_place(options) if options.database_url else None
        port = parts.choose_port(options)
        self.home = home = Home(options.folder, fresh=options.fresh)
        end_leftovers(home.read("children.json").get("pids", []))
        keys = load_or_make(home.folder)
        screen.title(f"Paygres, everything on this machine, kept in {home.folder}")
        if options.port is None and port != DEFAULT_PORT:
            screen.say(f"  port {DEFAULT_PORT} is in use; the API takes {port}")
        if ignored := parts.stripe_keys_exported():
            screen.say(f"  {ignored} is set and not used here: dev talks to its own local Stripe (see the README)")
        sandbox = self._keep(parts.start_sandbox(home))  # gets ready while PostgreSQL starts
        place = own or self._postgres()
        if own:
            screen.say(f"  your own PostgreSQL at {own.address}" + ("" if own.demo else ", without the demo"))
        self._migrate(place)
        stripe = self._sandbox(sandbox)
        url = f"http://127.0.0.1:{port}"
        catalog = self._api(place, port, url, keys, stripe)
        self._connect(url, keys, stripe["secretKey"])
        running = Running(url, keys, place, stripe["url"], stripe["secretKey"])
        demo = self._shop(place, catalog, url, keys) if catalog else None
        if demo:
            screen.title("A purchase through the public API:")
            order_id, session = demo.purchase(screen, self._check)
            running = replace(running, order_id=order_id, session_id=session.id)
        if options.once:
            screen.title(f"The order was read back as paid, {screen.elapsed():.1f} s after the start.")
            return 0
        if options.json:
            print(running.json_line(), flush=True)
        running.tell(screen, home, None if options.json else demo)
        while True:
            self._check()
            time.sleep(0.2)

    def _keep(self, child: Child) -> Child:
        self.children.append(child)
        self.home.write("children.json", {"pids": [c.process.pid for c in self.children]})
        return child

    def _check(self) -> None:
        for child in self.children:
            child.check()

    def _postgres(self) -> Place:
        with self.screen.step("PostgreSQL") as step:
            urls = self._keep(parts.start_postgres(self.home)).ready_line()
            place = Place(urls["ownerUrl"], urls["serverSocketUrl"], server_role="paygres_server")
            step.detail = f"{place.address}  embedded, for this folder only"
        return place

    def _migrate(self, place: Place) -> None:
        with self.screen.step("migrations") as step:
            parts.migrate(self.home, place)
            step.detail = "schemas payments, auth, system are current"

    def _sandbox(self, sandbox: Child) -> dict[str, Any]:
        with self.screen.step("sandbox") as step:
            stripe = sandbox.ready_line()
            step.detail = f"{stripe['url']}  a local Stripe, own process"
        self.home.write("dev.json", {"sandboxPort": int(stripe["url"].rsplit(":", 1)[1])})
        return stripe

    def _api(self, place: Place, port: int, url: str, keys: dict[str, str], stripe: dict[str, Any]) -> Catalog | None:
        with_demo = self.options.demo and place.demo
        if self.options.once and not with_demo:
            raise DevError("your database has other tables, so no demo was made there", exit_code=1)
        with self.screen.step("API with worker") as step:
            api = self._keep(parts.start_api(self.home, place, port, keys, stripe["url"]))
            # While it starts: the first sync will find the shop's products.
            catalog = seed_catalog(stripe["url"], stripe["secretKey"]) if with_demo else None
            parts.wait_for_api(api, url)
            step.detail = f"{url}  {self.screen.elapsed():.1f} s after the start"
        return catalog

    def _connect(self, url: str, keys: dict[str, str], secret_key: str) -> None:
        with self.screen.step("Stripe connected") as step:
            found = connect(self._view(url, keys["ACCESS_API_KEY"]), secret_key)
            counts = ", ".join(f"{number} {name}" for name, number in found["lastSyncCounts"].items())
            step.detail = f"{found['accountId']}  webhook {found['webhookEndpointId']}  synced {counts}"

    def _shop(self, place: Place, catalog: Catalog, url: str, keys: dict[str, str]) -> Demo:
        with self.screen.step("shop") as step:
            work(database.seed_shop(place.owner))
            step.detail = f"{catalog.mug} (once)  {catalog.plan} (monthly)  tables orders, team_members"
        return Demo(place, catalog, self._view(url, keys["ACCESS_ANON_KEY"]), ShopPage(place.owner).url)

    def _view(self, url: str, key: str) -> Api:
        api = Api(url, key)
        self.apis.append(api)
        return api

    def close(self) -> None:
        """Stops every part, the API first and PostgreSQL last."""
        for api in self.apis:
            with contextlib.suppress(Exception):
                api.close()
        for child in sorted(self.children, key=lambda child: STOP_ORDER.index(child.name)):
            child.stop()
