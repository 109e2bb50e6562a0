"""kill -9 of the worker in the middle of a sweep: the next one goes on, and nothing published was a lie."""

import subprocess
import time
from pathlib import Path

from paygres.server.db.embedded import Urls
from tests.flows.running_parts import Sandbox, parts_on
from tests.flows.sweeping import HOUR, connect_at, history, holes, make_due, missing, now, sandbox_with
from tests.flows.webhooks import script, sql
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.http.running import environment, start

# The same as the parts of running_parts have, so that the stored key can be read.
SECRETS = {
    "JWT_SECRET": "a JWT secret of thirty-two letters and more",
    "ENCRYPTION_KEY": "an encryption key of thirty-two letters",
}
# The moment to die is in the middle: every event takes a while.
SLOW = """
create function public.wait_a_little() returns trigger language plpgsql set search_path = '' as $$
begin perform pg_sleep(0.03); return new; end $$;
create trigger wait_a_little before insert on payments.webhook_events
    for each row execute function public.wait_a_little();
"""


def test_a_worker_killed_in_the_middle_of_a_sweep_is_followed_by_one_that_ends_it(
    postgres: Urls, tmp_path: Path
) -> None:
    account, key = Sandbox.new_account()
    ended = now() - 300
    events = history(6, 12, until=ended)
    with sandbox_with(tmp_path, account, events) as sandbox, cloned(postgres) as database:

        async def connect() -> None:
            async with parts_on(database, sandbox.url) as parts:
                await connect_at(parts, database, key, ended - 7 * HOUR)

        in_its_own_loop(connect())
        script(database, SLOW)
        env = environment(database.server_url, **SECRETS, STRIPE_API_BASE=sandbox.url)
        worker = start(env, "worker")
        try:
            _until(lambda: len(in_its_own_loop(missing(database, events))) < len(events) - 10, worker)
        finally:
            worker.kill()
            worker.communicate()
        left = len(in_its_own_loop(missing(database, events)))
        assert 0 < left < len(events)
        assert in_its_own_loop(holes(database, events)) == []
        assert _swept(database) == []
        in_its_own_loop(make_due(database))  # the lease of the dead has run out
        worker = start(env, "worker")
        try:
            _until(lambda: bool(_swept(database)), worker)
        finally:
            worker.terminate()
            worker.communicate(timeout=25)
        assert in_its_own_loop(missing(database, events)) == []
        assert in_its_own_loop(holes(database, events)) == []
        (told,) = _swept(database)
        assert told["missing"] <= left  # what the killed one stored was not fetched again


def _swept(database: FreshDatabase) -> list[dict[str, int]]:
    return sql(database, "select missing from payments.sweeps where swept_at is not null")


def _until(holds: object, worker: "subprocess.Popen[str]") -> None:
    assert callable(holds)
    deadline = time.monotonic() + 30
    while not holds():
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
