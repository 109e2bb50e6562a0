"""Store the access keys that the environment names; make an anonymous key when there is none.
An API key is never made here: it could only be shown in a log."""

import structlog

from paygres.server.auth.keys import hash_key, new_anon_key
from paygres.server.db.database import Database
from paygres.server.tables import api_keys

_log = structlog.get_logger("paygres.keys")


async def seed_access_keys(db: Database, *, api_key: str | None, anon_key: str | None) -> bool:
    """Idempotent; a new key starts the grace period of the earlier ones. Returns whether an API key holds."""
    if api_key:
        await api_keys.insert_key(db, "api", hash_key(api_key))
    if anon_key:
        await api_keys.insert_key(db, "anon", hash_key(anon_key), anon_key)
    live = await api_keys.select_live(db)
    if api_key and hash_key(api_key) not in {key.hash for key in live}:
        _log.warning("access_api_key_expired", hint="ACCESS_API_KEY was replaced earlier; set a new one.")
    kinds = {key.kind for key in live}
    if "anon" not in kinds:
        made = new_anon_key()
        await api_keys.insert_key(db, "anon", hash_key(made), made)
    return "api" in kinds
