"""Paygres in a Django project: `request.payments`, system checks, and signals for what the server tells."""

from paygres.contrib.django.middleware import PaymentsMiddleware

__all__ = ["PaymentsMiddleware"]
