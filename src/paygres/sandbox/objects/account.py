"""The account behind a key. It exists as soon as its key is used."""

from typing import Any

from paygres.sandbox.objects.routes import Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work


def ensure(work: Work) -> Object:
    """The account's object, made on first sight."""
    found = work.get(work.account)
    return found or work.add(
        {
            "id": work.account,
            "object": "account",
            "business_profile": {
                "name": "Paygres Sandbox",
                "support_email": "support@example.com",
                "url": "https://shop.example.com",
            },
            "business_type": "company",
            "capabilities": {"card_payments": "active", "transfers": "active"},
            "charges_enabled": True,
            "controller": {"type": "account"},
            "country": "US",
            "created": work.now,
            "default_currency": "usd",
            "details_submitted": True,
            "email": "owner@example.com",
            "external_accounts": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/accounts/{work.account}/external_accounts",
            },
            "future_requirements": _requirements(),
            "metadata": {},
            "payouts_enabled": True,
            "requirements": _requirements(),
            "settings": {
                "bacs_debit_payments": {},
                "branding": {},
                "card_issuing": {"tos_acceptance": {}},
                "card_payments": {"decline_on": {"avs_failure": False, "cvc_failure": False}},
                "dashboard": {"display_name": "Paygres Sandbox", "timezone": "Etc/UTC"},
                "invoices": {"default_account_tax_ids": None},
                "payments": {"statement_descriptor": "PAYGRES SANDBOX"},
                "payouts": {
                    "debit_negative_balances": True,
                    "schedule": {"delay_days": 2, "interval": "daily"},
                },
                "sepa_debit_payments": {},
            },
            "tos_acceptance": {},
            "type": "standard",
        }
    )


def retrieve(work: Work, params: dict[str, Any]) -> Object:
    return ensure(work)


def retrieve_by_id(work: Work, params: dict[str, Any], id: str) -> Object:
    if id != work.account:
        raise Refusal(
            f"The provided key does not have access to account '{id}' (or that account does not exist). "
            f"Application access may have been revoked.",
            status=403,
            code="account_invalid",
        )
    return ensure(work)


def _requirements() -> Object:
    return {
        "alternatives": [],
        "currently_due": [],
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }


ROUTES: Routes = {
    "GET /v1/account": retrieve,
    "GET /v1/accounts/{account}": retrieve_by_id,
}
