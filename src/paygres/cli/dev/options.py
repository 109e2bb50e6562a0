"""What `paygres dev` was asked for, checked and with its defaults filled in."""

import os
from dataclasses import dataclass
from pathlib import Path

from paygres.cli.dev.errors import DevError

DEFAULT_PORT = 7130


@dataclass(frozen=True, slots=True)
class Options:
    """`port` None means 7130 or the next free one. `database_url` None means the embedded PostgreSQL."""

    folder: Path
    once: bool = False
    json: bool = False
    port: int | None = None
    fresh: bool = False
    demo: bool = True
    database_url: str | None = None
    from_environment: bool = False
    allow_existing: bool = False

    @classmethod
    def from_command_line(
        cls,
        *,
        once: bool,
        json: bool,
        port: int | None,
        folder: Path,
        fresh: bool,
        demo: bool,
        database_url: str | None,
        allow_existing: bool,
    ) -> "Options":
        """Raises DevError for a combination that cannot work."""
        exported = os.environ.get("DATABASE_URL") or None
        url = database_url or exported
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise DevError("the database URL must start with postgresql://", exit_code=1)
        if port is not None and not 1 <= port <= 65535:
            raise DevError("--port must be from 1 to 65535", exit_code=1)
        if once and not demo:
            raise DevError("--once stops after the sample purchase, which --no-demo leaves out", exit_code=1)
        return cls(
            folder=folder.expanduser().absolute(),
            once=once,
            json=json,
            port=port,
            fresh=fresh,
            demo=demo,
            database_url=url,
            from_environment=database_url is None and exported is not None,
            allow_existing=allow_existing,
        )
