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
async def test_query_can_be_prepared_and_planned_by_the_service(
    transaction: asyncpg.Connection, table: str, name: str
) -> None:
    sql = getattr(named.queries(table), name)
    await transaction.execute("set local role paygres_service; set local search_path = ''")
    parameters = (await transaction.prepare(sql)).get_parameters()
    await transaction.execute(f"prepare {name} as {sql}")
    values = f"({', '.join(['null'] * len(parameters))})" if parameters else ""
    # Unlike PREPARE, EXPLAIN asks for the privileges on every table.
    assert await transaction.fetch(f"explain execute {name}{values}")
    await transaction.execute(f"deallocate {name}")
