"""`python -m tests.tables.write_schema`: migrate an empty database and write its shape to migrations/schema.sql."""

from pathlib import Path

import paygres.server
from tests.fresh_database import private_postgres
from tests.tables.dump import dump

SCHEMA = Path(paygres.server.__file__).parent / "migrations" / "schema.sql"


def main() -> None:
    with private_postgres() as urls:
        SCHEMA.write_text(dump(urls.superuser), encoding="utf-8")
    print(f"wrote {SCHEMA}")


if __name__ == "__main__":
    main()
