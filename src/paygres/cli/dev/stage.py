"""The order of `paygres dev`: start the parts, prove them with a purchase, tell where they are, stop."""

import contextlib
import json
import signal
import time
from types import FrameType

from paygres.cli.dev import database, parts
from paygres.cli.dev.api import Api, connect
from paygres.cli.dev.catalog import CURRENCY, Catalog, seed_catalog
from paygres.cli.dev.database import Place, work
from paygres.cli.dev.errors import DevError, Stop
from paygres.cli.dev.home import Home
from paygres.cli.dev.keys import ADMIN, load_or_make
from paygres.cli.dev.options import DEFAULT_PORT, Options
from paygres.cli.dev.processes import Child, end_leftovers
from paygres.cli.dev.purchase import Session, open_session, pay
from paygres.cli.dev.screen import Screen

PAID_SECONDS = 10.0


def present(options: Options) -> int:
    """Runs until SIGTERM or Ctrl-C (or, with --once, until the proof). Raises DevError, Stop."""
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
        options, screen = self.options, self.screen
        own = database.own_place(options) if options.database_url else None
        port = parts.choose_port(options)
        self.home = home = Home(options.folder, fresh=options.fresh)
        end_leftovers(home.read("children.json").get("pids", []))
        keys = load_or_make(home.folder)
        screen.title(f"Paygres, everything on this machine, kept in {home.folder}")
        if options.port is None and port != DEFAULT_PORT:
            screen.say(f"  port {DEFAULT_PORT} is in use; the API takes {port}")

        sandbox = self._keep(parts.start_sandbox(home))  # gets ready while PostgreSQL starts
        place = own or self._postgres()
        if own:
            screen.say(f"  your own PostgreSQL at {own.address}" + ("" if own.demo else ", without the demo"))
        self._migrate(place, embedded=own is None)
        with screen.step("sandbox") as step:
            stripe = sandbox.ready_line()
            step.detail = f"{stripe['url']}  a local Stripe, own process"
        home.write("dev.json", {"sandboxPort": int(stripe["url"].rsplit(":", 1)[1])})
        url = f"http://127.0.0.1:{port}"
        demo = options.demo and place.demo
        if options.once and not demo:
            raise DevError("your database has other tables, so no demo was made there", exit_code=1)
        with screen.step("API with worker") as step:
            api = self._keep(parts.start_api(home, place, port, keys, stripe["url"]))
            catalog = seed_catalog(stripe["url"], stripe["secretKey"]) if demo else None
            parts.wait_for_api(api, url)
            step.detail = url
        self._connect(url, keys, stripe["secretKey"])
        order_id, session = self._shop_and_purchase(place, url, keys, catalog) if catalog else (None, None)
        if options.once:
            return 0
        if options.json:
            ready = {
                "baseUrl": url,
                "anonKey": keys["ACCESS_ANON_KEY"],
                "apiKey": keys["ACCESS_API_KEY"],
                "adminUsername": ADMIN,
                "adminPassword": keys["ROOT_ADMIN_PASSWORD"],
                "jwtSecret": keys["JWT_SECRET"],
                "databaseUrl": place.owner,
                "sandboxUrl": stripe["url"],
                "stripeSecretKey": stripe["secretKey"],
                "orderId": order_id,
                "checkoutSessionId": session.id if session else None,
            }
            print(json.dumps(ready), flush=True)
        self._tell(url, keys, place, stripe["url"], catalog)
        while True:
            for child in self.children:
                child.check()
            time.sleep(0.2)

    def _keep(self, child: Child) -> Child:
        self.children.append(child)
        self.home.write("children.json", {"pids": [c.process.pid for c in self.children]})
        return child

    def _postgres(self) -> Place:
        with self.screen.step("PostgreSQL") as step:
            urls = self._keep(parts.start_postgres(self.home)).ready_line()
            place = Place(urls["ownerUrl"], urls["serverSocketUrl"], server_role="paygres_server")
            step.detail = f"{place.address}  embedded, for this folder only"
        return place

    def _migrate(self, place: Place, *, embedded: bool) -> None:
        with self.screen.step("migrations") as step:
            parts.migrate(self.home, place)
            if embedded:
                work(database.let_owner_read(place.owner))
            step.detail = "schemas payments, auth, system are current"

    def _connect(self, url: str, keys: dict[str, str], secret_key: str) -> None:
        with self.screen.step("connected to Stripe") as step:
            admin = self._api(url, keys["ACCESS_API_KEY"])
            found = connect(admin, secret_key)
            counts = " ".join(f"{number} {name}" for name, number in found["lastSyncCounts"].items())
            step.detail = f"{found['accountId']}  webhook {found['webhookEndpointId']}  synced {counts}"

    def _shop_and_purchase(
        self, place: Place, url: str, keys: dict[str, str], catalog: Catalog
    ) -> tuple[str, Session]:
        screen = self.screen
        with screen.step("shop") as step:
            work(database.seed_shop(place.owner))
            step.detail = f"{catalog.mug} (once)  {catalog.plan} (monthly)  tables orders, team_members"
        screen.title("A purchase through the public API:")
        guest = self._api(url, keys["ACCESS_ANON_KEY"])
        with screen.step("order") as step:
            order_id = self._order(place, catalog)
            step.detail = f"{order_id}  pending  {catalog.mug_amount / 100:.2f} {CURRENCY}"
        with screen.step("checkout session") as step:
            session = open_session(guest, order_id, catalog.mug)
            step.detail = session.id
        began = time.monotonic()
        with screen.step("paid by card") as step:
            seconds = pay(session)
            step.detail = f"4242 4242 4242 4242 on the hosted page, sent back after {seconds:.2f} s"
        with screen.step("order") as step:
            self._wait_until_paid(place, order_id)
            step.detail = f"{order_id}  paid  {time.monotonic() - began:.2f} s after the form was posted"
        return order_id, session

    def _order(self, place: Place, catalog: Catalog) -> str:
        return work(database.insert_order(place.owner, catalog.mug, catalog.mug_amount, CURRENCY))

    def _wait_until_paid(self, place: Place, order_id: str) -> None:
        give_up = time.monotonic() + PAID_SECONDS
        while work(database.order_status(place.owner, order_id)) != "paid":
            for child in self.children:
                child.check()
            if time.monotonic() > give_up:
                raise DevError(
                    f"order {order_id} was not paid within {PAID_SECONDS:.0f} s; see {self.home.logs}",
                    exit_code=1,
                )
            time.sleep(0.05)

    def _tell(
        self, url: str, keys: dict[str, str], place: Place, sandbox_url: str, catalog: Catalog | None
    ) -> None:
        say = self.screen.say
        environment = self.home.folder / "dev.env"
        self.home.write_environment(
            environment.name,
            {"INSFORGE_URL": url, "INSFORGE_ANON_KEY": keys["ACCESS_ANON_KEY"], "DATABASE_URL": place.owner},
        )
        self.screen.title(f"Ready after {self.screen.elapsed():.1f} s.")
        say(f"  API       {url}")
        say(f"  sandbox   {sandbox_url}")
        say(f"  database  {place.address}")
        say(f'  in a shell: . {environment}; psql "$DATABASE_URL"')
        say(f"  export INSFORGE_URL={url} INSFORGE_ANON_KEY={keys['ACCESS_ANON_KEY']}")
        if catalog:
            guest = self._api(url, keys["ACCESS_ANON_KEY"])
            order_id = self._order(place, catalog)
            say("Pay one yourself (card 4242 4242 4242 4242, any date and code):")
            say(f"  {open_session(guest, order_id, catalog.mug).url}")
        say("Ctrl-C stops everything; the next start goes on from here.")

    def _api(self, url: str, key: str) -> Api:
        api = Api(url, key)
        self.apis.append(api)
        return api

    def close(self) -> None:
        """Stops every part, the API first and PostgreSQL last."""
        for api in self.apis:
            with contextlib.suppress(Exception):
                api.close()
        order = {"API": 0, "sandbox": 1, "PostgreSQL": 2}
        for child in sorted(self.children, key=lambda c: order.get(c.name, 0)):
            child.stop()
