"""`client.payments.stripe` for an event loop: every method of `payments.py`, awaited."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack, overload

from paygres.client import calls
from paygres.client.options import Options, Token
from paygres.client.payments import PaymentCheckout, SubscriptionCheckout
from paygres.client.result import Result, caught_later
from paygres.client.shapes import (
    CreateCheckoutSessionResponse,
    CreateCustomerPortalSessionResponse,
    Environment,
    GetCheckoutSessionResponse,
    GetSubjectResponse,
    LineItem,
    LineItemDict,
    Subject,
    SubjectDict,
)
from paygres.client.transport import AsyncTransport


class AsyncStripePayments:
    """What a buyer may do, awaited. Every method raises `PaygresError`; `with_result` has the same
    ones without raising."""

    def __init__(self, transport: AsyncTransport, options: Options, token: Token) -> None:
        self._transport = transport
        self._options = options
        self._token = token

    @overload
    async def create_checkout_session(
        self,
        environment: Environment,
        *,
        mode: Literal["payment"],
        line_items: Sequence[LineItem | LineItemDict],
        success_url: str,
        cancel_url: str,
        subject: Subject | SubjectDict | None = None,
        customer_email: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        access_token: str | None = None,
    ) -> CreateCheckoutSessionResponse: ...
    @overload
    async def create_checkout_session(
        self,
        environment: Environment,
        *,
        mode: Literal["subscription"],
        line_items: Sequence[LineItem | LineItemDict],
        success_url: str,
        cancel_url: str,
        subject: Subject | SubjectDict,
        customer_email: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        access_token: str | None = None,
    ) -> CreateCheckoutSessionResponse: ...
    async def create_checkout_session(
        self,
        environment: Environment,
        *,
        mode: Literal["payment", "subscription"],
        line_items: Sequence[LineItem | LineItemDict],
        success_url: str,
        cancel_url: str,
        subject: Subject | SubjectDict | None = None,
        customer_email: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        access_token: str | None = None,
    ) -> CreateCheckoutSessionResponse:
        """As `StripePayments.create_checkout_session`."""
        arguments = calls.checkout_arguments(
            mode,
            line_items,
            success_url,
            cancel_url,
            subject=subject,
            customer_email=customer_email,
            metadata=metadata,
            idempotency_key=idempotency_key,
        )
        return await self._transport.send(
            calls.create_checkout_session(environment, arguments), self._bearer(access_token)
        )

    async def create_customer_portal_session(
        self,
        environment: Environment,
        *,
        subject: Subject | SubjectDict,
        return_url: str | None = None,
        configuration: str | None = None,
        access_token: str | None = None,
    ) -> CreateCustomerPortalSessionResponse:
        """As `StripePayments.create_customer_portal_session`."""
        arguments = calls.given(subject=subject, return_url=return_url, configuration=configuration)
        return await self._transport.send(
            calls.create_customer_portal_session(environment, arguments), self._bearer(access_token)
        )

    async def get_checkout_session(
        self, environment: Environment, id: str, *, wait: float | None = None, access_token: str | None = None
    ) -> GetCheckoutSessionResponse:
        """As `StripePayments.get_checkout_session`."""
        return await self._transport.send(calls.get_checkout_session(environment, id, wait), self._bearer(access_token))

    async def get_subject(
        self, environment: Environment, *, subject: Subject | SubjectDict, access_token: str | None = None
    ) -> GetSubjectResponse:
        """As `StripePayments.get_subject`."""
        return await self._transport.send(calls.get_subject(environment, subject), self._bearer(access_token))

    @property
    def with_result(self) -> "AsyncStripePaymentsResult":
        """As `StripePayments.with_result`, awaited."""
        return AsyncStripePaymentsResult(self)

    def _bearer(self, access_token: str | None) -> str | None:
        return self._options.bearer(access_token if access_token is not None else self._token)


class AsyncStripePaymentsResult:
    """`AsyncStripePayments` with errors as values."""

    def __init__(self, payments: AsyncStripePayments) -> None:
        self._payments = payments

    @overload
    async def create_checkout_session(
        self, environment: Environment, **arguments: Unpack[PaymentCheckout]
    ) -> Result[CreateCheckoutSessionResponse]: ...
    @overload
    async def create_checkout_session(
        self, environment: Environment, **arguments: Unpack[SubscriptionCheckout]
    ) -> Result[CreateCheckoutSessionResponse]: ...
    async def create_checkout_session(
        self, environment: Environment, **arguments: Any
    ) -> Result[CreateCheckoutSessionResponse]:
        """As `StripePayments.create_checkout_session`."""
        return await caught_later(lambda: self._payments.create_checkout_session(environment, **arguments))

    async def create_customer_portal_session(
        self,
        environment: Environment,
        *,
        subject: Subject | SubjectDict,
        return_url: str | None = None,
        configuration: str | None = None,
        access_token: str | None = None,
    ) -> Result[CreateCustomerPortalSessionResponse]:
        """As `StripePayments.create_customer_portal_session`."""
        return await caught_later(
            lambda: self._payments.create_customer_portal_session(
                environment,
                subject=subject,
                return_url=return_url,
                configuration=configuration,
                access_token=access_token,
            )
        )

    async def get_checkout_session(
        self, environment: Environment, id: str, *, wait: float | None = None, access_token: str | None = None
    ) -> Result[GetCheckoutSessionResponse]:
        """As `StripePayments.get_checkout_session`."""
        return await caught_later(
            lambda: self._payments.get_checkout_session(environment, id, wait=wait, access_token=access_token)
        )

    async def get_subject(
        self, environment: Environment, *, subject: Subject | SubjectDict, access_token: str | None = None
    ) -> Result[GetSubjectResponse]:
        """As `StripePayments.get_subject`."""
        return await caught_later(
            lambda: self._payments.get_subject(environment, subject=subject, access_token=access_token)
        )
