"""The fault dials for requests: what each does to an answer, what it leaves done, and that a seed repeats it."""

import http.client
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from paygres.sandbox.faults import DIALS, read_dial, read_dials
from tests.sandbox.running import VERSION, Sandbox


@pytest.fixture
def turn(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Turns dials, and all of them back at the end."""

    def dials(**asked: Any) -> None:
        answer = sandbox.http.browser.post("/_sim/faults", json=asked)
        assert answer.status_code == 200, answer.text

    yield dials
    sandbox.http.browser.delete("/_sim/faults")


def ask(sandbox: Sandbox, method: str, path: str, **form: str) -> str:
    """The status of an answer that came whole, else how it failed."""
    there = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {sandbox.key}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        there.request(method, path, urlencode(form) if form else None, headers)
        answer = there.getresponse()
        answer.read()
        return str(answer.status)
    except (http.client.HTTPException, OSError) as problem:
        return type(problem).__name__
    finally:
        there.close()


def created(sandbox: Sandbox, email: str) -> int:
    return len(sandbox.stripe.v1.customers.list({"email": email}).data)


@pytest.mark.parametrize(
    ("dial", "outcome", "is_done"),
    [
        ("error", "500", False),
        ("error_after", "500", True),
        ("rate_limit", "429", False),
        ("reset", "ConnectionResetError", False),
        ("reset_after", "ConnectionResetError", True),
        ("truncate", "IncompleteRead", True),
    ],
)
def test_a_dial_for_requests_does_what_it_says(
    sandbox: Sandbox, turn: Callable[..., None], dial: str, outcome: str, is_done: bool
) -> None:
    turn(**{dial: 1})
    assert ask(sandbox, "POST", "/v1/customers", email=f"{dial}@example.com") == outcome
    turn(**{dial: 0})
    assert created(sandbox, f"{dial}@example.com") == is_done


def test_a_connection_may_be_reset_in_the_middle_of_the_answer(sandbox: Sandbox, turn: Callable[..., None]) -> None:
    turn(reset_in_body=1)
    # What had arrived before the reset may be thrown away by the receiving side.
    assert ask(sandbox, "POST", "/v1/customers", email="mid@example.com") in ("IncompleteRead", "ConnectionResetError")
    turn(reset_in_body=0)
    assert created(sandbox, "mid@example.com") == 1


def test_an_answer_lost_to_a_reset_is_replayed_to_the_official_client(
    sandbox: Sandbox, turn: Callable[..., None]
) -> None:
    turn(answers=[{"connection": "reset", "after": True, "path": "/v1/customers", "method": "POST"}])
    client = stripe.StripeClient(
        sandbox.key, base_addresses={"api": sandbox.url}, stripe_version=VERSION, max_network_retries=2
    )
    customer = client.v1.customers.create({"email": "once@example.com"})
    assert customer.email == "once@example.com"
    assert created(sandbox, "once@example.com") == 1


@pytest.mark.parametrize(("header", "tries"), [(None, 3), (True, 3), (False, 1)])
def test_stripe_should_retry_tells_the_official_client(
    sandbox: Sandbox, turn: Callable[..., None], header: bool | None, tries: int
) -> None:
    rule = {"status": 503, "count": 9, "path": "/v1/customers", "method": "POST", "should_retry": header}
    turn(answers=[rule])
    client = stripe.StripeClient(
        sandbox.key, base_addresses={"api": sandbox.url}, stripe_version=VERSION, max_network_retries=2
    )
    with pytest.raises(stripe.APIError):
        client.v1.customers.create({"email": "retry@example.com"})
    [left] = sandbox.http.browser.get("/_sim/faults").json()["answers"]
    assert 9 - left["count"] == tries


def test_a_locked_object_is_stripes_other_429(sandbox: Sandbox, turn: Callable[..., None]) -> None:
    turn(answers=[{"status": 429, "code": "lock_timeout", "should_retry": True}])
    answer = sandbox.http.api("POST", "/v1/customers", "name=A")
    assert (answer.status_code, answer.headers["stripe-should-retry"]) == (429, "true")
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "lock_timeout")
    assert "stripe-rate-limited-reason" not in answer.headers


@pytest.mark.parametrize(("after", "is_done_early"), [(True, True), (False, False)])
def test_a_path_may_be_slow_before_or_after_its_work(
    sandbox: Sandbox, turn: Callable[..., None], after: bool, is_done_early: bool
) -> None:
    turn(answers=[{"wait": 0.6, "after": after, "path": "/v1/customers", "method": "POST"}])
    email = f"slow-{after}@example.com"
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        asked = pool.submit(ask, sandbox, "POST", "/v1/customers", email=email)
        time.sleep(0.25)
        assert created(sandbox, email) == is_done_early
        assert asked.result() == "200"
        assert time.monotonic() - began >= 0.6
    assert created(sandbox, email) == 1


def test_slow_answers_are_a_share_of_all(sandbox: Sandbox, turn: Callable[..., None]) -> None:
    turn(slow=0.5, slow_for=0.3, seed=4)

    def seconds(number: int) -> float:
        began = time.monotonic()
        ask(sandbox, "GET", "/v1/customers")
        return time.monotonic() - began

    with ThreadPoolExecutor(12) as pool:
        late = sum(one >= 0.3 for one in pool.map(seconds, range(12)))
    assert 0 < late < 12


def test_a_rule_may_be_a_share_of_one_paths_requests(sandbox: Sandbox, turn: Callable[..., None]) -> None:
    turn(answers=[{"status": 502, "share": 0.5, "path": "/v1/products"}], seed=2)
    outcomes = [ask(sandbox, "GET", "/v1/products") for _ in range(20)]
    assert set(outcomes) == {"200", "502"}
    assert ask(sandbox, "GET", "/v1/customers") == "200"


def test_a_seed_repeats_the_faults_whatever_the_order_and_the_timing(
    sandbox: Sandbox, turn: Callable[..., None]
) -> None:
    emails = [f"seed-{number}@example.com" for number in range(30)]

    def run(order: list[str], threads: int, seed: int) -> dict[str, str]:
        turn(seed=seed, error=0.2, error_after=0.2, reset=0.2, truncate=0.2, rate_limit=0.1)
        with ThreadPoolExecutor(threads) as pool:
            outcomes = pool.map(lambda email: ask(sandbox, "POST", "/v1/customers", email=email), order)
            return dict(zip(order, outcomes, strict=True))

    first = run(emails, 1, seed=7)
    again = run(random.Random(1).sample(emails, len(emails)), 6, seed=7)
    assert again == first
    assert len(set(first.values())) >= 4
    assert run(emails, 1, seed=8) != first


def test_another_process_with_the_same_seed_meets_the_same_faults() -> None:
    def outcomes() -> list[str]:
        with Sandbox("--fault", "error=0.3,reset_after=0.3", "--fault", "seed=7") as running:
            return [ask(running, "POST", "/v1/customers", email=f"p{number}@example.com") for number in range(20)]

    first = outcomes()
    assert outcomes() == first
    assert set(first) == {"200", "500", "ConnectionResetError"}


def test_a_second_try_throws_new_dice(sandbox: Sandbox, turn: Callable[..., None]) -> None:
    turn(seed=3, error=0.5)
    tries = [ask(sandbox, "POST", "/v1/customers", email="again@example.com") for _ in range(12)]
    assert set(tries) == {"200", "500"}
    turn(seed=3)
    assert [ask(sandbox, "POST", "/v1/customers", email="again@example.com") for _ in range(12)] == tries


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"wat": 1}, "there is no dial `wat`; the dials are latency, slow,"),
        ({"drop": 1.5}, "`drop` is a share, 0 to 1, not 1.5"),
        ({"drop": True}, "`drop` is a share, 0 to 1, not True"),
        ({"delay": -1}, "`delay` is a number of seconds, 0 to 3600, not -1"),
        ({"delay": "soon"}, "`delay` is a number of seconds, 0 to 3600, not 'soon'"),
        ({"shuffle": 2}, "`shuffle` is true or false, not 2"),
        ({"seed": 1.5}, "`seed` is a whole number"),
        ({"answers": {}}, "`answers` is a list of rules"),
        ({"answers": [{"status": 200}]}, "`answers`: a rule is an object with some of `status` (400 to 599)"),
        ({"answers": [{"status": 500, "sometimes": 1}]}, "`answers`: a rule is an object"),
        ({"answers": [{"path": "/v1/customers"}]}, "`answers`: a rule is an object"),
        ({"answers": [{"connection": "truncate", "after": False}]}, "`answers`: there is no answer to break off"),
    ],
)
def test_a_dial_that_cannot_be_turned_so_says_what_is_allowed(
    sandbox: Sandbox, asked: dict[str, Any], told: str
) -> None:
    answer = sandbox.http.browser.post("/_sim/faults", json={"duplicate": 0.5, **asked})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(told)
    assert sandbox.http.browser.get("/_sim/faults").json()["duplicate"] == 0  # all dials or none


def test_the_dials_tell_what_they_are(sandbox: Sandbox, turn: Callable[..., None]) -> None:
    turn(lose=0.25)
    dials = sandbox.http.browser.get("/_sim/faults/dials").json()["dials"]
    assert [dial["name"] for dial in dials] == [dial.name for dial in DIALS]
    assert {dial["name"]: dial["value"] for dial in dials} == sandbox.http.browser.get("/_sim/faults").json()
    [lose] = [dial for dial in dials if dial["name"] == "lose"]
    assert (lose["kind"], lose["allowed"], lose["value"]) == ("share", "a share, 0 to 1", 0.25)
    off = sandbox.http.browser.delete("/_sim/faults").json()
    assert off == {dial["name"]: dial["off"] for dial in dials}


def test_dials_are_read_from_text() -> None:
    assert read_dials("duplicate=0.5, shuffle") == {"duplicate": 0.5, "shuffle": True}
    assert read_dials("two_signatures=off,same_second=10,seed=7") == {
        "two_signatures": False,
        "same_second": 10.0,
        "seed": 7,
    }


@pytest.mark.parametrize("text", ["duplicate", "duplicate=", "duplicate=2", "wat=1", "answers=500", "shuffle=maybe"])
def test_a_text_that_is_no_dial_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        read_dial(text)
