"""What tests of syncs share: an account with many objects at the sandbox, connected before it had any."""

from typing import Any

import httpx2

from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.parts import Parts
from tests.flows.running_parts import Sandbox

SINCE, UNTIL = 1_700_000_000, 1_770_000_000


def seed(sandbox: Sandbox, account: str, **wanted: Any) -> dict[str, int]:
    """Fill an account; how many objects of each kind it has now."""
    asked = {"account": account, "since": SINCE, "until": UNTIL, **wanted}
    answer = httpx2.post(f"{sandbox.url}/_sim/seed", json=asked, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def dial(sandbox: Sandbox, control: str, **dials: Any) -> None:
    """Turn the sandbox's faults or limits."""
    answer = httpx2.post(f"{sandbox.url}/_sim/{control}", json=dials, timeout=10)
    assert answer.status_code == 200, answer.text


async def connected(parts: Parts, sandbox: Sandbox, **wanted: Any) -> tuple[str, dict[str, int]]:
    """The key of an account that was connected while it was empty, and what it has been filled with since."""
    account, key = sandbox.new_account()
    await connect_account(parts, "test", key, actor="test")
    return key, seed(sandbox, account, **wanted)
