"""Access keys for admins: list them, make one, rotate, revoke. A key is shown once, when it is made."""

from datetime import timedelta
from typing import Any

import structlog

from paygres.server.auth.keys import hash_key, new_anon_key, new_api_key
from paygres.server.db.database import Database
from paygres.server.errors import NotFound, PaygresError
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.keys import KeyRequest
from paygres.server.tables import api_keys, audit
from paygres.server.tables.api_keys import ListedKey

log = structlog.get_logger()


async def list_keys(db: Database) -> dict[str, Any]:
    """`{keys}`; of API keys only a fingerprint (the beginning of their SHA-256)."""
    return {"keys": [_shown(key) for key in await api_keys.select_all(db)]}


async def create_key(parts: Parts, wanted: KeyRequest, operator: Operator) -> dict[str, Any]:
    """`{key, value}`: `value` is the key itself, never shown again (for anonymous keys: also by the list)."""
    value = new_api_key() if wanted.kind == "api" else new_anon_key()
    hashed = hash_key(value)
    lasts = timedelta(hours=wanted.expires_in_hours) if wanted.expires_in_hours is not None else None
    grace = timedelta(hours=wanted.grace_hours) if wanted.grace_hours is not None else api_keys.GRACE[wanted.kind]
    async with parts.db.as_service() as tx:
        key = await api_keys.add_key(tx, wanted.kind, hashed, value if wanted.kind == "anon" else None, lasts)
        replaced = await api_keys.shorten_others(tx, wanted.kind, hashed, grace) if wanted.rotate else 0
        await audit.record(
            tx,
            actor=operator.actor,
            action="key.rotate" if wanted.rotate else "key.create",
            target=key.id,
            details={"kind": key.kind, "fingerprint": key.fingerprint, "expiresAt": key.expires_at}
            | ({"graceHours": grace / timedelta(hours=1), "replaced": replaced} if wanted.rotate else {}),
            request_id=operator.request_id,
        )
    parts.keys.forget()
    log.info("access key made", kind=key.kind, key_id=key.id, rotated=wanted.rotate)
    return {"key": _shown(key), "value": value}


async def revoke_key(parts: Parts, key_id: str, operator: Operator) -> dict[str, Any]:
    """`{key}`, which no longer holds (other processes notice within ten seconds).

    Raises NotFound, and a 409 for the last API key when nobody could sign in with a password.
    """
    async with parts.db.as_service() as tx:
        live = await api_keys.lock_live(tx)
        of_api = [found for found, kind in live if kind == "api"]
        if of_api == [key_id] and not parts.admin_password:
            raise PaygresError(
                "This is the last API key, and no admin password is set: nobody could administer this server",
                status=409,
                code="LAST_API_KEY",
                next_actions="Make another key first with POST /api/paygres/keys, or set ROOT_ADMIN_PASSWORD.",
            )
        key = await api_keys.revoke_key(tx, key_id)
        if key is None:
            raise NotFound(f"Access key not found: {key_id}")
        await audit.record(
            tx,
            actor=operator.actor,
            action="key.revoke",
            target=key.id,
            details={"kind": key.kind, "fingerprint": key.fingerprint},
            request_id=operator.request_id,
        )
    parts.keys.forget()
    log.info("access key revoked", kind=key.kind, key_id=key.id)
    return {"key": _shown(key)}


def _shown(key: ListedKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "kind": key.kind,
        "fingerprint": key.fingerprint,
        "anonKey": key.value,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "expired": key.expired,
    }
