"""The Django example: a signed-in user buys, the signal marks the order; checks and the doctor tell what is wrong."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.examples.running import EXAMPLES, beside_a_server, example, new_port, until
from tests.flows.checkouts import Shop

FOLDER = EXAMPLES / "django_shop"
MAKE_USER = (
    "from django.contrib.auth.models import User; User.objects.create_user('ada', 'ada@example.com', 'pencil-7')"
)


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=FOLDER,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def running(
    postgres: Urls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shop, httpx2.Client, dict[str, str]]]:
    port, place = new_port(), tmp_path_factory.mktemp("django")
    with beside_a_server(postgres, port, "/hooks/paygres/") as (server, given):
        env = {**given, "SHOP_DATABASE": str(place / "shop.sqlite3")}
        assert manage(env, "migrate", "-v0").returncode == 0
        assert manage(env, "shell", "-v0", "-c", MAKE_USER).returncode == 0
        with example("django_shop", "shop.asgi:application", port, env) as client:
            yield server, client, env


def sign_in(client: httpx2.Client) -> None:
    client.get("/login/")
    form = {"username": "ada", "password": "pencil-7", "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    assert client.post("/login/", data=form).status_code == 302


def test_a_signed_in_user_buys(running: tuple[Shop, httpx2.Client, dict[str, str]]) -> None:
    server, client, _ = running
    assert client.get("/subscriptions/").status_code == 401
    sign_in(client)
    client.get("/")
    sent = client.post("/buy/", data={"csrfmiddlewaretoken": client.cookies["csrftoken"]})
    assert sent.status_code == 302, sent.text
    session = sent.headers["location"].rpartition("/")[2].partition("?")[0]
    [row] = server.sql("select * from payments.stripe_checkout_sessions where checkout_session_id = $1", session)
    assert row["caller_scope"].endswith(":1")
    server.sim("pay", session=session)
    shown = until(lambda: re.search(r'<li id="(\S+)">paid</li>', client.get("/").text))
    order = shown.group(1)
    assert client.get(f"/orders/{order}/").json() == {"id": order, "status": "paid"}
    assert client.get("/subscriptions/").json() == {"granted": []}


def test_the_doctor_finds_what_is_wrong(running: tuple[Shop, httpx2.Client, dict[str, str]]) -> None:
    _, _, env = running
    well = manage(env, "paygres", "doctor")
    assert (well.returncode, "FAIL" in well.stdout) == (0, False), well.stdout + well.stderr
    away = manage({**env, "INSFORGE_URL": "http://127.0.0.1:9"}, "paygres", "doctor")
    assert away.returncode == 1
    assert "cannot be reached" in away.stdout
    other = manage({**env, "JWT_SECRET": "0" * 32}, "paygres", "doctor")
    assert other.returncode == 1
    assert "does not take tokens" in other.stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"INSFORGE_URL": "no url"}, "paygres.E003"),
        ({"INSFORGE_ANON_KEY": "ik_0123"}, "paygres.E004"),
        ({"JWT_SECRET": "short"}, "paygres.E007"),
        ({"JWT_SECRET": ""}, "paygres.W002"),
        ({"DJANGO_DEBUG": "1", "STRIPE_LIVE_SECRET_KEY": "sk_live_1"}, "paygres.W001"),
        ({"DJANGO_SECRET_KEY": "1" * 50, "JWT_SECRET": "1" * 50}, "paygres.W003"),
    ],
)
def test_checks_name_what_is_wrong(change: dict[str, str], told: str, tmp_path: Path) -> None:
    env = {"INSFORGE_URL": "http://localhost:7130", "INSFORGE_ANON_KEY": "anon_1", "JWT_SECRET": "2" * 32}
    env["SHOP_DATABASE"] = str(tmp_path / "shop.sqlite3")
    sound = manage(env, "check")
    assert (sound.returncode, "paygres." in sound.stderr) == (0, False), sound.stderr
    found = manage(env | change, "check")
    assert told in found.stderr
    assert "sk_live_1" not in found.stderr
