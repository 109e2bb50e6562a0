"""Tables that are not empty: finished purchases put in by SQL, and the statistics PostgreSQL plans with."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from bench.events import purchase

SCRIPT = Path(__file__).with_name("stored.sql")


def store_purchases(superuser_url: str, count: int) -> None:
    """So many guests' purchases, five events each."""
    told = [event.decode() for event in purchase("stored0", 0).events]
    statements = [part.partition("\n")[2] for part in SCRIPT.read_text().split("-- name: ")[1:]]
    asyncio.run(_store(superuser_url, statements, told, count))


async def _store(superuser_url: str, statements: list[str], told: list[str], count: int) -> None:
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(statements[0], told, count)
        for statement in statements[1:]:
            await connection.execute(statement)
    finally:
        await connection.close()


def analyze(superuser_url: str) -> None:
    """What autovacuum and the checkpointer do within minutes; by themselves they fall into any round."""
    execute(superuser_url, "vacuum analyze", "checkpoint")


def execute(superuser_url: str, *statements: str) -> None:
    """Statements by themselves, each its own transaction."""
    asyncio.run(_execute(superuser_url, statements))


async def _execute(superuser_url: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(superuser_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
