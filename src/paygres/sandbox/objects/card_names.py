"""The names that Stripe gives its test cards: `tok_visa` where a token is taken, `pm_card_visa` where a payment method
is."""

# By number, what follows `tok_` and `pm_card_` alike.
NAMES: dict[str, tuple[str, ...]] = {
    "4242424242424242": ("visa", "us"),
    "4000056655665556": ("visa_debit",),
    "5555555555554444": ("mastercard",),
    "5200828282828210": ("mastercard_debit",),
    "5105105105105100": ("mastercard_prepaid",),
    "378282246310005": ("amex", "amex_threeDSecureNotSupported"),
    "6011111111111117": ("discover",),
    "3056930009020004": ("diners",),
    "3566002020360505": ("jcb",),
    "6200000000000005": ("unionpay",),
    "4000000000000077": ("bypassPending",),
    "4000000000000259": ("createDispute", "visa_createDispute"),
    "4000000000002685": ("createDisputeProductNotReceived",),
    "4000000000001976": ("createDisputeInquiry",),
    "4000000000007726": ("pendingRefund",),
    "4000000000005126": ("refundFail",),
    "4000000000009235": ("riskLevelElevated",),
    "4000000000000101": ("cvcCheckFail",),
    "4000000000000036": ("avsZipFail",),
    "4000000000003055": ("threeDSecureOptional",),
    "4000000000000002": ("chargeDeclined", "visa_chargeDeclined"),
    "4000000000009995": ("chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"),
    "4000000000009987": ("chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"),
    "4000000000009979": ("chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"),
    "4000000000000069": ("chargeDeclinedExpiredCard",),
    "4000000000000127": ("chargeDeclinedIncorrectCvc",),
    "4000000000000119": ("chargeDeclinedProcessingError",),
    "4000000000006975": ("chargeDeclinedVelocityLimitExceeded", "visa_chargeDeclinedVelocityLimitExceeded"),
    "4100000000000019": ("chargeDeclinedFraudulent", "radarBlock"),
    "4000000000004954": ("riskLevelHighest",),
    "4000000000000341": ("chargeCustomerFail",),
    "4000002500003155": ("authenticationRequired", "authenticationRequiredOnSetup"),
    "4000003800000446": ("authenticationRequiredSetupForOffSession",),
    "4000002760003184": ("threeDSecureRequired",),
    "4000000000003220": ("threeDSecure2Required",),
    "4000008400001629": ("threeDSecureRequiredChargeDeclined",),
    "4000008260003178": ("authenticationRequiredChargeDeclinedInsufficientFunds",),
}

NUMBERS = {
    prefix + name: number for number, names in NAMES.items() for name in names for prefix in ("tok_", "pm_card_")
}
