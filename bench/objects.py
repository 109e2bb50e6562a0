"""Stripe objects at their real size (1 to 4 kB): the fields a live account sends beyond those anyone reads.

All values are invented. `full` puts a test history's object over them.
"""

from typing import Any

Object = dict[str, Any]

ADDRESS: Object = {
    "city": "Springfield", "country": "US", "line1": "12 Example Street", "line2": None,
    "postal_code": "12345", "state": "OR",
}
CARD_CHECKS: Object = {"address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": "pass"}
CARD: Object = {
    "amount_authorized": 2500, "authorization_code": "123456", "brand": "visa", "checks": CARD_CHECKS,
    "country": "US", "exp_month": 12, "exp_year": 2034, "extended_authorization": {"status": "disabled"},
    "fingerprint": "Xt5EWLLDS7FJjR1c", "funding": "credit", "incremental_authorization": {"status": "unavailable"},
    "installments": None, "last4": "4242", "mandate": None, "multicapture": {"status": "unavailable"},
    "network": "visa", "network_token": {"used": False}, "network_transaction_id": "104102978678771",
    "overcapture": {"maximum_amount_capturable": 2500, "status": "unavailable"},
    "regulated_status": "unregulated", "three_d_secure": None, "wallet": None,
}
CARD_OPTIONS: Object = {
    "card": {
        "installments": None, "mandate_options": None, "network": None,
        "request_three_d_secure": "automatic", "setup_future_usage": None, "statement_descriptor_suffix": None,
    },
    "link": {"persistent_token": None, "setup_future_usage": None},
}
CUSTOM_TEXT = {"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None}

FIELDS: dict[str, Object] = {
    "checkout.session": {
        "adaptive_pricing": {"enabled": True}, "after_expiration": None, "allow_promotion_codes": False,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": "auto", "branding_settings": {
            "background_color": "#ffffff", "border_style": "rounded", "button_color": "#0074d4",
            "display_name": "Example Shop", "font_family": "default", "icon": None, "logo": None,
        },
        "cancel_url": "https://shop.example.com/cart", "client_secret": None,
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "consent": None, "consent_collection": {
            "payment_method_reuse_agreement": None, "promotions": "none", "terms_of_service": "none",
        },
        "currency_conversion": None, "custom_fields": [], "custom_text": CUSTOM_TEXT,
        "customer_account": None, "customer_creation": "if_required", "discounts": [],
        "invoice_creation": {"enabled": False, "invoice_data": {
            "account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None,
            "metadata": {}, "rendering_options": None,
        }},
        "locale": "auto", "managed_payments": {"enabled": False}, "name_collection": {}, "origin_context": None,
        "payment_link": None, "payment_method_collection": "if_required",
        "payment_method_configuration_details": {"id": "pmc_1Example0000000000000000", "parent": None},
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "link", "klarna", "cashapp", "amazon_pay"], "permissions": None,
        "phone_number_collection": {"enabled": False}, "recovered_from": None, "saved_payment_method_options": {
            "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled", "payment_method_save": None,
        },
        "setup_intent": None, "shipping_address_collection": None, "shipping_cost": None, "shipping_options": [],
        "submit_type": None, "success_url": "https://shop.example.com/thanks?session_id={CHECKOUT_SESSION_ID}",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}, "ui_mode": "hosted_page",
        "wallet_options": None,
    },
    "payment_intent": {
        "amount_capturable": 0, "amount_details": {"shipping": {"amount": 0}, "tip": {}}, "application": None,
        "application_fee_amount": None, "automatic_payment_methods": None, "canceled_at": None,
        "cancellation_reason": None, "capture_method": "automatic_async",
        "client_secret": "pi_Example00000000000000000_secret_Example00000000000000000",
        "confirmation_method": "automatic", "customer_account": None, "excluded_payment_method_types": None,
        "hooks": {}, "next_action": None, "on_behalf_of": None, "payment_details": {
            "customer_reference": None, "order_reference": "order-0000000001",
        },
        "payment_method": "pm_1Example0000000000000000",
        "payment_method_configuration_details": {"id": "pmc_1Example0000000000000000", "parent": None},
        "payment_method_options": CARD_OPTIONS,
        "payment_method_types": ["card", "link", "klarna", "cashapp", "amazon_pay"],
        "presentment_details": None, "processing": None, "review": None, "setup_future_usage": None,
        "shipping": {"address": ADDRESS, "carrier": None, "name": "Ada Example", "phone": None,
                     "tracking_number": None},
        "source": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "transfer_data": None, "transfer_group": None,
    },
    "charge": {
        "application": None, "application_fee": None, "application_fee_amount": None,
        "calculated_statement_descriptor": "EXAMPLE SHOP", "description": None, "destination": None,
        "dispute": None, "failure_balance_transaction": None, "failure_code": None, "failure_message": None,
        "fraud_details": {}, "on_behalf_of": None, "order": None, "outcome": {
            "advice_code": None, "network_advice_code": None, "network_decline_code": None,
            "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 21,
            "seller_message": "Payment complete.", "type": "authorized",
        },
        "payment_method": "pm_1Example0000000000000000",
        "payment_method_details": {"card": CARD, "type": "card"}, "presentment_details": None,
        "radar_options": {}, "receipt_email": None, "receipt_number": None,
        "receipt_url": "https://pay.example.com/receipts/payment/" + "CAcaFwoVYWNjdF8xRXhhbXBsZTAwMDAwMDAwMDAw" * 3,
        "review": None, "shipping": {"address": ADDRESS, "carrier": None, "name": "Ada Example", "phone": None,
                                     "tracking_number": None},
        "source": None, "source_transfer": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "transfer_data": None, "transfer_group": None,
    },
    "customer": {
        "address": ADDRESS, "balance": 0, "currency": None, "customer_account": None, "default_source": None,
        "delinquent": False, "description": None, "discount": None, "invoice_prefix": "0A1B2C3D",
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None,
                             "rendering_options": None},
        "next_invoice_sequence": 1, "preferred_locales": ["en-US"],
        "shipping": {"address": ADDRESS, "name": "Ada Example", "phone": None}, "tax_exempt": "none",
        "test_clock": None,
    },
}


def full(raw: Object) -> Object:
    """`raw` with every field a real object of its kind has."""
    return {**FIELDS.get(raw["object"], {}), **raw}
