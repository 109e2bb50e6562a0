"""What people may know of the Stripe connections: never a key, and no error because one is unreadable."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.flows.connections import mask_name
from paygres.server.stripe_gateway.keys import ENVIRONMENTS
from paygres.server.tables import connections

_NONE: Mapping[str, str] = MappingProxyType({})


async def read_connections(db: Database, unreadable: Mapping[str, str] = _NONE) -> list[dict[str, Any]]:
    """Connection objects (contract 1.6), test then live; an environment never connected is `unconfigured`.

    `unreadable` says by environment what is wrong with its stored key (F61): it is then in status `error`.
    """
    shown = [_connection(row) for row in await connections.select_shown(db, _masks(*ENVIRONMENTS))]
    for one in shown:
        if problem := unreadable.get(one["environment"]):
            one["status"] = "error"
            others = [said for said in one["webhookHealth"]["problems"] if problem not in said]
            one["webhookHealth"] |= {"status": "problem", "problems": [problem, *others]}
    return shown


async def read_connection(db: Database, environment: str) -> dict[str, Any]:
    """The Connection object of one environment."""
    return _connection((await connections.select_shown(db, _masks(environment)))[0])


async def read_config(db: Database) -> list[dict[str, Any]]:
    """`{environment, value, hasKey, maskedKey}`, test then live; `value` is the mask too, or null (0.2)."""
    return [
        {
            "environment": row["environment"],
            "value": row["masked_key"],
            "hasKey": row["masked_key"] is not None,
            "maskedKey": row["masked_key"],
        }
        for row in await connections.select_shown(db, _masks(*ENVIRONMENTS))
    ]


def _masks(*environments: str) -> dict[str, str]:
    return {environment: mask_name(environment) for environment in environments}


def _connection(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "environment": row["environment"],
        "status": row["status"],
        "accountId": row["provider_account_id"],
        "accountEmail": row["account_email"],
        "accountLivemode": row["account_livemode"],
        "webhookEndpointId": row["webhook_endpoint_id"],
        "webhookEndpointUrl": row["webhook_endpoint_url"],
        "webhookConfiguredAt": row["webhook_configured_at"],
        "maskedKey": row["masked_key"],
        "lastSyncedAt": row["last_synced_at"],
        "lastSyncStatus": row["last_sync_status"],
        "lastSyncError": row["last_sync_error"],
        "lastSyncCounts": orjson.loads(row["last_sync_counts"]),
        "webhookHealth": {
            "status": row["webhook_status"],
            "problems": orjson.loads(row["webhook_problems"]),
            "checkedAt": row["webhook_checked_at"],
        },
        "eventSweep": {
            "completeFrom": row["complete_from"],
            "completeThrough": row["complete_through"],
            "sweptAt": row["swept_at"],
            "problem": row["sweep_error"],
        },
    }
