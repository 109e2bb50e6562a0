"""What was bought, by whom, and what operators change about it at Stripe."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from paygres.client.admin.desk import Desk, Moment, Pages, span
from paygres.client.admin.operating_shapes import (
    ChangedSubscription,
    ChangedSubscriptionAnswer,
    Preview,
    PreviewAnswer,
    Refund,
    RefundAnswer,
)
from paygres.client.admin.payments_shapes import (
    CheckoutSessionsAnswer,
    Customer,
    CustomersAnswer,
    CustomersPage,
    ListedCheckoutSession,
    ListedCustomer,
    ListedSubscription,
    ListedTransaction,
    Subscription,
    SubscriptionsAnswer,
    SubscriptionsPage,
    Transaction,
    TransactionsAnswer,
    TransactionsPage,
)
from paygres.client.calls import extension, runtime, segment
from paygres.client.shapes import CheckoutSession, CreateCheckoutSessionResponse, Environment

Proration = Literal["create_prorations", "always_invoice", "none"]


class ChangeItemDict(TypedDict, total=False):
    """A price of a changed subscription: `{"price_id": "price_1Example", "quantity": 2}`."""

    price_id: str
    quantity: int


class CheckoutSessionsDesk:
    """`admin.checkout_sessions`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def list(
        self,
        environment: Environment,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str | None = None,
        **filters: Any,
    ) -> Pages[ListedCheckoutSession]:
        """All that fit; read page by page. Filters: `status`, `mode`, `customer_id`, `subject_type` with `subject_id`,
        `limit` (the size of a page, 100 at most)."""
        asked = _asked(since, until, sort, filters)
        return self._desk.listed(environment, "checkout-sessions", CheckoutSessionsAnswer, "checkout_sessions", asked)

    def csv(self, environment: Environment, **filters: Any) -> str:
        """The same as CSV, all of it."""
        return _csv(self._desk, environment, "checkout-sessions", filters)

    def expire(self, environment: Environment, id: str) -> CheckoutSession:
        """End an open checkout at Stripe."""
        path = f"{extension(environment)}/checkout-sessions/{segment('id', id)}/expire"
        return self._desk.send("POST", path, CreateCheckoutSessionResponse, again=True).checkout_session


