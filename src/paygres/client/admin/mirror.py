"""Whether the tables say what Stripe says, and how they are made to."""

from collections.abc import Iterator, Sequence
from typing import Any

from paygres.client.admin.connections import SYNCING, Noun
from paygres.client.admin.desk import Desk, Moment, OnProgress, moment
from paygres.client.admin.mirror_shapes import (
    Class,
    Finding,
    Invariant,
    InvariantsAnswer,
    RebuildAnswer,
    ReconcileAnswer,
)
from paygres.client.calls import extension
from paygres.client.shapes import Environment


class Mirror:
    """`admin.mirror`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reconcile(
        self,
        environment: Environment,
        *,
        fix: bool = False,
        only: Sequence[Noun] | None = None,
        since: Moment | None = None,
        confirm: bool = False,
        reason: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> ReconcileAnswer:
        """Compare with Stripe, object by object; `fix` repairs. `confirm`: rows that Stripe did not list are asked
        about, however many they are. The answer has the first findings; `findings` reads them all."""
        body: dict[str, Any] = {"fix": fix, "since": moment("since", since), "confirm": confirm, "reason": reason}
        body["only"] = None if only is None else list(only)
        return self._desk.told(f"{extension(environment)}/reconcile", ReconcileAnswer, body, on_progress, SYNCING)

    def report(
        self,
        environment: Environment,
        *,
        id: str | None = None,
        class_: Class | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> ReconcileAnswer:
        """A page of a comparison's findings; of the newest unless `id` names one."""
        query = {"id": id, "class_": class_, "after": after, "limit": limit}
        return self._desk.send("GET", f"{extension(environment)}/reconcile", ReconcileAnswer, query=query)

    def findings(
        self, environment: Environment, *, id: str | None = None, class_: Class | None = None
    ) -> Iterator[Finding]:
        """All findings of a comparison, page by page."""
        after: int | None = None
        while True:
            page = self.report(environment, id=id, class_=class_, after=after, limit=1000)
            yield from page.findings
            if page.next_after is None:
                return
            id, after = page.reconciliation.id, page.next_after

    def rebuild(
        self,
        environment: Environment,
        *,
        dry_run: bool = False,
        remove_extra: bool = False,
        reason: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> RebuildAnswer:
        """Compute all rows anew from the ledger; a dry run tells which would differ."""
        body: dict[str, Any] = {"dry_run": dry_run, "remove_extra": remove_extra, "reason": reason}
        return self._desk.told(f"{extension(environment)}/rebuild", RebuildAnswer, body, on_progress, SYNCING)

    def invariants(self, environment: Environment, *, now: bool = False) -> list[Invariant]:
        """What must always hold, and whether it did at the last look; `now` looks anew."""
        path = f"{extension(environment)}/invariants"
        return self._desk.send("GET", path, InvariantsAnswer, query={"now": now}).invariants
