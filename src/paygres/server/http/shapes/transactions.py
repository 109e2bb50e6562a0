"""Payments and refunds as they are answered (contract 1.6); amounts in minor units, times ISO-8601 UTC."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class Transaction(TypedDict):
    """`providerReferenceId` is Stripe's id of the payment intent, invoice, session, charge or refund."""

    environment: Environment
    provider: Literal["stripe"]
    type: Literal["one_time_payment", "subscription_invoice", "refund", "failed_payment"]
    status: Literal["succeeded", "failed", "pending", "refunded", "partially_refunded"]
    subjectType: str | None
    subjectId: str | None
    providerCustomerId: str | None
    customerEmailSnapshot: str | None
    providerReferenceId: str | None
    providerReferenceType: str | None
    amount: int | None
    amountRefunded: int
    currency: str | None
    description: str | None
    paidAt: str | None
    failedAt: str | None
    refundedAt: str | None
    providerCreatedAt: str | None
    createdAt: str
    updatedAt: str


class TransactionsAnswer(TypedDict):
    transactions: list[Transaction]


class ListedTransaction(Transaction):
    """`amountDisputed` is open or lost, `amountLost` lost for good. `relatedObjectIds`: by kind, such as `charge`."""

    amountDisputed: int
    amountLost: int
    parentReferenceId: str | None
    parentReferenceType: str | None
    relatedObjectIds: dict[str, str]


class TransactionsPage(TypedDict):
    """`nextCursor` is null on the last page."""

    transactions: list[ListedTransaction]
    nextCursor: str | None
