"""The secrets of a development installation: made once, kept in secrets.env (0600), never logged."""

import secrets
from pathlib import Path

from paygres.cli.dev.home import write_private

ADMIN = "admin"


def load_or_make(folder: Path) -> dict[str, str]:
    """NAME -> value as the server's environment wants them; a name added by a newer version is made then."""
    file = folder / "secrets.env"
    known: dict[str, str] = {}
    if file.is_file():
        lines = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        known = {name: value for name, value in lines}
    missing = {name: make for name, make in _MAKERS.items() if not known.get(name)}
    if missing:
        known |= {name: make() for name, make in missing.items()}
        write_private(file, "".join(f"{name}={value}\n" for name, value in known.items()))
    return known


_MAKERS = {
    "JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEY": lambda: secrets.token_urlsafe(48),
    "ACCESS_API_KEY": lambda: f"ik_{secrets.token_hex(32)}",
    "ACCESS_ANON_KEY": lambda: f"anon_{secrets.token_hex(32)}",
    "ROOT_ADMIN_PASSWORD": lambda: secrets.token_urlsafe(18),
}
