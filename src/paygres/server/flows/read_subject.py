"""GET /api/paygres/{environment}/subjects/{type}/{id}: what a subject pays for and may use, for its own people."""

from typing import Any

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import PermissionDenied
from paygres.server.flows.parts import Parts
from paygres.server.tables import access


async def read_subject(
    parts: Parts, caller: Caller, environment: str, subject_type: str, subject_id: str
) -> dict[str, Any]:
    """`{environment, subject, customerId, subscriptions, access}` (shapes/subjects.py); lists may be empty.

    Admins see every subject; others those for which `payments.can_view_billing` is true, else PermissionDenied,
    whether the subject exists or not.
    """
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported role")
    allowed = caller.role == "project_admin" or await access.can_view(parts.db, caller, subject_type, subject_id)
    if not allowed:
        raise PermissionDenied(
            "This caller may not see the billing of this subject",
            next_actions="payments.can_view_billing is false for this caller; by default it asks payments.can_bill.",
        )
    side = await parts.connections.webhook(environment)
    return await access.select_subject(parts.db, environment, side.account_id, subject_type, subject_id)
