"""How often somebody may try: by network, by account, by both; counted for all, lifted by the right password."""

from collections.abc import Iterator

import httpx2
import pytest

from paygres.server.db.embedded import Urls
from tests.fresh_database import cloned
from tests.http.running import ANON_KEY, Server, admin, bearer, environment, serving
from tests.http.signing_in import NOT_A_PAGE, PASSWORD, new_email, post, refused, sign_up, sql


@pytest.fixture(scope="module")
def limited(postgres: Urls) -> Iterator[Server]:
    """Behind one proxy, so that a test says where it comes from."""
    with cloned(postgres) as database:
        env = environment(database.server_url, PAYGRES_LIMITS="on", TRUST_PROXY="1", PAYGRES_SIGN_INS_PER_MINUTE="15")
        with serving(env) as server:
            yield server


def attempt(server: Server, email: str, address: str, password: str = "wrong") -> httpx2.Response:
    headers = {"x-forwarded-for": address}
    return post(server, "sessions", json={"email": email, "password": password}, headers=headers, params=NOT_A_PAGE)


def test_ten_wrong_passwords_of_one_network_stop_it_for_that_account_only(limited: Server) -> None:
    email, other = new_email(), new_email()
    for address in (email, other):
        sign_up(limited, address, {**bearer(ANON_KEY), "x-forwarded-for": "198.51.100.1"})
    statuses = [attempt(limited, email, f"203.0.113.{n}").status_code for n in range(11)]
    assert statuses == [*[401] * 10, 429]
    stopped = attempt(limited, email, "203.0.113.99", PASSWORD)
    assert refused(stopped)[:2] == (429, "RATE_LIMITED")
    assert 500 < int(stopped.headers["retry-after"]) <= 600
    assert f"try again in {stopped.headers['retry-after']} seconds" in stopped.json()["message"]
    assert attempt(limited, email, "192.0.2.1", PASSWORD).status_code == 200
    assert attempt(limited, other, "203.0.113.1", PASSWORD).status_code == 200


def test_the_right_password_begins_the_count_anew(limited: Server) -> None:
    email = new_email()
    sign_up(limited, email, {**bearer(ANON_KEY), "x-forwarded-for": "198.51.100.2"})
    assert attempt(limited, email, "203.0.114.1").status_code == 401
    sql(
        limited,
        "update system.sign_in_counts set attempts = 9 where key like '% 203.0.114.0/24' and key like 'in ____%'",
    )
    assert attempt(limited, email, "203.0.114.1", PASSWORD).status_code == 200
    assert attempt(limited, email, "203.0.114.1").status_code == 401


def test_many_networks_together_are_stopped_too(limited: Server) -> None:
    email = new_email()
    assert attempt(limited, email, "10.1.0.1").status_code == 401
    sql(limited, "update system.sign_in_counts set attempts = 49 where key ~ '^in [0-9a-f]{32}$'")
    assert [attempt(limited, email, f"10.{n}.0.1").status_code for n in (2, 3)] == [401, 429]


def test_a_network_may_try_so_many_accounts_a_minute(limited: Server) -> None:
    assert attempt(limited, new_email(), "203.0.115.7").status_code == 401
    of_network = " where key = 'in 203.0.115.0/24'"
    sql(limited, "update system.sign_in_counts set attempts = 14, until = now() + interval '1 minute'" + of_network)
    assert [attempt(limited, new_email(), "203.0.115.7").status_code for _ in range(2)] == [401, 429]
    sql(limited, "update system.sign_in_counts set until = now()" + of_network)
    assert attempt(limited, new_email(), "203.0.115.8").status_code == 401


def test_sign_ups_of_a_network_and_of_an_address_are_limited_but_not_an_admins(limited: Server) -> None:
    headers = {**bearer(ANON_KEY), "x-forwarded-for": "203.0.116.1"}
    email = new_email()
    assert [sign_up(limited, email, headers).status_code for _ in range(6)] == [200, *[409] * 4, 429]
    sql(limited, "update system.sign_in_counts set attempts = 30 where key = 'up 203.0.116.0/24'")
    assert sign_up(limited, new_email(), headers).status_code == 429
    assert sign_up(limited, new_email(), {**admin(), "x-forwarded-for": "203.0.116.1"}).status_code == 200
    assert email not in str(sql(limited, "select key from system.sign_in_counts"))
