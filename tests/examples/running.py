"""An example application as a process of its own, beside a real server and the sandbox."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

import paygres
from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, free_port, shop
from tests.http.running import ANON_KEY, API_KEY, JWT_SECRET

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# What a developer adds for orders that live elsewhere: each paid checkout that names one is granted under its id.
GRANTS = """
    create function public.grant_orders() returns trigger language plpgsql set search_path = '' as $$
    declare bought jsonb := new.payload #> '{data,object}';
    begin
        if new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
           and bought #>> '{metadata,order_id}' is not null then
            perform payments.fulfill(new, 'orders', bought #>> '{metadata,order_id}', 1500, 'usd');
        end if;
        return null;
    end $$;
    create trigger grant_orders after insert or update on payments.webhook_events
        for each row execute function public.grant_orders();
"""


@contextmanager
def beside_a_server(postgres: Urls, port: int, hook: str, **more: str) -> Iterator[tuple[Shop, dict[str, str]]]:
    """A server with a destination at the example's address; and the example's environment."""
    with shop(postgres, PAYGRES_RETURN_ORIGINS="", **more) as opened:
        opened.force(GRANTS)
        with paygres.create_admin_client(opened.server.url, API_KEY) as admin:
            made = admin.destinations.create("test", url=f"http://127.0.0.1:{port}{hook}", name="shop")
        assert made.secret is not None
        yield (
            opened,
            {
                "INSFORGE_URL": opened.server.url,
                "INSFORGE_ANON_KEY": ANON_KEY,
                "JWT_SECRET": JWT_SECRET,
                "PRICE_ID": opened.price,
                "WEBHOOK_SECRET": made.secret,
                "SHOP_URL": f"http://127.0.0.1:{port}",
            },
        )


@contextmanager
def example(folder: str, target: str, port: int, env: Mapping[str, str]) -> Iterator[httpx2.Client]:
    """uvicorn with the example, and a browser for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", target, "--port", str(port), "--log-level", "warning"],
        cwd=EXAMPLES / folder,
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            until(lambda: process.poll() is not None or _answers(client), 30)
            assert process.poll() is None, process.communicate()[0]
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=20)


def until(true: Any, seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    return answer


def _answers(client: httpx2.Client) -> bool:
    try:
        client.get("/")
    except httpx2.TransportError:
        return False
    return True


def new_port() -> int:
    return free_port()
