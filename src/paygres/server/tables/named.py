"""Named queries: `tables/<name>.sql` holds the SQL, each statement under a `-- name: …` line."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Queries:
    """The statements of one `.sql` file as attributes; a missing name is an AttributeError at first use."""

    def __init__(self, statements: dict[str, str]) -> None:
        self._statements = statements

    def __getattr__(self, name: str) -> str:
        try:
            return self._statements[name]
        except KeyError:
            raise AttributeError(f"no query is named {name}") from None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._statements.items())


@cache
def queries(table: str) -> Queries:
    """Read `tables/<table>.sql`; the text before the first name line is its description."""
    text = resources.files("paygres.server.tables").joinpath(f"{table}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return Queries({name: sql.strip().rstrip(";") for name, sql in zip(parts[1::2], parts[2::2], strict=True)})
