"""The quickstarts do what they say: their files and commands as they stand, beside a running `paygres dev`. And the
documented example of a team's subscription works there as it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.processes import private_folder, wait_until
from tests.system.running_dev import Dev
from tests.test_docs import ROOT
from tests.typescript.driving import Node, snippet
from tests.typescript.reading import Reader, installed_versions, pay, wanted_versions
from tests.typescript.selling import user_token

MONTH = timedelta(days=27), timedelta(days=32)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a reader sits: `folder` has the clone in it."""

    folder: Path
    dev: Dev


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """A folder with a clone in it, whose `make run` runs."""
    with private_folder("desk") as folder:
        clone = folder / "paygres"
        for made in (folder, clone):
            made.mkdir()
            made.chmod(0o711)
        (clone / ".venv").symlink_to(ROOT / ".venv")
        with Dev(clone / ".paygres") as dev:
            wait_until((clone / ".paygres" / "dev.env").is_file, "dev.env is written")
            yield Desk(folder, dev)


def about_a_month_from_now(day: datetime) -> bool:
    return MONTH[0] < day.replace(tzinfo=UTC) - datetime.now(UTC) < MONTH[1]


def test_python(desk: Desk) -> None:
    with Reader(desk.folder / "paygres") as reader:
        start, buy, subscribe, portal = reader.follow("quickstart-python.md", "python")
        again = reader.run(".venv/bin/python subscribe.py", code=1)
    assert start == []
    assert buy[-1] == "The order is paid"
    plan, _, day = subscribe[-1].partition(" until ")
    assert (plan, about_a_month_from_now(datetime.strptime(day, "%d %B %Y"))) == ("Team plan Pro", True)
    assert re.fullmatch(r"Manage it here: http://\S+", portal[-1])
    assert again[-1].startswith("Not twice: ")


def test_typescript(desk: Desk) -> None:
    wanted = wanted_versions("quickstart-typescript.md")
    assert wanted == installed_versions(list(wanted))
    with Reader(desk.folder, files="shop") as reader:
        _, buy, subscribe, portal = reader.with_node().follow("quickstart-typescript.md", "ts")
        again = reader.run("node subscribe.ts")
    assert buy[-1] == "The order is paid"
    plan, _, day = subscribe[-1].partition(" until ")
    assert (plan, about_a_month_from_now(datetime.strptime(day, "%Y-%m-%d"))) == ("Team plan Pro", True)
    assert re.fullmatch(r"Manage it here: http://\S+", portal[-1])
    assert again[-1].startswith("Not twice: ")


def test_the_documented_team_subscription_works_on_the_development_installation(desk: Desk) -> None:
    ready = desk.dev.ready
    desk.dev.value("insert into public.team_members values ('team_dev', 'user_dev', 'owner')")
    plan = desk.dev.value("select price_id from payments.stripe_prices where lookup_key = 'paygres_dev_pro_monthly'")
    with Node() as node:
        client = node.client(baseUrl=ready["baseUrl"], anonKey=ready["anonKey"])
        client.call("setAccessToken", user_token("user_dev", secret=ready["jwtSecret"]))
        code = snippet("subscription-checkout", price_monthly_123=str(plan))
        did = client.snippet(code, teamId="team_dev", user={"email": "dev@example.com"})
        assert did["thrown"] is None
        pay(did["visited"][0])
        portal = client.snippet(snippet("customer-portal"), teamId="team_dev")
    assert len(portal["visited"]) == 1
