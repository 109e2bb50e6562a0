"""Listed tables that are full: many_rows.sql with a number of rows."""

from pathlib import Path

import asyncpg

SCRIPT = Path(__file__).with_name("many_rows.sql")


async def fill(url: str, rows: int, payload: int) -> None:
    """As a superuser, so many rows in each table, each with a Stripe object of `payload` bytes; then statistics."""
    inserts, vacuum, tables = SCRIPT.read_text(encoding="utf-8").rpartition("vacuum ")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"set paygres.rows = '{rows}'; set paygres.pad = '{payload}'")
        await connection.execute(inserts)
        await connection.execute(vacuum + tables)
    finally:
        await connection.close()
