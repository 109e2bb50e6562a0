"""Where messages about fulfillments are sent, for operators: webhooks with a signing secret that is shown once."""

import ipaddress
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from paygres.server.db.database import Tx
from paygres.server.errors import InvalidRequest, NotFound, PaygresError
from paygres.server.flows.operator import Operator, record
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.fulfillments import (
    ALL_TYPES,
    DestinationChange,
    DestinationRequest,
    MessagesQuery,
)
from paygres.server.flows.signing import new_secret, secret_names
from paygres.server.tables import destinations, outbox, secrets
from paygres.server.tables.destinations import Destination
from paygres.server.tables.keyset import Page, Place

OLD_SECRET_LASTS = timedelta(days=1)


async def list_destinations(parts: Parts, environment: str) -> list[dict[str, Any]]:
    """Oldest first, functions that run after the commit among them; never a secret."""
    return [_shown(one) for one in await destinations.select_all(parts.db, environment)]


async def add_destination(
    parts: Parts, environment: str, wanted: DestinationRequest, operator: Operator
) -> dict[str, Any]:
    """`{destination, secret}`: the secret is shown this once. Raises InvalidRequest for its URL, 409 for its name."""
    _check_url(environment, wanted.url)
    name, secret = wanted.name or wanted.url[:100], new_secret()
    types: list[str] = list(wanted.types or ALL_TYPES)
    async with parts.db.as_service() as tx:
        made = await destinations.insert(tx, environment, name, wanted.url, types, active=wanted.active is not False)
        if made is None:
            raise _name_taken(name)
        await _store(parts, tx, environment, made, secret)
        details = {"name": name, "url": wanted.url, "types": types}
        await record(tx, operator, "destination.create", environment, str(made), details)
        kept = await destinations.select_one(tx, environment, made)
    assert kept is not None
    return {"destination": _shown(kept), "secret": secret}


async def change_destination(
    parts: Parts, environment: str, destination_id: str, change: DestinationChange, operator: Operator
) -> dict[str, Any]:
    """`{destination, secret}`: a secret only when it was rotated. Raises NotFound, InvalidRequest, 409 for its name."""
    if change.url is not None:
        _check_url(environment, change.url)
    secret = new_secret() if change.rotate_secret else None
    async with parts.db.as_service() as tx:
        known = await _known(tx, environment, destination_id)
        if known.kind != "webhook" and (change.url, change.name, change.types, secret) != (None,) * 4:
            raise InvalidRequest("This is a function in a program of yours: only active can be changed here")
        if not await destinations.update(
            tx,
            environment,
            known.id,
            name=change.name,
            url=change.url,
            types=None if change.types is None else list(change.types),
            active=change.active,
        ):
            raise _name_taken(change.name or "")
        if secret is not None:
            await _rotate(parts, tx, environment, known.id, secret)
        details = change.model_dump(exclude_none=True, by_alias=True)
        await record(tx, operator, "destination.update", environment, str(known.id), details)
        kept = await destinations.select_one(tx, environment, known.id)
    assert kept is not None
    parts.wake.set()
    return {"destination": _shown(kept), "secret": secret}


async def remove_destination(parts: Parts, environment: str, destination_id: str, operator: Operator) -> None:
    """With all its messages. Raises NotFound."""
    async with parts.db.as_service() as tx:
        known = await _known(tx, environment, destination_id)
        await destinations.delete(tx, environment, known.id)
        await secrets.deactivate(tx, secret_names(known.id))
        details = {"name": known.name, "url": known.url, "undelivered": known.pending}
        await record(tx, operator, "destination.delete", environment, str(known.id), details)


async def list_messages(
    parts: Parts, environment: str, destination_id: str, query: MessagesQuery, after: Place | None, limit: int
) -> Page[dict[str, Any]]:
    """A page, newest first. Raises NotFound."""
    known = await _known(parts.db, environment, destination_id)
    created = (query.since, query.until)
    return await outbox.page(parts.db, environment, known.id, after, limit, query.status, created)


async def resend_message(
    parts: Parts, environment: str, destination_id: str, message_id: str, operator: Operator
) -> dict[str, Any]:
    """The message, due at once under the same id, whatever became of it before. Raises NotFound."""
    unknown = NotFound(f"Message not found: {message_id}", code="MESSAGE_NOT_FOUND")
    try:
        wanted = uuid.UUID(message_id)
    except ValueError:
        raise unknown from None
    async with parts.db.as_service() as tx:
        known = await _known(tx, environment, destination_id)
        message = await outbox.send_again(tx, environment, known.id, wanted)
        if message is None:
            raise unknown
        await record(tx, operator, "message.resend", environment, str(wanted), {"destination": str(known.id)})
    parts.wake.set()
    return message


async def _known(db: Any, environment: str, destination_id: str) -> Destination:
    try:
        found = await destinations.select_one(db, environment, uuid.UUID(destination_id))
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"Destination not found: {destination_id}", code="DESTINATION_NOT_FOUND")
    return found


async def _store(parts: Parts, tx: Tx, environment: str, destination_id: uuid.UUID, secret: str) -> None:
    name, _ = secret_names(destination_id)
    await secrets.upsert(tx, name, parts.connections.seal(name, environment, secret))


async def _rotate(parts: Parts, tx: Tx, environment: str, destination_id: uuid.UUID, secret: str) -> None:
    name, previous = secret_names(destination_id)
    stored = (await secrets.select_live(tx, [name])).get(name)
    old = parts.connections.unseal(name, environment, stored)
    if old is not None:  # sealed anew: a secret is bound to its row
        await secrets.upsert(tx, previous, parts.connections.seal(previous, environment, old), lasts=OLD_SECRET_LASTS)
    await _store(parts, tx, environment, destination_id, secret)


def _check_url(environment: str, url: str) -> None:
    """https; http to this machine itself, or in test."""
    try:
        parsed = urlsplit(url)
        host = parsed.hostname or ""
        _ = parsed.port  # raises for one that is no number
    except ValueError:
        raise InvalidRequest("url: Invalid URL") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise InvalidRequest("url: Expected an https URL")
    if parsed.username is not None or parsed.password is not None:
        raise InvalidRequest("url: Must not contain a user name or password; verify the signature instead")
    if parsed.scheme == "http" and environment != "test" and not _is_loopback(host):
        raise InvalidRequest("url: In live only https is allowed, or http to this machine itself")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name_taken(name: str) -> PaygresError:
    return PaygresError(
        f"Another destination is named {name!r}",
        status=409,
        code="DESTINATION_ALREADY_EXISTS",
        next_actions="Change that one, or choose another name.",
    )


def _shown(one: Destination) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "kind": one.kind,
        "name": one.name,
        "url": one.url,
        "types": one.types,
        "active": one.active,
        "pending": one.pending,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }
