"""Customers as they are answered (contract 1.6, 7.3); amounts in minor units, times ISO-8601 UTC."""

from typing import Literal

from typing_extensions import TypedDict

from paygres.server.http.shapes.environment import Environment


class Customer(TypedDict):
    """`totalSpend` is what stayed after refunds; null when there is nothing, or more than one currency."""

    environment: Environment
    provider: Literal["stripe"]
    providerCustomerId: str
    email: str | None
    name: str | None
    phone: str | None
    deleted: bool
    metadata: dict[str, str]
    providerCreatedAt: str | None
    syncedAt: str
    paymentsCount: int
    lastPaymentAt: str | None
    totalSpend: int | None
    totalSpendCurrency: str | None
    paymentMethodBrand: str | None
    paymentMethodLast4: str | None
    countryCode: str | None


class CustomersAnswer(TypedDict):
    customers: list[Customer]


class ListedCustomer(Customer):
    """The subject that pays as this customer, when one does."""

    subjectType: str | None
    subjectId: str | None


class CustomersPage(TypedDict):
    """`nextCursor` is null on the last page."""

    customers: list[ListedCustomer]
    nextCursor: str | None
