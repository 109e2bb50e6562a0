"""One run: throw-away databases, every scenario in every order, the judgment, and a second look in real transactions
at what was found in one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from paygres.server.chaos.confirm import Confirmation
from paygres.server.chaos.findings import Finding
from paygres.server.chaos.judge import Judge, Played
from paygres.server.chaos.objects import DAY, Shop
from paygres.server.chaos.orders import Plan, plan
from paygres.server.chaos.plans import plans
from paygres.server.chaos.purchases import purchases
from paygres.server.chaos.scenario import Scenario
from paygres.server.chaos.stage import Stage
from paygres.server.chaos.state import Reading
from paygres.server.db.database import Database
from paygres.server.db.throwaway import Throwaway
from paygres.server.flows.listeners import Listeners


@dataclass(frozen=True, slots=True)
class Wanted:
    """`scripts`: (name, SQL) in order. `families`: purchase, plan. `scenarios`: empty for all. `runs`: permutations of
    a scenario, None for all of short ones. `start` of the shop is set by the run."""

    scripts: list[tuple[str, str]]
    shop: Shop
    families: Sequence[str]
    scenarios: Sequence[str]
    ignored: Sequence[str]
    listeners: Listeners
    runs: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what was found. `seconds` in all."""

    findings: list[Finding]
    scenarios: list[str]
    tables: list[str]
    orders: int
    seconds: float
    seed: int


def scenarios_of(shop: Shop, families: Sequence[str]) -> list[Scenario]:
    """All there are."""
    found = [*purchases(shop), *plans(shop)]
    return [one for one in found if one.family in families]


async def run(place: Throwaway, wanted: Wanted, tell: Callable[[str], None]) -> Report:
    """Raises ThrowawayError when the developer's SQL does not run."""
    began = time.monotonic()
    now = int(time.time())
    shop = replace(wanted.shop, start=now - 40 * DAY)
    every = scenarios_of(shop, wanted.families)
    # Each family's first is what the others are compared with: it is always played.
    first = {family: next(s.name for s in every if s.family == family) for family in wanted.families}
    chosen = [s for s in every if not wanted.scenarios or s.name in wanted.scenarios or s.name in first.values()]
    asked_for = wanted.scenarios or [s.name for s in chosen]
    tell("preparing a database")
    # Nothing is committed into the template but which listeners there are, and it is closed before it is copied.
    db = await Database.connect(await place.prepare(wanted.scripts), checkout_pool=1, webhook_pool=1)
    try:
        stage = await Stage.open(db, shop, wanted.ignored, wanted.listeners)
        initial = await stage.initial()
        named = frozenset((*shop.metadata.values(), *(shop.subject or ())[1:]))
        reading = Reading(stage.tables, float(now), _known_ids(chosen), named)
        reading.remember(initial)
        all_played: list[Played] = []
        for scenario in chosen:
            tell(scenario.name)
            orders = plan(scenario, wanted.runs, wanted.seed)
            if scenario.name not in asked_for:
                orders = Plan(orders.baseline, (), (), (), ())
            once = await stage.play(scenario, [orders.baseline])
            ends = await stage.play(scenario, orders.orders)
            again = (reading.state(one[orders.baseline].rows) for one in (once, ends))
            reading.learn(*again)
            all_played.append(Played(scenario, orders, ends))
    finally:
        await db.close()
    judge = Judge(reading, reading.settled(reading.state(initial)), list(shop.metadata.values()))
    found = [finding for finding in judge.judge(all_played) if finding.scenario in asked_for]
    look = Confirmation(place, shop, wanted.ignored, wanted.listeners, reading)
    confirmed: list[Finding] = []
    for finding in found:
        tell(f"{finding.scenario}: {finding.kind}")
        sure = await look.confirmed(finding, next(p for p in all_played if p.scenario.name == finding.scenario))
        if sure is not None:
            confirmed.append(sure)
    return Report(
        confirmed,
        [one.name for one in chosen],
        [table.name for table in stage.tables],
        sum(len(played.ends) for played in all_played),
        time.monotonic() - began,
        wanted.seed,
    )


def _known_ids(scenarios: Sequence[Scenario]) -> frozenset[str]:
    return frozenset(str(row.id) for scenario in scenarios for row in scenario.rows)
