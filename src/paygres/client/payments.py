"""`client.payments.stripe`: checkouts and portals for a signed-in user or a guest."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, Unpack, overload

from paygres.client import calls
from paygres.client.options import Options, Token
from paygres.client.result import Result, caught
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
from paygres.client.transport import Transport


class _Checkout(TypedDict):
    line_items: Sequence[LineItem | LineItemDict]
    success_url: str
    cancel_url: str
    customer_email: NotRequired[str | None]
    metadata: NotRequired[Mapping[str, str] | None]
    idempotency_key: NotRequired[str | None]
    access_token: NotRequired[str | None]


class PaymentCheckout(_Checkout):
    """The arguments of a one-time checkout."""

    mode: Literal["payment"]
    subject: NotRequired[Subject | SubjectDict | None]


class SubscriptionCheckout(_Checkout):
    """The arguments of a subscription checkout."""

    mode: Literal["subscription"]
    subject: Subject | SubjectDict


class StripePayments:
    """What a buyer may do. Every method raises `PaygresError`; `with_result` has the same ones without raising."""

    def __init__(self, transport: Transport, options: Options, token: Token) -> None:
        self._transport = transport
        self._options = options
        self._token = token

    @overload
    def create_checkout_session(
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
    def create_checkout_session(
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
    def create_checkout_session(
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
        """Make a checkout and answer it; send the buyer to `.checkout_session.url`.

        `success_url` may contain `{CHECKOUT_SESSION_ID}`. With an `idempotency_key` (such as `order:17`, 200 characters
        at most) the same call gives the same open checkout, and is sent again after a network failure; without one it
        never is. Raises ValidationError before anything is sent, PermissionDeniedError when a policy refuses the
        subject, ConflictError when the key was used for another request.
        """
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
        return self._transport.send(calls.create_checkout_session(environment, arguments), self._bearer(access_token))

    def create_customer_portal_session(
        self,
        environment: Environment,
        *,
        subject: Subject | SubjectDict,
        return_url: str | None = None,
        configuration: str | None = None,
        access_token: str | None = None,
    ) -> CreateCustomerPortalSessionResponse:
        """Open Stripe's customer portal; send the user to `.customer_portal_session.url`, which works for minutes.

        Raises NotFoundError when the subject has not paid yet. Never sent again by itself.
        """
        arguments = calls.given(subject=subject, return_url=return_url, configuration=configuration)
        return self._transport.send(
            calls.create_customer_portal_session(environment, arguments), self._bearer(access_token)
        )

    def get_checkout_session(
        self, environment: Environment, id: str, *, wait: float | None = None, access_token: str | None = None
    ) -> GetCheckoutSessionResponse:
        """Read a checkout by its `id` or `cs_…` id. For display after the return, never as proof of payment.

        `wait`: up to 30 seconds, until it is paid and fulfilled (`settled`): buyers are often back before the webhook.
        """
        return self._transport.send(calls.get_checkout_session(environment, id, wait), self._bearer(access_token))

    def get_subject(
        self, environment: Environment, *, subject: Subject | SubjectDict, access_token: str | None = None
    ) -> GetSubjectResponse:
        """What a subject pays for, what it has access to, and until when; for those who may see its billing."""
        return self._transport.send(calls.get_subject(environment, subject), self._bearer(access_token))

    @property
    def with_result(self) -> "StripePaymentsResult":
        """The same methods, answering `Result(data, error)`: `data, error = …with_result.get_subject(…)`."""
        return StripePaymentsResult(self)

    def _bearer(self, access_token: str | None) -> str | None:
        return self._options.bearer(access_token if access_token is not None else self._token)


class StripePaymentsResult:
    """`StripePayments` with errors as values."""

    def __init__(self, payments: StripePayments) -> None:
        self._payments = payments

    @overload
    def create_checkout_session(
        self, environment: Environment, **arguments: Unpack[PaymentCheckout]
    ) -> Result[CreateCheckoutSessionResponse]: ...
    @overload
    def create_checkout_session(
        self, environment: Environment, **arguments: Unpack[SubscriptionCheckout]
    ) -> Result[CreateCheckoutSessionResponse]: ...
    def create_checkout_session(
        self, environment: Environment, **arguments: Any
    ) -> Result[CreateCheckoutSessionResponse]:
        """As `StripePayments.create_checkout_session`."""
        return caught(lambda: self._payments.create_checkout_session(environment, **arguments))

    def create_customer_portal_session(
        self,
        environment: Environment,
        *,
        subject: Subject | SubjectDict,
        return_url: str | None = None,
        configuration: str | None = None,
        access_token: str | None = None,
    ) -> Result[CreateCustomerPortalSessionResponse]:
        """As `StripePayments.create_customer_portal_session`."""
        return caught(
            lambda: self._payments.create_customer_portal_session(
                environment,
                subject=subject,
                return_url=return_url,
                configuration=configuration,
                access_token=access_token,
            )
        )

    def get_checkout_session(
        self, environment: Environment, id: str, *, wait: float | None = None, access_token: str | None = None
    ) -> Result[GetCheckoutSessionResponse]:
        """As `StripePayments.get_checkout_session`."""
        return caught(
            lambda: self._payments.get_checkout_session(environment, id, wait=wait, access_token=access_token)
        )

    def get_subject(
        self, environment: Environment, *, subject: Subject | SubjectDict, access_token: str | None = None
    ) -> Result[GetSubjectResponse]:
        """As `StripePayments.get_subject`."""
        return caught(lambda: self._payments.get_subject(environment, subject=subject, access_token=access_token))
