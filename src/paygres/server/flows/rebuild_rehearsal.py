"""What a rebuild would change, told without changing it: every page is written in a transaction that is rolled back.

The pages of a real rebuild find in the tables what earlier ones wrote. A rehearsal has to remember that: which objects
a payment has, which intents pay invoices, who pays as which customer. About 300 bytes an object.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from paygres.server.db.database import Tx
from paygres.server.flows.rebuild_pages import (
    ORDER,
    FoldedPage,
    Known,
    World,
    fold_objects,
    kind_named,
    project_payments,
    write_objects,
    write_payments,
)
from paygres.server.projections.project import Rows, lock
from paygres.server.tables import reads, rebuild
from paygres.server.tables.rebuild import Image, Stamped

MOST_EXAMPLES = 200
_PAYMENTS = "payments.transactions"


class Undo(Exception):
    """Ends a rehearsed page's transaction."""


@dataclass(slots=True)
class Differences:
    """Rows that would come, change or go. A row that several pages concern counts once."""

    tables: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    examples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def note(self, before: Mapping[tuple[str, str], Image], after: Mapping[tuple[str, str], Image]) -> None:
        """Compare the images of a page's rows."""
        for name in {**before, **after}:
            old, new = before.get(name), after.get(name)
            if name in self._seen or (old and old.columns) == (new and new.columns):
                continue
            self._seen.add(name)
            change = "changed" if old and new else "added" if new else "removed"
            counts = self.tables.setdefault(name[0], {"added": 0, "changed": 0, "removed": 0})
            counts[change] += 1
            if len(self.examples) < MOST_EXAMPLES:
                self.examples.append(
                    {
                        "table": name[0],
                        "key": orjson.loads(name[1]),
                        "change": change,
                        "columns": _columns(old.columns, new.columns) if old and new else [],
                    }
                )

    @property
    def total(self) -> int:
        """How many rows."""
        return len(self._seen)


