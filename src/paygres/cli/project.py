"""Which server a command speaks to, and with which key: flags, else the environment, else the linked directory.

A key goes only to the address it was given with: one address's key is never tried on another.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paygres.cli import exit_codes
from paygres.cli.dev.home import write_private
from paygres.cli.failure import Failure, Misused

FILE = Path(".insforge/project.json")
URL_NAMES = ("PAYGRES_URL", "INSFORGE_URL")
KEY_NAMES = ("PAYGRES_ACCESS_TOKEN", "INSFORGE_API_KEY")
# What the reference's command line writes for a server of one's own, so that it can go on with our file.
_IDENTITY = {
    "project_id": "fa4e0000-1234-5678-90ab-cd1234567890",
    "project_name": "oss-project",
    "org_id": "fa4e0001-1234-5678-90ab-cd1234567890",
    "appkey": "ossfkey",
    "region": "us-test",
}
_OLD_IDS = ("oss-project", "fa4e0000-1234-5678-90ab-0e02b2c3d479")
_HOW = "Run `paygres link --api-base-url URL --api-key ik_…` here, or give --url and --api-key."


@dataclass(frozen=True, slots=True)
class Link:
    """A server's address, without a slash at its end, and an admin's credential for it."""

    url: str
    key: str = field(repr=False)


def resolve(url: str | None, key: str | None) -> Link:
    """Raises Failure (exit 3) when there is no address, or no key that belongs to it."""
    chosen = url or _from_environment(URL_NAMES) or read().get("oss_host")
    if not chosen:
        raise _not_linked("No server is configured for this directory.")
    address = address_of(chosen)
    key = key or _key_of_environment(address, typed=url is not None) or _key_of_directory(address)
    if not key:
        raise _not_linked(f"There is no API key for {urlsplit(address).netloc}.")
    return Link(address, usable_key(key))


def _key_of_environment(address: str, *, typed: bool) -> str | None:
    """Beside an address in the environment it belongs to that one, and not to another that was typed."""
    beside = _from_environment(URL_NAMES)
    if typed and beside and address_of(beside) != address:
        return None
    return _from_environment(KEY_NAMES)


def _key_of_directory(address: str) -> str | None:
    saved = read()
    same = saved.get("oss_host") and address_of(saved["oss_host"]) == address
    return saved.get("api_key") if same else None


def _not_linked(message: str) -> Failure:
    return Failure(message, exit_code=exit_codes.NOT_LINKED, code="NOT_LINKED", next_actions=_HOW)


def address_of(text: str) -> str:
    """The address without slashes at its end. Raises Misused when it is none."""
    address = text.strip().rstrip("/")
    if not _fits(address):
        raise Misused("The server's address must look like http://localhost:7130 or https://pay.example.com.")
    return address


def _fits(address: str) -> bool:
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # A password in the address would be sent in the key's place.
    odd = "@" in parts.netloc or parts.query or parts.fragment or " " in address or not address.isprintable()
    return parts.scheme in ("http", "https") and named and not odd


def usable_key(text: str) -> str:
    """The key trimmed; Misused when it could not be sent in a header."""
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Misused("The API key must be one word of letters, digits and signs.")
    return key


def read() -> dict[str, Any]:
    """The file of the current directory (never of a parent); {} when there is none."""
    try:
        found: object = json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(n, ""), str) for n in ("oss_host", "api_key")):
        raise _not_linked(f"{FILE} cannot be read as a project's file: mend or delete it.")
    project: dict[str, Any] = {str(name): value for name, value in found.items()}
    if project.get("project_id") in _OLD_IDS:
        project["project_id"] = _IDENTITY["project_id"]
    return project


def write(url: str, key: str) -> None:
    """Links the current directory; what else the file held stays. Raises Failure when it cannot be written."""
    try:
        FILE.parent.mkdir(mode=0o700, exist_ok=True)
        project = _IDENTITY | read() | {"api_key": key, "oss_host": url}
        write_private(FILE, json.dumps(project, indent=2, ensure_ascii=False) + "\n")
        _ignore()
    except OSError as error:
        raise Failure(f"Cannot write {FILE}: {error.strerror}.") from None


def _ignore() -> None:
    """The key must not be committed. Only a .gitignore that is there is touched."""
    file = Path(".gitignore")
    if not file.is_file():
        return
    text = file.read_text(encoding="utf-8")
    if not {".insforge", ".insforge/", "/.insforge", "/.insforge/"}.intersection(text.split()):
        file.write_text(f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}.insforge/\n", encoding="utf-8")


def _from_environment(names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name, "").strip())), None)
