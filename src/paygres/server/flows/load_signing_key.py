"""The key pair of our access tokens: made at the first start, sealed in system.secrets, the same for every process."""

import asyncio

import structlog

from paygres.server.auth.signing_key import SigningKey, new_private_key, signing_key
from paygres.server.auth.vault import Unreadable, Vault
from paygres.server.db.database import Database
from paygres.server.tables import secrets
from paygres.server.tables.sqlstates import translated

_log = structlog.get_logger("paygres.auth")
PRIVATE, PUBLIC, KEY_ID = "JWT_PRIVATE_KEY", "JWT_PUBLIC_KEY", "JWT_KEY_ID"


async def load_signing_key(db: Database, vault: Vault) -> SigningKey | None:
    """None when a key is stored that cannot be read: then tokens are signed with JWT_SECRET, and the log says how to
    mend it. Several processes that start at once end up with one key."""
    with translated():
        sealed = (await secrets.select_live(db, [PRIVATE])).get(PRIVATE)
        if sealed is None:
            made = await asyncio.to_thread(new_private_key)
            await secrets.insert_missing(db, PRIVATE, vault.seal(made, place=_place(PRIVATE)))
            sealed = (await secrets.select_live(db, [PRIVATE])).get(PRIVATE)
        try:
            if sealed is None:
                raise Unreadable("it is switched off")
            key = signing_key(vault.open(sealed, place=_place(PRIVATE)))
        except (Unreadable, ValueError) as error:
            _log.error(
                "signing_key_unreadable",
                reason=str(error),
                hint=f"Restore ENCRYPTION_KEY, or delete {PRIVATE} from system.secrets and restart every server.",
            )
            return None
        await _tell_public_half(db, vault, key)
        return key


async def _tell_public_half(db: Database, vault: Vault, key: SigningKey) -> None:
    """Beside the private key, where tools of the reference look; made of it, so never of another pair."""
    wanted = {PUBLIC: key.public_pem, KEY_ID: key.kid}
    stored = await secrets.select_live(db, list(wanted))
    for name, text in wanted.items():
        if not _says(vault, name, stored.get(name), text):
            await secrets.upsert(db, name, vault.seal(text, place=_place(name)))


def _says(vault: Vault, name: str, sealed: str | None, text: str) -> bool:
    try:
        return sealed is not None and vault.open(sealed, place=_place(name)) == text
    except Unreadable:
        return False


def _place(name: str) -> str:
    return secrets.place(name, "all")