class Transactions:
    """`admin.transactions`: one row a payment, one a refund."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def newest(
        self,
        environment: Environment,
        *,
        limit: int = 50,
        subject_type: str | None = None,
        subject_id: str | None = None,
    ) -> list[Transaction]:
        """The newest, 100 at most: the list that the published command line reads."""
        query = {"limit": limit, "subject_type": subject_type, "subject_id": subject_id}
        path = f"{runtime(environment)}/transactions"
        return self._desk.send("GET", path, TransactionsAnswer, query=query).transactions

    def list(
        self,
        environment: Environment,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str | None = None,
        **filters: Any,
    ) -> Pages[ListedTransaction]:
        """All that fit; read page by page. Filters: `status`, `type`, `customer_id`, `currency`, `q` (an id or an
        e-mail address), `subject_type` with `subject_id`, `limit` (the size of a page, 100 at most)."""
        asked = _asked(since, until, sort, filters)
        return self._desk.listed(environment, "transactions", TransactionsPage, "transactions", asked)

    def csv(self, environment: Environment, **filters: Any) -> str:
        """The same as CSV, all of it."""
        return _csv(self._desk, environment, "transactions", filters)

    def refund(
        self,
        environment: Environment,
        id: str,
        *,
        amount: int | None = None,
        reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> Refund:
        """Give back `amount` minor units of a payment (its `pi_…`, `in_…`, `ch_…` or `cs_…` id), or what is left."""
        body = {"amount": amount, "reason": reason, "note": note, "idempotency_key": idempotency_key}
        path = f"{extension(environment)}/payments/{segment('id', id)}/refunds"
        return self._desk.send("POST", path, RefundAnswer, body=body, again=bool(idempotency_key)).refund


class Subscriptions:
    """`admin.subscriptions`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def newest(
        self,
        environment: Environment,
        *,
        limit: int = 50,
        subject_type: str | None = None,
        subject_id: str | None = None,
    ) -> list[Subscription]:
        """Those changed last, 100 at most: the list that the published command line reads."""
        query = {"limit": limit, "subject_type": subject_type, "subject_id": subject_id}
        path = f"{runtime(environment)}/subscriptions"
        return self._desk.send("GET", path, SubscriptionsAnswer, query=query).subscriptions

    def list(
        self,
        environment: Environment,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str | None = None,
        **filters: Any,
    ) -> Pages[ListedSubscription]:
        """All that fit; read page by page. Filters: `status`, `customer_id`, `price_id`, `subject_type` with
        `subject_id`, `limit` (the size of a page, 100 at most)."""
        asked = _asked(since, until, sort, filters)
        return self._desk.listed(environment, "subscriptions", SubscriptionsPage, "subscriptions", asked)

    def csv(self, environment: Environment, **filters: Any) -> str:
        """The same as CSV, all of it."""
        return _csv(self._desk, environment, "subscriptions", filters)

    def cancel(
        self,
        environment: Environment,
        id: str,
        *,
        when: Literal["period_end", "now"] = "period_end",
        prorate: bool = False,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedSubscription:
        """End it with its paid period, or now, with a credit for the rest when `prorate`."""
        return self._act(
            environment, id, "cancel", when=when, prorate=prorate, note=note, idempotency_key=idempotency_key
        )

    def resume(
        self, environment: Environment, id: str, *, note: str | None = None, idempotency_key: str | None = None
    ) -> ChangedSubscription:
        """Undo a cancellation to come, or go on after a pause."""
        return self._act(environment, id, "resume", note=note, idempotency_key=idempotency_key)

    def change(
        self,
        environment: Environment,
        id: str,
        *,
        items: Sequence[ChangeItemDict],
        proration: Proration | None = None,
        proration_date: int | None = None,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedSubscription:
        """Other prices or quantities: `items` are all it has afterwards. `proration_date` (Unix seconds) of a preview
        makes it cost the same."""
        return self._act(
            environment,
            id,
            "change",
            items=[_item(one) for one in items],
            proration=proration,
            proration_date=proration_date,
            note=note,
            idempotency_key=idempotency_key,
        )

    def preview(
        self,
        environment: Environment,
        id: str,
        *,
        items: Sequence[ChangeItemDict],
        proration: Proration | None = None,
        proration_date: int | None = None,
    ) -> Preview:
        """What such a change would cost; changes nothing."""
        body = {"items": [_item(one) for one in items], "proration": proration, "proration_date": proration_date}
        path = f"{extension(environment)}/subscriptions/{segment('id', id)}/preview"
        return self._desk.send("POST", path, PreviewAnswer, body=body, again=True).preview

    def _act(self, environment: Environment, id: str, act: str, **body: Any) -> ChangedSubscription:
        path = f"{extension(environment)}/subscriptions/{segment('id', id)}/{act}"
        again = bool(body["idempotency_key"])
        return self._desk.send("POST", path, ChangedSubscriptionAnswer, body=body, again=again).subscription


class Customers:
    """`admin.customers`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def first(self, environment: Environment, *, limit: int = 50) -> list[Customer]:
        """The first by name, 100 at most: the list that the published command line reads."""
        path = f"{runtime(environment)}/customers"
        return self._desk.send("GET", path, CustomersAnswer, query={"limit": limit}).customers

    def list(
        self,
        environment: Environment,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str | None = None,
        **filters: Any,
    ) -> Pages[ListedCustomer]:
        """All that fit; read page by page. Filters: `email` (or how it begins), `deleted`, `limit` (the size of a
        page, 100 at most)."""
        asked = _asked(since, until, sort, filters)
        return self._desk.listed(environment, "customers", CustomersPage, "customers", asked)

    def csv(self, environment: Environment, **filters: Any) -> str:
        """The same as CSV, all of it."""
        return _csv(self._desk, environment, "customers", filters)


def _asked(since: Moment | None, until: Moment | None, sort: str | None, filters: dict[str, Any]) -> dict[str, Any]:
    return {**filters, **span(since, until), "sort": sort}


def _csv(desk: Desk, environment: Environment, noun: str, filters: dict[str, Any]) -> str:
    since, until, sort = (filters.pop(name, None) for name in ("since", "until", "sort"))
    return desk.text(f"{extension(environment)}/{noun}", {**_asked(since, until, sort, filters), "format": "csv"})


def _item(item: ChangeItemDict) -> dict[str, Any]:
    return {{"price_id": "priceId"}.get(name, name): value for name, value in item.items()}
