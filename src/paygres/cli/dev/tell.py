"""What is told when everything runs: one JSON line for programs, addresses and a payment link for people."""

import json
from dataclasses import dataclass

from paygres.cli.dev.database import Place
from paygres.cli.dev.demo import Demo
from paygres.cli.dev.home import Home
from paygres.cli.dev.keys import ADMIN
from paygres.cli.dev.screen import Screen


@dataclass(frozen=True, slots=True)
class Running:
    """Everything a program needs to use this installation."""

    url: str
    keys: dict[str, str]
    place: Place
    sandbox_url: str
    stripe_key: str
    order_id: str | None = None
    session_id: str | None = None

    def json_line(self) -> str:
        """The line of `paygres dev --json`; the last two are null without the demo."""
        return json.dumps(
            {
                "baseUrl": self.url,
                "anonKey": self.keys["ACCESS_ANON_KEY"],
                "apiKey": self.keys["ACCESS_API_KEY"],
                "adminUsername": ADMIN,
                "adminPassword": self.keys["ROOT_ADMIN_PASSWORD"],
                "jwtSecret": self.keys["JWT_SECRET"],
                "databaseUrl": self.place.owner,
                "sandboxUrl": self.sandbox_url,
                "stripeSecretKey": self.stripe_key,
                "orderId": self.order_id,
                "checkoutSessionId": self.session_id,
            }
        )

    def tell(self, screen: Screen, home: Home, demo: Demo | None) -> None:
        """The addresses, and one more open checkout to pay by hand."""
        anon_key = self.keys["ACCESS_ANON_KEY"]
        environment = home.folder / "dev.env"
        values = {"INSFORGE_URL": self.url, "INSFORGE_ANON_KEY": anon_key, "DATABASE_URL": self.place.owner}
        home.write_environment(environment.name, values)
        screen.title(f"Ready after {screen.elapsed():.1f} s.")
        screen.say(f"  API       {self.url}")
        screen.say(f"  sandbox   {self.sandbox_url}")
        screen.say(f"  database  {self.place.address}   (DATABASE_URL is in {environment})")
        screen.say(f"  export INSFORGE_URL={self.url} INSFORGE_ANON_KEY={anon_key}")
        if demo:
            screen.title("Pay one yourself, card 4242 4242 4242 4242, any later date and code:")
            screen.say(f"  {demo.session(demo.order()).url}")
        screen.say("Ctrl-C stops everything; the next start goes on from here.")
