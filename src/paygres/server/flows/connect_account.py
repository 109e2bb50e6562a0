"""Give an environment its Stripe key: verified at Stripe before anything is stored, then made to work.

Another account's key deletes nothing and therefore asks for no confirmation (F58): rows keep the account they came
from, lists show the connected account's, and the watermark moves. Switching back brings everything back.
"""

import hashlib
from collections.abc import Mapping

import structlog

from paygres.server import errors
from paygres.server.flows.configure_webhook_endpoint import configure_webhook_endpoint, delete_managed_endpoints
from paygres.server.flows.connections import (
    mask_name,
    next_webhook_secret_name,
    own_webhook_secret_name,
    previous_webhook_secret_name,
)
from paygres.server.flows.install_webhook_secret import install_webhook_secret
from paygres.server.flows.parts import Parts
from paygres.server.flows.sync_environment import sync_environment
from paygres.server.flows.verify_key import verify_key
from paygres.server.stripe_gateway.answer import Answer
from paygres.server.stripe_gateway.keys import (
    ENVIRONMENTS,
    mask,
    read_secret_key,
    secret_key_name,
    webhook_secret_name,
)
from paygres.server.tables import audit, connections, secrets

log = structlog.get_logger()


async def connect_account(
    parts: Parts, environment: str, secret_key: str, *, actor: str, request_id: str | None = None
) -> None:
    """Store `secret_key` (a secret or restricted key), then set up the webhook endpoint and sync.

    Saving the same key again repairs whatever failed the last time (F59). Raises `NotConfigured` (400
    `PAYMENT_CONFIG_INVALID`) for a key that Stripe refuses or that lacks a permission, and the gateway's errors
    when Stripe cannot be asked; then nothing is stored. A failing endpoint or sync does not raise: it is in the
    connection.
    """
    key = read_secret_key(environment, secret_key)
    if environment == "live":
        _refuse_unready_for_live(parts)
    answer = await verify_key(parts, key)
    switched, replaced_key = await _store(parts, environment, key, answer, actor=actor, request_id=request_id)
    parts.connections.forget(environment)
    log.info(
        "stripe account connected",
        environment=environment,
        account_id=answer.object["id"],
        switched=switched,
        actor=actor,
    )
    await connections.settle_mappings(parts.db, environment, answer.object["id"])
    try:
        await configure_webhook_endpoint(parts, environment)
    except errors.PaygresError as error:
        log.warning("webhook endpoint not configured", environment=environment, reason=error.message)
    if replaced_key is not None:  # or the other account would go on delivering to us
        await delete_managed_endpoints(parts, environment, replaced_key)
    try:
        await sync_environment(parts, environment)
    except errors.Unavailable as error:
        log.warning("sync not run", environment=environment, reason=error.message)


def _refuse_unready_for_live(parts: Parts) -> None:
    """What start-up refuses for a live key in the environment holds for one sent by PUT as well."""
    if not parts.gateway.speaks_to_stripe:
        raise errors.NotConfigured("STRIPE_API_BASE is set: a live key would be sent there, so it is refused")
    if not parts.api_base_url.startswith("https://"):
        raise errors.NotConfigured("A live key needs API_BASE_URL to be this server's public https:// address")
    if not parts.return_origins:
        raise errors.NotConfigured("A live key needs PAYGRES_RETURN_ORIGINS, where buyers may be sent back to")


async def seed_from_environment(
    parts: Parts, *, secret_keys: Mapping[str, str], webhook_secrets: Mapping[str, str]
) -> None:
    """Apply keys and signing secrets of the process environment (maps by Stripe environment) that changed.

    Changed since they were last applied, that is: a key that was removed or replaced by hand stays so until
    somebody changes the variable (F62). Never raises for Stripe's or the operator's faults: they are logged,
    and tried again at the next start.
    """
    for environment in ENVIRONMENTS:
        key, secret = secret_keys.get(environment), webhook_secrets.get(environment)
        try:
            if key and await _is_new(parts, secret_key_name(environment), key):
                await connect_account(parts, environment, key, actor="environment")
                await _remember(parts, secret_key_name(environment), key)
                if secret:  # another account's secrets were put out of force; this one came with the key
                    await install_webhook_secret(parts, environment, secret)
        except errors.PaygresError as error:
            log.error("environment variable not applied", environment=environment, reason=error.message)


async def seed_webhook_secrets(parts: Parts, webhook_secrets: Mapping[str, str]) -> None:
    """Apply changed signing secrets of the process environment; needs no Stripe, so it runs before listening."""
    for environment, secret in webhook_secrets.items():
        try:
            if await _is_new(parts, webhook_secret_name(environment), secret):
                await install_webhook_secret(parts, environment, secret)
                await _remember(parts, webhook_secret_name(environment), secret)
        except errors.PaygresError as error:
            log.error("environment variable not applied", environment=environment, reason=error.message)


async def _is_new(parts: Parts, name: str, value: str) -> bool:
    return await secrets.select_any(parts.db, _seeded_name(name)) != _fingerprint(value)


async def _remember(parts: Parts, name: str, value: str) -> None:
    await secrets.upsert(parts.db, _seeded_name(name), _fingerprint(value))


def _seeded_name(name: str) -> str:
    return f"{name.removesuffix('_SECRET_KEY')}_SEEDED_HASH"


def _fingerprint(value: str) -> str:
    """Keys are long and random: a plain hash gives nothing away."""
    return f"sha256:{hashlib.sha256(value.strip().encode()).hexdigest()}"


async def _store(
    parts: Parts, environment: str, key: str, answer: Answer, *, actor: str, request_id: str | None
) -> tuple[bool, str | None]:
    """(whether another account was connected, its key if there is one that can be read)."""
    name, account_id = secret_key_name(environment), answer.object["id"]
    async with parts.db.as_service() as tx:
        switched = await connections.upsert_account(tx, environment, answer.object, answer.as_of)
        before = (await secrets.select_live(tx, [name])).get(name) if switched else None
        await secrets.upsert(tx, name, parts.connections.seal(name, environment, key))
        await secrets.upsert(tx, mask_name(environment), mask(key))
        if switched:
            # Late deliveries of the other account must not enter this one's records (F25).
            await secrets.deactivate(
                tx,
                [
                    webhook_secret_name(environment),
                    previous_webhook_secret_name(environment),
                    next_webhook_secret_name(environment),
                    own_webhook_secret_name(environment),
                ],
            )
        await audit.record(
            tx,
            actor=actor,
            action="config.set",
            environment=environment,
            target=account_id,
            details={"maskedKey": mask(key), "accountId": account_id, "accountSwitched": switched},
            request_id=request_id,
        )
    return switched, parts.connections.unseal(name, environment, before)
