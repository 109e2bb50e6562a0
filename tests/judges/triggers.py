"""Every event that `stripe trigger` 1.52.0 offers: reproduced by the sandbox, or left out and why. docs/sandbox.md has
the same table."""

# Fixtures older than the API version we pin, completed with the CLI's own options. What the fixtures still send was
# removed from the API: Stripe, too, refuses it in this version.
OPTIONS: dict[str, list[str]] = {
    name: [
        "--remove=promotion_code:coupon",
        "--add=promotion_code:promotion[type]=coupon",
        "--add=promotion_code:promotion[coupon]=${coupon:id}",
    ]
    for name in ("promotion_code.created", "promotion_code.updated")
}

# Triggers that are not named after an event, and the event that they are for.
MEANT = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
}

REPRODUCED = (
    "billing_portal.configuration.created",
    "billing_portal.configuration.updated",
    "billing_portal.session.created",
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "coupon.created",
    "coupon.deleted",
    "coupon.updated",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.sent",
    "invoice.updated",
    "invoice.voided",
    "invoiceitem.created",
    "invoiceitem.deleted",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "payout.created",
    "payout.updated",
    "price.created",
    "price.updated",
    "product.created",
    "product.deleted",
    "product.updated",
    "promotion_code.created",
    "promotion_code.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "subscription.payment_failed",
    "subscription.payment_succeeded",
    "test_helpers.test_clock.advancing",
    "test_helpers.test_clock.created",
    "test_helpers.test_clock.deleted",
    "test_helpers.test_clock.ready",
)

_CONNECT = "Connect is not simulated"
_ISSUING = "Issuing is not simulated"
_IDENTITY = "Identity is not simulated"
_CASH = "bank transfers and cash balances are not simulated"
_TRANSFER = f"the fixture asks for a transfer of type `jp_bank_account`, which the published API does not have; {_CASH}"
_DISCOUNT = "the fixture sends `coupon` for a customer, which this API version no longer has; nothing takes its place"
_SOURCE = "sources are the forerunner of payment methods; the endpoints are not simulated"
_SCHEDULE = "subscription schedules are not simulated"
_PLAN = "plans are the forerunner of prices; the endpoints are not simulated"
_QUOTE = "quotes are not simulated"
_CREDIT = "credit notes are not simulated"
_LINK = "payment links are not simulated"
_TAX = "taxes are not simulated"
_BALANCE = "the account's own balance is not kept"
_METER = "usage meters, and thin events with them, are not simulated"
LEFT_OUT = {
    "account.application.deauthorized": _CONNECT,
    "account.updated": _CONNECT,
    "balance.available": _BALANCE,
    "cash_balance.funds_available": _CASH,
    "credit_note.created": _CREDIT,
    "credit_note.updated": _CREDIT,
    "credit_note.voided": _CREDIT,
    "customer.discount.created": _DISCOUNT,
    "customer.discount.deleted": _DISCOUNT,
    "customer.discount.updated": _DISCOUNT,
    "customer.source.created": _SOURCE,
    "customer.source.updated": _SOURCE,
    "customer_cash_balance_transaction.created": _CASH,
    "identity.verification_session.canceled": _IDENTITY,
    "identity.verification_session.created": _IDENTITY,
    "identity.verification_session.redacted": _IDENTITY,
    "issuing_authorization.request": _ISSUING,
    "issuing_authorization.request.eu": _ISSUING,
    "issuing_authorization.request.gb": _ISSUING,
    "issuing_card.created": _ISSUING,
    "issuing_card.created.eu": _ISSUING,
    "issuing_card.created.gb": _ISSUING,
    "issuing_cardholder.created": _ISSUING,
    "issuing_cardholder.created.eu": _ISSUING,
    "issuing_cardholder.created.gb": _ISSUING,
    "issuing_transaction.created": _ISSUING,
    "issuing_transaction.purchase_details_receipt_updated": _ISSUING,
    "issuing_transaction.updated": _ISSUING,
    "payment_intent.partially_funded": _TRANSFER,
    "payment_link.created": _LINK,
    "payment_link.updated": _LINK,
    "plan.created": _PLAN,
    "plan.deleted": _PLAN,
    "plan.updated": _PLAN,
    "quote.accepted": _QUOTE,
    "quote.canceled": _QUOTE,
    "quote.created": _QUOTE,
    "quote.finalized": _QUOTE,
    "reporting.report_run.succeeded": "reports are not simulated",
    "subscription_schedule.aborted": _SCHEDULE,
    "subscription_schedule.canceled": _SCHEDULE,
    "subscription_schedule.completed": _SCHEDULE,
    "subscription_schedule.created": _SCHEDULE,
    "subscription_schedule.expiring": _SCHEDULE,
    "subscription_schedule.released": _SCHEDULE,
    "subscription_schedule.updated": _SCHEDULE,
    "tax_rate.created": _TAX,
    "tax_rate.updated": _TAX,
    "topup.created": _BALANCE,
    "transfer.created": _CONNECT,
    "transfer.reversed": _CONNECT,
    "transfer.updated": _CONNECT,
    "v1.billing.meter.error_report_triggered": _METER,
    "v1.billing.meter.no_meter_found": _METER,
}
