"""Identifiers that look like Stripe's: same prefixes, alphabets and lengths, random otherwise."""

import hashlib
import random
import secrets
import time

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
GROWING = "".join(sorted(ALPHABET))
TIME_LETTERS = 7

# What stands before the random part, and how long that is.
FORMS: dict[str, tuple[str, int]] = {
    "balance_transaction": ("txn_3", 23),
    "billing_portal.configuration": ("bpc_1", 23),
    "billing_portal.session": ("bps_1", 23),
    "charge": ("ch_3", 23),
    "checkout.session": ("cs_test_a1", 56),
    "customer": ("cus_", 14),
    "customer_balance_transaction": ("cbtxn_1", 23),
    "discount": ("di_1", 23),
    "dispute": ("du_1", 23),
    "event": ("evt_1", 23),
    "invoice": ("in_1", 23),
    "invoice_payment": ("inpay_1", 23),
    "invoiceitem": ("ii_1", 23),
    "item": ("li_1", 23),
    "line_item": ("il_1", 23),
    "mandate": ("mandate_1", 23),
    "payment": ("py_3", 23),
    "payment_intent": ("pi_3", 23),
    "payment_method": ("pm_1", 23),
    "payout": ("po_1", 23),
    "price": ("price_1", 23),
    "product": ("prod_", 14),
    "promotion_code": ("promo_1", 23),
    "refund": ("re_3", 23),
    "request": ("req_", 14),
    "setup_attempt": ("setatt_1", 23),
    "setup_intent": ("seti_1", 23),
    "subscription": ("sub_1", 23),
    "subscription_item": ("si_", 14),
    "test_helpers.test_clock": ("clock_1", 23),
    "webhook_endpoint": ("we_1", 23),
    "webhook_secret": ("whsec_", 32),
}

_random = random.Random(secrets.randbits(128))


def new(kind: str) -> str:
    """A fresh id. Its first letters grow with time, as Stripe's do, which keeps the index of ids compact."""
    prefix, length = FORMS[kind]
    moment = time.time_ns() // 1_000_000
    grown = ""
    for _ in range(TIME_LETTERS):
        moment, place = divmod(moment, 62)
        grown = GROWING[place] + grown
    return prefix + grown + letters(length - TIME_LETTERS)


def letters(length: int) -> str:
    return "".join(_random.choices(ALPHABET, k=length))


def secret_letters(length: int, seed: str | None = None) -> str:
    """Letters for a key: unguessable, or always the same ones for the same seed."""
    digest = secrets.token_bytes(length) if seed is None else hashlib.shake_256(seed.encode()).digest(length)
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest)
