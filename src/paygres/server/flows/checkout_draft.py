"""A checkout as it is asked for, before anything is stored or sent: its row, its hash, its Stripe parameters."""

import hashlib
import time
import uuid
from typing import Any

import orjson

from paygres.server.caller import Caller
from paygres.server.flows.requests.checkout_sessions import CheckoutRequest
from paygres.server.tables.checkout_sessions import Draft

GUEST_EXPIRY = 30 * 60 + 60  # seconds; Stripe's minimum is 30 minutes by its own clock


def draft_checkout(
    installation_id: str, caller: Caller, environment: str, account_id: str, request: CheckoutRequest
) -> Draft:
    """The row and the exact Stripe parameters of a new checkout, under a fresh row id."""
    row_id = uuid.uuid4()
    subject = (request.subject.type, request.subject.id) if request.subject else None
    metadata = {**(request.metadata or {}), "insforge_checkout_mode": request.mode}
    if subject:
        metadata["insforge_subject_type"], metadata["insforge_subject_id"] = subject
    line_items = [{"priceId": item.price_id, "quantity": item.quantity} for item in request.line_items]
    return Draft(
        id=row_id,
        environment=environment,
        account_id=account_id,
        mode=request.mode,
        subject=subject,
        customer_email=request.customer_email,
        line_items=line_items,
        success_url=request.success_url,
        cancel_url=request.cancel_url,
        idempotency_key=request.idempotency_key,
        request_hash=request_hash(environment, request, metadata),
        metadata=metadata,
        params=_params(installation_id, caller, request, metadata, row_id),
    )


def request_hash(environment: str, request: CheckoutRequest, metadata: dict[str, str]) -> str:
    """SHA-256 (hex) of the canonical request text of contract 3.3: keys sorted, no white space."""
    subject = {"id": request.subject.id, "type": request.subject.type} if request.subject else None
    canonical = {
        "cancelUrl": request.cancel_url,
        "customerEmail": request.customer_email,
        "environment": environment,
        "lineItems": [{"priceId": i.price_id, "quantity": i.quantity} for i in request.line_items],
        "metadata": metadata,
        "mode": request.mode,
        "subject": subject,
        "successUrl": request.success_url,
    }
    return hashlib.sha256(orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _params(
    installation_id: str,
    caller: Caller,
    request: CheckoutRequest,
    metadata: dict[str, str],
    row_id: uuid.UUID,
) -> dict[str, Any]:
    """Exactly what Stripe is sent (contract 3.4), plus our installation's stamp (decision 11).

    A mapped customer replaces the e-mail hint when the row is reserved.
    """
    stamped = {
        **metadata,
        "insforge_checkout_session_id": str(row_id),
        "insforge_installation_id": installation_id,
    }
    params: dict[str, Any] = {
        "mode": request.mode,
        "line_items": [{"price": i.price_id, "quantity": i.quantity} for i in request.line_items],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "metadata": stamped,
        "client_reference_id": str(row_id),
    }
    nested = "subscription_data" if request.mode == "subscription" else "payment_intent_data"
    params[nested] = {"metadata": stamped}
    if request.customer_email:
        params["customer_email"] = request.customer_email
    if request.mode == "payment" and request.subject:
        params["customer_creation"] = "always"
    if caller.role == "anon":
        params["expires_at"] = int(time.time()) + GUEST_EXPIRY
    return params
