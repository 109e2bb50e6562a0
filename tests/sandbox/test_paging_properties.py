"""Pages of a list, whatever happens between them: what was there all the time comes exactly once, in order."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.running import Sandbox

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
_numbers = itertools.count(1)

# What happens after each page.
STEPS = st.lists(st.sampled_from(["nothing", "new", "delete", "change"]), min_size=12, max_size=12)


class Shop:
    """An account of its own with so many customers, who share an email: `made`, the newest first."""

    def __init__(self, sandbox: Sandbox, count: int) -> None:
        self._sandbox = sandbox
        self.key = {"Authorization": f"Bearer sk_test_51Paging{next(_numbers):09d}{'x' * 20}"}
        self.made = [self.new() for _ in range(count)][::-1]
        self.gone: set[str] = set()

    def ask(self, method: str, path: str, form: dict[str, Any] | None = None) -> dict[str, Any]:
        sent: Any = {"params": form} if method == "GET" else {"data": form}
        answer = self._sandbox.http.browser.request(method, path, headers=self.key, **sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def new(self) -> str:
        return self.ask("POST", "/v1/customers", {"email": "ada@example.com"})["id"]

    def happens(self, step: str, number: int) -> None:
        living = [id for id in self.made if id not in self.gone]
        if step == "new":
            self.new()
        elif step == "delete" and living:
            self.gone.add(living[number % len(living)])
            self.ask("DELETE", f"/v1/customers/{living[number % len(living)]}")
        elif step == "change" and living:
            self.ask("POST", f"/v1/customers/{living[number % len(living)]}", {"name": f"Ada {number}"})

    def stayed(self, ids: list[str]) -> list[str]:
        return [id for id in ids if id not in self.gone]

    def pages(self, limit: int, **asked: Any) -> Iterator[list[str]]:
        """All pages, in the order in which they were asked for; back from `ending_before` if that is given."""
        back = "ending_before" in asked
        while True:
            page = self.ask("GET", "/v1/customers", {"limit": limit, **asked})
            ids = [one["id"] for one in page["data"]]
            assert len(ids) <= limit
            yield ids
            if not page["has_more"]:
                return
            asked |= {"ending_before": ids[0]} if back else {"starting_after": ids[-1]}


@pytest.mark.parametrize("filters", [{}, {"email": "ada@example.com", "created[gt]": 1}])
@quick
@given(count=st.integers(0, 14), limit=st.integers(1, 6), steps=STEPS)
def test_a_walk_neither_loses_nor_repeats(
    sandbox: Sandbox, filters: dict[str, Any], count: int, limit: int, steps: list[str]
) -> None:
    shop = Shop(sandbox, count)
    seen: list[str] = []
    for number, page in enumerate(shop.pages(limit, **filters)):
        seen += page
        shop.happens(steps[number % len(steps)], number)
    assert len(set(seen)) == len(seen)
    assert shop.stayed(seen) == shop.stayed(shop.made)


@quick
@given(count=st.integers(1, 14), limit=st.integers(1, 6), steps=STEPS)
def test_a_walk_back_brings_the_new_ones_too(sandbox: Sandbox, count: int, limit: int, steps: list[str]) -> None:
    shop = Shop(sandbox, count)
    seen: list[str] = []
    for number, page in enumerate(shop.pages(limit, ending_before=shop.made[-1])):
        seen = page + seen
        if number < 12:  # or with a new one after each page it would never end
            shop.happens(steps[number], number)
    assert len(set(seen)) == len(seen)
    assert [id for id in shop.stayed(seen) if id in shop.made] == shop.stayed(shop.made[:-1])


@pytest.mark.parametrize("seconds", [1, 3])
@pytest.mark.parametrize("limit", [1, 4, 29, 30, 100])
def test_objects_of_the_same_second_are_walked_whole(sandbox: Sandbox, seconds: int, limit: int) -> None:
    shop = Shop(sandbox, 0)
    planned = {"customers": 30, "since": 1_700_000_000, "until": 1_700_000_000 + seconds - 1}
    assert sandbox.http.browser.post("/_sim/seed", json=planned).status_code == 200
    shop.key = {"Authorization": f"Bearer {sandbox.key}"}
    window = {"created[gte]": 1_700_000_000, "created[lt]": 1_700_000_000 + seconds}
    forth = [id for page in shop.pages(limit, **window) for id in page]
    assert len(forth) == len(set(forth)) >= 30
    back = [id for page in list(shop.pages(limit, **window, ending_before=forth[-1]))[::-1] for id in page]
    assert back == forth[:-1]
