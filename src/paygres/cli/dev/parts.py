"""How each part is started: PostgreSQL, the sandbox, the migrations, the API."""

import os
import socket
import subprocess
import sys
import time

import httpx2

from paygres.cli.dev.database import Place
from paygres.cli.dev.errors import DevError
from paygres.cli.dev.home import Home
from paygres.cli.dev.options import DEFAULT_PORT, Options
from paygres.cli.dev.processes import Child

READY_SECONDS = 30.0
# What the person's shell may carry for another installation must not leak into this one.
_FOREIGN = ("PAYGRES_", "STRIPE_", "POSTGRES_", "ACCESS_", "ROOT_ADMIN_", "INSFORGE_", "DATABASE_URL", "PG")
_ALONE = {"PORT", "JWT_SECRET", "ENCRYPTION_KEY", "API_BASE_URL", "TRUST_PROXY"}


def stripe_keys_exported() -> str:
    """Names of Stripe keys in the shell's environment: a newcomer may expect them to be used."""
    return " and ".join(name for name in ("STRIPE_TEST_SECRET_KEY", "STRIPE_LIVE_SECRET_KEY") if os.environ.get(name))


def clean_environment() -> dict[str, str]:
    """Our environment without any setting of a server."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(_FOREIGN) and n not in _ALONE}
    return {n: v for n, v in kept.items() if n.removesuffix("_FILE") not in _ALONE} | {"PYTHONUNBUFFERED": "1"}


def start_postgres(home: Home) -> Child:
    """The supervisor of the embedded PostgreSQL; its ready line has the URLs."""
    folder = home.folder / "postgres"
    arguments = ["paygres.server", "postgres", "--data-dir", str(folder)]
    return Child("PostgreSQL", arguments, clean_environment(), home.logs / "postgres.log")


def start_sandbox(home: Home) -> Child:
    """The local Stripe, on the port it had last time when that is free; its ready line has URL and key."""
    port = free_port(home.read("dev.json").get("sandboxPort"))
    arguments = ["paygres.sandbox", "--port", str(port), "--state", str(home.folder / "sandbox.db")]
    return Child("sandbox", arguments, clean_environment(), home.logs / "sandbox.log")


def migrate(home: Home, place: Place) -> str:
    """Brings the database to this version; returns what the command said."""
    environment = clean_environment() | {"DATABASE_URL": place.owner}
    if place.server_role:
        environment["PAYGRES_SERVER_ROLE"] = place.server_role
    command = [sys.executable, "-m", "paygres.server", "migrate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    (home.logs / "migrate.log").write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise DevError(f"the migrations failed: {said[-1] if said else done.returncode}")
    return done.stdout.strip()


def start_api(home: Home, place: Place, port: int, keys: dict[str, str], sandbox_url: str) -> Child:
    """The API with its worker."""
    environment = clean_environment() | keys
    environment |= {
        "DATABASE_URL": place.server,
        "PAYGRES_DATABASE_URL_DIRECT": place.server,
        "PORT": str(port),
        "PAYGRES_HOST": "127.0.0.1",
        "API_BASE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_API_BASE": sandbox_url,
        "PAYGRES_DEV": "1",
    }
    return Child("API", ["paygres.server", "serve"], environment, home.logs / "api.log")


def wait_for_api(api: Child, url: str) -> None:
    """Returns when the API answers. Raises DevError when it ends or is too slow."""
    give_up = time.monotonic() + READY_SECONDS
    with httpx2.Client(timeout=2.0, trust_env=False) as client:
        while time.monotonic() < give_up:
            api.check()
            try:
                if client.get(f"{url}/api/health").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.02)
    raise DevError(f"the API was not ready within {READY_SECONDS:.0f} s{api.last_words()}")


def choose_port(options: Options) -> int:
    """The API's port. Raises DevError when the one asked for is taken."""
    if options.port is not None:
        if not is_free(options.port):
            raise DevError(f"port {options.port} is in use; choose another --port, or leave it out", exit_code=1)
        return options.port
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        if is_free(port):
            return port
    return free_port(None)


def is_free(port: int) -> bool:
    """Whether we may listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(preferred: int | None) -> int:
    """The preferred port when it is free, else any."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
