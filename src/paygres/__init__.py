"""Paygres: Stripe checkout, subscriptions and exactly-once fulfillment on your own PostgreSQL."""

__version__ = "0.1.0"
