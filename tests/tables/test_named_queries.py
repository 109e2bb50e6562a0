"""Every named query means something in the migrated schema, in the role that runs it."""

from importlib import resources

import asyncpg
import pytest

from paygres.server.tables import named

NAMES = sorted(
    file.name.removesuffix(".sql")
    for file in resources.files("paygres.server.tables").iterdir()
    if file.name.endswith(".sql")
)
QUERIES = [(table, name) for table in NAMES for name, _ in named.queries(table)]


@pytest.mark.parametrize(("table", "name"), QUERIES)
async def test_query_can_be_prepared_by_the_service(
    transaction: asyncpg.Connection, table: str, name: str
) -> None:
    await transaction.execute("set local role paygres_service; set local search_path = ''")
    statement = await transaction.prepare(getattr(named.queries(table), name))
    assert statement.get_parameters() is not None