@dataclass(slots=True)
class Rehearsal:
    """The pages of a rebuild, each told and undone."""

    world: World
    differences: Differences = field(default_factory=Differences)
    names: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _families: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    _strangers: dict[str, list[Stamped]] = field(default_factory=dict[str, list[Stamped]])
    _links: dict[str, list[Mapping[str, object]]] = field(default_factory=dict[str, list[Mapping[str, object]]])
    _evidence: dict[str, list[tuple[str, Mapping[str, object]]]] = field(
        default_factory=dict[str, list[tuple[str, Mapping[str, object]]]]
    )
    _customers: dict[tuple[object, object], set[str]] = field(default_factory=dict[tuple[object, object], set[str]])

    async def strangers(self, tx: Tx, page: Sequence[Stamped]) -> None:
        """What would go with other installations' objects."""
        ids = sorted({name for one in page for name in (one.object_id, one.payment_key, one.customer) if name})
        before = await rebuild.select_images(tx, self.world.environment, ids)
        await rebuild.take_out_strangers(tx, self.world.environment, page)
        self.differences.note(before, await rebuild.select_images(tx, self.world.environment, ids))
        for one in page:
            if one.payment_key is not None:
                self._strangers.setdefault(one.payment_key, []).append(one)

    async def objects(self, tx: Tx, page: FoldedPage) -> None:
        """What the page's objects would change."""
        links = [link for one in page.folded for key in one.keys for link in self._links.get(key, ())]
        theirs = {str(row["customer_id"]) for one in page.folded for row in one.rows.get("subscriptions", ())}
        ids = {one.row["object_id"] for one in page.folded}
        ids |= {str(row["customer_id"]) for one in page.folded for _, row in one.evidence}
        ids |= {str(link["payment_intent_id"]) for one in page.folded for link in one.links}
        # What others have told already is there in a real rebuild, and no difference of this page.
        await write_objects(tx, self.world, FoldedPage(page.kind), Known(links, self._proofs(theirs)))
        before = await rebuild.select_images(tx, self.world.environment, sorted(ids))
        await write_objects(tx, self.world, page, Known(links, self._proofs(theirs)))
        self.differences.note(before, await rebuild.select_images(tx, self.world.environment, sorted(ids)))
        for one in page.folded:
            self._remember(one.row, one.links, one.evidence)

    def customers(self) -> list[str]:
        """Everybody somebody pays as, by the ledger."""
        return sorted(self._evidence)

    async def mappings(self, tx: Tx, customers: Sequence[str]) -> None:
        """Whose own the customers would be."""
        around = set(customers)
        for customer in customers:
            for _, row in self._evidence[customer]:
                around |= self._customers[row["subject_type"], row["subject_id"]]
        page = await fold_objects(tx, self.world, kind_named("customer"), sorted(around))
        await write_objects(tx, self.world, page, Known((), self._proofs(around)))
        before = await rebuild.select_images(tx, self.world.environment, customers)
        by_account: dict[str, list[str]] = {}
        for customer in customers:
            by_account.setdefault(max(account for account, _ in self._evidence[customer]), []).append(customer)
        for account_id, some in by_account.items():
            await rebuild.rebuild_mappings(tx, self.world.environment, account_id, some)
        self.differences.note(before, await rebuild.select_images(tx, self.world.environment, customers))

    def payments(self) -> list[str]:
        """Every payment, by the ledger."""
        return sorted(self._families)

    async def transactions(self, tx: Tx, keys: Sequence[str]) -> None:
        """What the payments' rows would be."""
        strangers = [one for key in keys for one in self._strangers.get(key, ())]
        if strangers:
            await rebuild.take_out_strangers(tx, self.world.environment, strangers)
        members = [one for key in keys for one in self._families[key]]
        await reads.take_locks(tx, sorted({lock(self.world.environment, *one) for one in members}))
        for name in ORDER:
            ids = [ident for kind, ident in members if kind == name]
            if ids:
                page = await fold_objects(tx, self.world, kind_named(name), ids)
                links = [link for one in page.folded for key in one.keys for link in self._links.get(key, ())]
                await write_objects(tx, self.world, page, Known(links))
        await rebuild.rebuild_standing_alone(tx, self.world.environment, keys)
        computed = await project_payments(tx, self.world, keys)
        customers = {str(row["customer_id"]) for row in _of(computed) if row.get("customer_id") in self._evidence}
        for account_id, rows in self._proofs(customers).items():
            await rebuild.rebuild_evidence(tx, self.world.environment, account_id, rows)
        named = {(str(row["object_type"]), str(row["object_id"])) for row in _of(computed)}
        named |= {(o["object_type"], o["object_id"]) for row in _of(computed) for o in row.get("replaces", ())}
        self.names |= {(row["object_type"], row["object_id"]) for row in _of(computed) if not row.get("gone")}
        ids = sorted({ident for _, ident in named})
        before = await self._transaction_images(tx, ids)
        await write_payments(tx, self.world, computed)
        self.differences.note(before, await self._transaction_images(tx, ids))

    async def _transaction_images(self, tx: Tx, ids: Sequence[str]) -> dict[tuple[str, str], Image]:
        images = await rebuild.select_images(tx, self.world.environment, ids)
        return {name: image for name, image in images.items() if name[0] == _PAYMENTS}

    def _proofs(self, customers: Collection[str]) -> dict[str, list[Mapping[str, object]]]:
        found: dict[str, list[Mapping[str, object]]] = {}
        for customer in customers:
            for account_id, row in self._evidence.get(customer, ()):
                found.setdefault(account_id, []).append(row)
        return found

    def _remember(
        self,
        row: Mapping[str, Any],
        links: Sequence[Mapping[str, object]],
        evidence: Sequence[tuple[str, Mapping[str, object]]],
    ) -> None:
        if row["payment_key"] is not None:
            self._families.setdefault(row["payment_key"], []).append((row["object_type"], row["object_id"]))
        for link in links:
            self._links.setdefault(str(link["payment_intent_id"]), []).append(link)
        for account_id, proof in evidence:
            self._evidence.setdefault(str(proof["customer_id"]), []).append((account_id, proof))
            subject = (proof["subject_type"], proof["subject_id"])
            self._customers.setdefault(subject, set()).add(str(proof["customer_id"]))


def _of(computed: Mapping[str, Rows]) -> list[dict[str, Any]]:
    return [row for rows in computed.values() for row in rows["transactions"]]


def _columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {**old, **new} if old.get(name) != new.get(name))
